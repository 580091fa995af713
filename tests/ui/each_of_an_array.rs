use larder::cached;

use std::collections::HashMap;

#[cached(each = "user:{id}", ttl = "5m")]
fn users(ids: [u64; 4]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

fn main() {}
