use larder::cached;

#[cached(key = "token", ttl = |token| token.1)]
fn token() -> (String, u64) {
    (String::new(), 60)
}

fn main() {}
