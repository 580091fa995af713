use larder::cached;

#[allow(non_camel_case_types)]
pub struct page {}

#[cached(key = "page:{id}", ttl = "5m")]
pub fn page(id: u64) -> u64 {
    id
}

fn main() {}
