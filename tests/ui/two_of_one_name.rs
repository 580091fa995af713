use larder::cached;

#[cached(key = "user:{id}", ttl = "5m")]
fn user(id: u64) -> String {
    id.to_string()
}

#[cached(key = "user:{name}", ttl = "5m")]
fn user(name: &str) -> Result<String, String> {
    Ok(name.to_owned())
}

fn main() {
    let _ = user::invalidate(7);
}
