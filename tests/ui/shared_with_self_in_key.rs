use larder::cached;

struct Pages(u64);

impl Pages {
    #[cached(key = "page:{self.0}", ttl = "5m", shared)]
    fn page(&self) -> u64 {
        self.0
    }
}

fn main() {}
