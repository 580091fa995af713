//! The README's asynchronous form: a function that caches itself.

use larder::{Larder, cached};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct User {
    name: String,
}

#[cached(key = "school:{school}:user:{id}", ttl = "5m", swr = "1m", tags = ["users", "school:{school}"])]
async fn user(school: u64, id: u64) -> Result<User, std::io::Error> {
    println!("loading user {id} of school {school}"); // your query; an `Err` is returned, never cached
    Ok(User { name: format!("student {id}") })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    larder::install(Larder::memory(100_000))?;
    user(7, 42).await?; // loads
    user(7, 42).await?; // from memory
    user::invalidate(7, 42).await?; // this entry
    larder::global().invalidate_tag("school:7").await?; // and whatever else is tagged so
    println!("{}", user(7, 42).await?.name); // loads again
    Ok(())
}
