use larder::cached;

#[cached(key = "page:{id}", ttl = "5m")]
fn page(id: u64) -> impl Iterator<Item = u64> {
    0..id
}

fn main() {}
