use larder::cached;

struct Pages(u64);

impl Pages {
    #[cached(key = "page:{self.0}", ttl = "5m", refresh_ahead = 0.8)]
    async fn page(&self) -> u64 {
        self.0
    }
}

fn main() {}
