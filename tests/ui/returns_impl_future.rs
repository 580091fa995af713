use larder::cached;

#[cached(key = "page:{id}", ttl = "5m")]
fn page(id: u64) -> impl Future<Output = u64> {
    async move { id }
}

fn main() {}
