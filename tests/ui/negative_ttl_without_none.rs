use larder::cached;

#[cached(key = "page:{id}", ttl = "5m", negative_ttl = "2s")]
fn page(id: u64) -> Result<u64, String> {
    Ok(id)
}

fn main() {}
