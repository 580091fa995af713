use larder::cached;

#[cached(key = "page:{id", ttl = "soon", swr = 60, tag = ["pages"])]
fn page(id: u64) -> String {
    id.to_string()
}

fn main() {}
