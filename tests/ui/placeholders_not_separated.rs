use larder::cached;

#[cached(key = "page:{book}{number}", ttl = "5m")]
fn page(book: u64, number: u64) -> String {
    format!("{book}, {number}")
}

fn main() {}
