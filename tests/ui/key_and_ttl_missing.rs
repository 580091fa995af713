use larder::cached;

#[cached]
fn page(id: u64) -> String {
    id.to_string()
}

fn main() {}
