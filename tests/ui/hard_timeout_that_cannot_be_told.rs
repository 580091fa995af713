use larder::cached;

#[cached(key = "page:{id}", ttl = "5m", hard_timeout = "2s")]
async fn page(id: u64) -> Result<u64, String> {
    Ok(id)
}

fn main() {}
