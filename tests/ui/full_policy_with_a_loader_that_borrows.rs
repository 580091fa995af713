use std::time::Duration;

use larder::{Larder, Policy};

async fn greeting(cache: &Larder, name: &str) -> usize {
    let policy = Policy::ttl(Duration::from_secs(60)).swr(Duration::from_secs(10));
    *cache.get_or_load("greeting", policy, || async { name.len() }).await
}

fn main() {
    let _ = greeting;
}
