use larder::cached;

struct Pages;

impl Pages {
    #[cached(key = "page:{id}", ttl = "5m")]
    fn page(id: u64) -> u64 {
        id
    }
}

fn main() {}
