use larder::cached;

#[cached(key = "page:{name}:{book}", ttl = "5m", swr = "1m", skip = [db, out])]
async fn page(db: Db<'_>, name: Option<&str>, book: &str, out: &mut Vec<u8>) -> String {
    format!("{} {name:?} {book} {out:?}", db.0)
}

struct Db<'a>(&'a str);

fn main() {}
