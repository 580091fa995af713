//! The guide, in chapters. Read the first; then what you need.
//!
//! 1. [`first_cache`]: from nothing to a cached function.
//! 2. [`choosing_deadlines`]: how long a value is good, and what happens near its end.
//! 3. [`invalidation`]: what to call when the data has changed, and what it then promises.
//! 4. [`stampedes`]: many callers, one load.
//! 5. [`testing`]: tests that turn the clock, that make the cache fail, and that look for forgotten invalidations.
//! 6. [`writing_a_backend`]: a store of your own.
//! 7. [`limits`]: what larder does not promise.
//!
//! Every example is compiled and run with larder's own tests.

#[doc = include_str!("guide/choosing_deadlines.md")]
pub mod choosing_deadlines {}
#[doc = include_str!("guide/first_cache.md")]
pub mod first_cache {}
#[doc = include_str!("guide/invalidation.md")]
pub mod invalidation {}
#[doc = include_str!("guide/limits.md")]
pub mod limits {}
#[doc = include_str!("guide/stampedes.md")]
pub mod stampedes {}
#[doc = include_str!("guide/testing.md")]
pub mod testing {}
#[doc = include_str!("guide/writing_a_backend.md")]
pub mod writing_a_backend {}
