use larder::cached;

struct Page {
    number: u64,
}

#[cached(key = "page:{page.numbre}", ttl = "5m", tags = ["{ret.autor}"])]
fn page(page: Page) -> String {
    page.number.to_string()
}

fn main() {}
