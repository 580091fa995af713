use larder::cached;

#[cached(key = "page:{id}", ttl = "5m")]
struct Page {
    id: u64,
}

fn main() {}
