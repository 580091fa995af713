use larder::cached;

struct Limit(u64);

#[cached(key = "page:{id}", ttl = "5m", skip = [limit], when = |page| *page < limit.0)]
fn page(id: u64, limit: Limit) -> u64 {
    id.min(limit.0)
}

fn main() {}
