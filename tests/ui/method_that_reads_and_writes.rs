use larder::cached;

struct Users;

#[cached]
impl Users {
    #[cached(key = "user:{id}", ttl = "5m", shared)]
    #[larder::invalidates(keys = ["users"])]
    fn user(&self, id: u64) -> u64 {
        id
    }
}

fn main() {}
