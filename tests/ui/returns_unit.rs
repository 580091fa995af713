use larder::cached;

#[cached(key = "page:{id}", ttl = "5m")]
fn page(id: u64) -> () {
    println!("{id}");
}

fn main() {}
