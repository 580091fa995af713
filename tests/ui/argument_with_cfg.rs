use larder::cached;

#[cached(key = "user:{id}", ttl = "5m", skip = [db])]
fn user(id: u64, #[cfg(any())] db: &str) -> u64 {
    id
}

fn main() {}
