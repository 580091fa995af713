use larder::cached;

#[cached(key = "page:{id}", ttl = "5m", max_age = "0s")]
fn page(id: u64) -> u64 {
    id
}

fn main() {}
