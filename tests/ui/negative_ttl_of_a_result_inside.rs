use larder::cached;

#[cached(key = "page:{id}", ttl = "5m", negative_ttl = "2s")]
fn page(id: u64) -> Option<Result<u64, String>> {
    Some(Ok(id))
}

fn main() {}
