use larder::cached;

use std::collections::HashMap;

#[cached(each = "user:{id}", ttl = "5m", negative_ttl = "1m")]
fn users(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

fn main() {}
