//! The libraries: one file each, with nothing in it but how it is built and called.

mod cached;
mod dashmap;
mod foyer;
mod larder;
mod moka;
mod quick_cache;

pub use cached::{Cached, CachedGetThenSet};
pub use dashmap::Dashmap;
pub use foyer::Foyer;
pub use larder::block_on;
pub use larder::{LarderAwait, LarderGetThenSet, LarderWait};
pub use moka::Moka;
pub use quick_cache::{QuickCache, QuickCacheGetThenInsert};

#[cfg(test)]
mod tests;
