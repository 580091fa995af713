use larder::updates;

#[updates(key = "page:{id}", ttl = |page| std::time::Duration::from_secs(*page))]
fn page(id: u64) -> u64 {
    id
}

fn main() {}
