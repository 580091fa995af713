use larder::cached;

#[cached(key = "page:{ret.id}", ttl = "5m")]
fn page() -> (u64, u64) {
    (1, 2)
}

fn main() {}
