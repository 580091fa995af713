use std::collections::HashMap;

use larder::cached;

#[cached(each = "user:{id}", ttl = "5m")]
fn users(ids: &[u64]) -> HashMap<i64, String> {
    ids.iter().map(|id| (*id as i64, id.to_string())).collect()
}

fn main() {}
