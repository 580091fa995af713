use larder::cached;

#[cached(key = KEY, ttl = "5m")]
fn page() -> String {
    String::new()
}

const KEY: &str = "page";

fn main() {}
