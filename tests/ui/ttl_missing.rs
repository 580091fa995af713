use larder::cached;

#[cached(key = "page:{id}")]
fn page(id: u64) -> String {
    id.to_string()
}

fn main() {}
