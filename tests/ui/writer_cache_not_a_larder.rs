use larder::invalidates;

#[invalidates(keys = ["user:{id}"], cache = id)]
fn rename(id: u64) -> u64 {
    id
}

fn main() {}
