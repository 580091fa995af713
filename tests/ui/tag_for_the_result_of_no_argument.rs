use larder::cached;

#[cached(key = "page", ttl = "5m", tags = ["author:{result.author}"])]
fn page() -> (u64, u64) {
    (1, 2)
}

fn main() {}
