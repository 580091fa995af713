use larder::cached;

#[cached(key = "page:{name}:{book}", ttl = "5m", swr = "1m", skip = [db])]
async fn page(db: Db<'_>, name: &str, book: &'static str) -> String {
    format!("{} {name} {book}", db.0)
}

struct Db<'a>(&'a str);

fn main() {}
