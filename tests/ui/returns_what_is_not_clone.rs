use larder::cached;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Page(u64);

#[cached(key = "page:{id}", ttl = "5m")]
fn page(id: u64) -> Result<Page, String> {
    Ok(Page(id))
}

fn main() {}
