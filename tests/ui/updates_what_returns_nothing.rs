use larder::updates;

#[updates(key = "user:{id}", ttl = "5m")]
fn save(id: u64) -> Result<(), String> {
    let _ = id;
    Ok(())
}

#[updates(key = "user:{id}", ttl = "5m")]
async fn touch(id: u64) {
    let _ = id;
}

#[updates(key = "hello", ttl = "5m")]
fn hello() -> &'static str {
    "Hello"
}

fn main() {}
