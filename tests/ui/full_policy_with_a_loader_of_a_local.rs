use std::time::Duration;

use larder::{Larder, Policy};

fn main() {
    let cache = Larder::memory(10);
    let name = String::from("Ada");
    let policy = Policy::ttl(Duration::from_secs(60)).swr(Duration::from_secs(10));
    let length = cache.get_or_compute("length", policy, || name.len());
    let _ = length;
}
