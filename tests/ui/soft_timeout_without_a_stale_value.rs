use larder::cached;

#[cached(key = "page:{id}", ttl = "5m", soft_timeout = "200ms")]
async fn page(id: u64) -> String {
    id.to_string()
}

fn main() {}
