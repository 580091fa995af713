use larder::cached;

struct Pages(u64);

#[cached(ttl = "5m")]
impl Pages {
    #[cached(key = "page:{self.0}", ttl = "5m")]
    fn page(&self) -> u64 {
        self.0
    }
}

fn main() {}
