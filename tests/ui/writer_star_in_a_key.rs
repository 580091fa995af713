use larder::invalidates;

#[invalidates(keys = ["user:{id}:*"])]
fn rename(id: u64, name: String) -> Result<(), String> {
    let _ = (id, name);
    Ok(())
}

fn main() {}
