use larder::cached;

#[cached(key = "page:{id:04}", ttl = "5m")]
fn page(id: u64) -> u64 {
    id
}

fn main() {}
