use larder::invalidates;

#[invalidates(keys = ["user:{id}"], ttl = "5m")]
fn rename(id: u64, name: String) -> Result<(), String> {
    let _ = (id, name);
    Ok(())
}

fn main() {}
