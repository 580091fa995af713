use larder::cached;

#[cached(key = "page:{id}", ttl = "5m")]
fn page(id: Id) -> u64 {
    id.0
}

struct Id(u64);

fn main() {}
