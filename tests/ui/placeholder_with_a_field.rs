use larder::cached;

#[cached(key = "page:{page.number}", ttl = "5m")]
fn page(page: Page) -> String {
    page.number.to_string()
}

struct Page {
    number: u64,
}

fn main() {}
