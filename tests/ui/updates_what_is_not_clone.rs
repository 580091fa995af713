use larder::updates;

#[derive(serde::Serialize, serde::Deserialize)]
struct User(u64);

#[updates(key = "user:{id}", ttl = "5m")]
fn save(id: u64) -> Result<User, String> {
    Ok(User(id))
}

fn main() {}
