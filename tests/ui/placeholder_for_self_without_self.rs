use larder::cached;

#[cached(key = "page:{self.tenant}:{id}", ttl = "5m")]
fn page(id: u64) -> u64 {
    id
}

fn main() {}
