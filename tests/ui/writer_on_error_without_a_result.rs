use larder::invalidates;

#[invalidates(keys = ["user:{id}"], on_error = return)]
fn rename(id: u64) -> u64 {
    id
}

fn main() {}
