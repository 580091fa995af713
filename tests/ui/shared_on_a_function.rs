use larder::cached;

#[cached(key = "page:{id}", ttl = "5m", shared)]
fn page(id: u64) -> u64 {
    id
}

fn main() {}
