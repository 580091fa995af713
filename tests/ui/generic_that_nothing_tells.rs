use larder::cached;

trait Table {
    fn rows(school: u64) -> u64;
}

#[cached(key = "rows:{school}", ttl = "5m")]
fn rows<T>(school: u64) -> u64
where
    T: Table,
{
    T::rows(school)
}

#[cached(key = "times:{id}", ttl = "5m")]
fn times<const N: u64>(id: u64) -> u64 {
    id * N
}

// These are told apart: by the type of the value, and by an argument.
#[cached(key = "default", ttl = "5m")]
fn default<T: Default + Clone + larder::Cacheable>() -> Option<T> {
    Some(T::default())
}

#[cached(key = "sum:{ids}", ttl = "5m")]
fn sum<const N: usize>(ids: [u64; N]) -> u64 {
    ids.iter().sum()
}

fn main() {}
