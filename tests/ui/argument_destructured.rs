use larder::cached;

#[cached(key = "page:{a}:{b}", ttl = "5m")]
fn page((a, b): (u64, u64)) -> u64 {
    a + b
}

fn main() {}
