use larder::cached;

use std::collections::HashMap;

#[cached(each = "user:{id}", ttl = |user| user.ttl)]
fn users(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

fn main() {}
