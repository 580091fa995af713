use larder::cached;

trait Read {
    fn page(&self) -> u64;
    fn book(&self) -> u64;
}

struct Pages(u64);

#[cached]
impl Read for Pages {
    #[cached(key = "page:{self.0}", ttl = "5")]
    fn page(&self) -> u64 {
        self.0
    }

    #[cached(key = "book:{self.0}", ttl = "5m")]
    fn book(&self) -> u64 {
        self.0
    }
}

fn main() {}
