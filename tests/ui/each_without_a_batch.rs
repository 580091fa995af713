use larder::cached;

use std::collections::HashMap;

#[cached(each = "user:{id}", ttl = "5m")]
fn users() -> HashMap<u64, u64> {
    HashMap::new()
}

fn main() {}
