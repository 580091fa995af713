use larder::cached;

#[cached(key = "page", ttl = "5m")]
const fn page() -> u64 {
    1
}

fn main() {}
