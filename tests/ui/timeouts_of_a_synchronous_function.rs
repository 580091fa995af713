use larder::cached;

#[cached(key = "page:{id}", ttl = "5m", soft_timeout = "1s", hard_timeout = "2s")]
fn page(id: u64) -> Result<u64, larder::Timeout> {
    Ok(id)
}

fn main() {}
