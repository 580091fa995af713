use larder::cached;

struct Pages(u64);

impl Pages {
    #[cached(key = "page:{self.0}", ttl = "5m")]
    fn page(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

fn main() {}
