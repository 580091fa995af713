use std::rc::Rc;

use larder::cached;

#[cached(key = "page:{id}", ttl = "5m", swr = "1m")]
async fn page(id: u64) -> u64 {
    let shared = Rc::new(id);
    std::future::ready(()).await;
    *shared
}

fn main() {}
