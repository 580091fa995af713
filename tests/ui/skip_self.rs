use larder::cached;

struct Pages(u64);

impl Pages {
    #[cached(key = "page", ttl = "5m", skip = [self])]
    fn page(&self) -> u64 {
        self.0
    }
}

fn main() {}
