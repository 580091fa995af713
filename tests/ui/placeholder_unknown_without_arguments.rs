use larder::cached;

#[cached(key = "page:{id}", ttl = "5m")]
fn page() -> String {
    String::new()
}

fn main() {}
