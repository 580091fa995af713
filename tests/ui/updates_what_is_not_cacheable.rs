use larder::updates;

#[derive(Clone)]
struct User(u64);

#[updates(key = "user:{id}", ttl = "5m")]
async fn save(id: u64) -> Result<User, String> {
    Ok(User(id))
}

fn main() {}
