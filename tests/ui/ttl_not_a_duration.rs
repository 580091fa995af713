use larder::cached;

#[cached(key = "page:{id}", ttl = MINUTES)]
fn page(id: u64) -> String {
    id.to_string()
}

const MINUTES: u64 = 5;

fn main() {}
