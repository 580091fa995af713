use larder::cached;

#[cached(key = "page:{id}", ttl("5m"))]
fn page(id: u64) -> String {
    id.to_string()
}

fn main() {}
