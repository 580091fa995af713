use larder::cached;

use std::collections::HashMap;

struct Db;

impl Db {
    #[cached(each = "user:{id}", ttl = "5m")]
    fn users(&self, ids: &[u64]) -> HashMap<u64, u64> {
        ids.iter().map(|id| (*id, *id)).collect()
    }
}

fn main() {}
