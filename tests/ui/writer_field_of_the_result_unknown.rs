use larder::invalidates;

#[invalidates(keys = ["user:{ret.id}"])]
fn rename(id: u64) -> Result<u64, String> {
    Ok(id)
}

fn main() {}
