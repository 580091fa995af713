use larder::{cached, invalidates};

#[cached(time = 60, size = 100, sync_writes = true)]
fn user(id: u64) -> u64 {
    id
}

#[cached(key = "school:{id}", tll = "5m")]
fn school(id: u64) -> u64 {
    id
}

#[invalidates(user(id))]
fn rename(id: u64) -> u64 {
    id
}

fn main() {}
