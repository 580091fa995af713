use larder::cached;

#[cached(each = "user:{id}", ttl = "5m")]
fn users(ids: &[u64]) -> Vec<String> {
    ids.iter().map(|id| id.to_string()).collect()
}

fn main() {}
