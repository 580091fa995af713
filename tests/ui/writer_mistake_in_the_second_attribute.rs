use larder::{invalidates, updates};

#[invalidates(keys = ["user:{id}"])]
#[updates(key = "user:{id}")]
fn rename(id: u64) -> u64 {
    id
}

fn main() {}
