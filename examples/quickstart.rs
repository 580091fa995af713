//! The README's fifteen lines: no async runtime, no set-up.

use larder::{Larder, key, ttl};

fn main() -> larder::Result<()> {
    let cache = Larder::memory(10_000); // at most 10 000 entries
    let key = key!("user:{}", 42);
    // Nothing is cached yet: the closure runs (your query stands here), its value lives 5 minutes.
    let name = cache.get_or_compute(&key, ttl::MEDIUM, || String::from("Ada"));
    let again = cache.get_or_compute(&key, ttl::MEDIUM, || String::from("not asked")); // from memory
    assert_eq!(name, again);
    println!("{name} was loaded once");
    // The row changed. Once this has returned, no read that starts later gets the old value.
    cache.invalidate(&key).wait()?;
    assert!(cache.get::<String>(&key).wait()?.is_none());
    Ok(())
}
