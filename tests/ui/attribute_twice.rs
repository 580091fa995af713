use larder::cached;

#[cached(key = "page:{id}", ttl = "5m", ttl = "6m")]
fn page(id: u64) -> String {
    id.to_string()
}

fn main() {}
