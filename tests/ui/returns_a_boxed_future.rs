use std::future::Future;
use std::pin::Pin;

use larder::cached;

#[cached(key = "user:{id}", ttl = "5m")]
fn user(id: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move { id })
}

fn main() {}
