//! The second store: moka holds the entries and chooses who gives way; the guarantees are ours.
//!
//! moka's map answers reads without a lock, its W-TinyLFU decides who stays. What it cannot keep, stands around it: a
//! striped lock per key with the fences of the loads in flight, the marks of what was invalidated, and deadlines by
//! larder's own clock. None of moka's own loading, expiry or invalidation is used: a load that moka runs is published
//! whatever was invalidated meanwhile.

mod backend;
mod builder;
mod departed;
mod held;
mod store;

pub use builder::MokaBuilder;
pub use store::Moka;
