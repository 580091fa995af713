use larder::cached;

trait Table {
    fn rows() -> u64;
}

#[cached(ttl = "5m")]
fn rows<T: Table>() -> u64 {
    T::rows()
}

fn main() {}
