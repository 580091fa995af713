use larder::updates;

#[updates(key = "user:{id}", ttl = "5m", always)]
fn save(id: u64) -> u64 {
    id
}

fn main() {}
