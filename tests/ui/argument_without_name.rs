use larder::cached;

#[cached(key = "page:{id}", ttl = "5m")]
fn page(id: u64, _: &str) -> u64 {
    id
}

fn main() {}
