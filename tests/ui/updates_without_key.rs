use larder::updates;

#[updates(ttl = "5m")]
fn save(id: u64) -> u64 {
    id
}

fn main() {}
