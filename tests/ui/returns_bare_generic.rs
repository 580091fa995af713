use larder::cached;

#[cached(key = "page:{id}", ttl = "5m")]
fn page<T: From<u64>>(id: u64) -> T {
    T::from(id)
}

fn main() {}
