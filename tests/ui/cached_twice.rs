use larder::cached;

#[cached(key = "page:{id}", ttl = "5m")]
#[cached(key = "page:{id}", ttl = "1h")]
fn page(id: u64) -> u64 {
    id
}

fn main() {}
