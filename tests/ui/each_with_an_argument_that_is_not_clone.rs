use larder::cached;

use std::collections::HashMap;

struct Db;

#[cached(each = "user:{id}", ttl = "5m", skip = [db])]
fn users(db: Db, ids: &[u64]) -> HashMap<u64, u64> {
    let _ = db;
    ids.iter().map(|id| (*id, *id)).collect()
}

fn main() {}
