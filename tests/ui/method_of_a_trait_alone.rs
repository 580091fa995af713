use larder::cached;

trait Read {
    fn page(&self) -> u64;
}

struct Pages(u64);

impl Read for Pages {
    #[cached(key = "page:{self.0}", ttl = "5m")]
    fn page(&self) -> u64 {
        self.0
    }
}

fn main() {}
