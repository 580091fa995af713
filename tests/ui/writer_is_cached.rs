use larder::{cached, invalidates};

#[invalidates(keys = ["user:{id}"])]
#[cached(key = "user:{id}", ttl = "5m")]
fn rename(id: u64) -> u64 {
    id
}

fn main() {}
