use larder::cached;

use std::collections::HashMap;

#[cached(each = "user:{id}", ttl = "5m")]
fn users(db: &str, ids: &[u64]) -> HashMap<u64, u64> {
    let _ = db;
    ids.iter().map(|id| (*id, *id)).collect()
}

fn main() {}
