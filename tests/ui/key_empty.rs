use larder::cached;

#[cached(key = "", ttl = "5m")]
fn page() -> String {
    String::new()
}

fn main() {}
