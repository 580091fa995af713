use larder::cached;

#[cached(key = "token", ttl = || std::time::Duration::from_secs(1))]
fn token() -> (String, u64) {
    (String::new(), 60)
}

fn main() {}
