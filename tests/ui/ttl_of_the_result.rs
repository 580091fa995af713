use larder::cached;

#[cached(key = "page:{id}", ttl = |page| page.max_age)]
fn page(id: u64) -> String {
    id.to_string()
}

fn main() {}
