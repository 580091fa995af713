use larder::cached;

struct Page {
    number: u64,
    size: u64,
}

#[cached(key = "page:{number}", ttl = "5m")]
fn page(Page { number, size }: Page) -> u64 {
    number * size
}

fn main() {}
