use larder::cached;

#[cached(key = "page:{id}", tll = "5m")]
fn page(id: u64) -> String {
    id.to_string()
}

fn main() {}
