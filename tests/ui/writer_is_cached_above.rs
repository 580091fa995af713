use larder::{cached, invalidates};

#[cached(key = "user:{id}", ttl = "5m")]
#[invalidates(keys = ["user:{id}"])]
fn rename(id: u64) -> u64 {
    id
}

fn main() {}
