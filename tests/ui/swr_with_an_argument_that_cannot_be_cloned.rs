use larder::cached;

struct Db;

#[cached(key = "page:{id}", ttl = "5m", swr = "1m", skip = [db])]
async fn page(db: &Db, id: u64) -> u64 {
    let _ = db;
    id
}

fn main() {}
