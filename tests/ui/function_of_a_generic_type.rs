use larder::cached;

struct Store<T>(Vec<T>);

trait Row {
    const TABLE: &'static str;
}

#[cached]
impl<T: Row> Store<T> {
    #[cached(key = "count", ttl = "5m")]
    fn count() -> usize {
        T::TABLE.len()
    }
}

fn main() {}
