use larder::cached;

use std::collections::HashMap;

#[cached(each = "user:{id}", ttl = "5m")]
fn users(ids: &[u64]) -> HashMap<u64, Option<u64>> {
    ids.iter().map(|id| (*id, Some(*id))).collect()
}

fn main() {}
