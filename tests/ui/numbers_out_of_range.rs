use larder::cached;

#[cached(key = "page:{id}", ttl = "5m", jitter = 1.0, refresh_ahead = 80, xfetch = "much", version = 1.5)]
fn page(id: u64) -> u64 {
    id
}

fn main() {}
