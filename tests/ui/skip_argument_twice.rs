use larder::cached;

#[cached(key = "page", ttl = "5m", skip = [id, id])]
fn page(id: u64) -> String {
    id.to_string()
}

fn main() {}
