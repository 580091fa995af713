use larder::cached;

#[cached(key = "page:{id}", ttl = "5 minutes")]
fn page(id: u64) -> String {
    id.to_string()
}

fn main() {}
