use larder::cached;

#[cached(key = "page:{name}", ttl = "5m")]
fn page(name: &str) -> &str {
    name
}

fn main() {}
