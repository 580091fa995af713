use larder::cached;

#[cached(key = "page:{name.len()}", ttl = "5m")]
fn page(name: &str) -> usize {
    name.len()
}

fn main() {}
