use larder::cached;

trait Pages {
    #[cached(key = "page:{id}", ttl = "5m")]
    fn page(&self, id: u64) -> u64;
}

fn main() {}
