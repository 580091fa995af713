use larder::cached;

struct Page(u64);

#[cached(key = "page:{id}", ttl = "5m", local)]
fn page(id: u64) -> Page {
    Page(id)
}

fn main() {}
