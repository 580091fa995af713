use larder::cached;

#[cached(key = "page:{id}", ttl = "5m", when = |page| page + 1)]
fn page(id: u64) -> u64 {
    id
}

fn main() {}
