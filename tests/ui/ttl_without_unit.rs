use larder::cached;

#[cached(key = "page:{id}", ttl = 60)]
fn page(id: u64) -> String {
    id.to_string()
}

fn main() {}
