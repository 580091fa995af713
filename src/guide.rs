//! The guide, in chapters. Read the first; then what you need.
//!
//! 1. [`first_cache`]: from nothing to a cached function.
//!
//! The attributes:
//!
//! 2. [`functions`]: what `#[cached]` can be told of a function.
//! 3. [`methods`]: methods and traits; tenants, users and roles in keys.
//! 4. [`writers`]: functions that write say what they make old; transactions.
//! 5. [`batches`]: many rows, one query, an entry for each.
//!
//! What is behind them, and the cache without them:
//!
//! 6. [`choosing_deadlines`]: how long a value is good, and what happens near its end.
//! 7. [`invalidation`]: what to call when the data has changed, and what it then promises.
//! 8. [`stampedes`]: many callers, one load.
//! 9. [`counters`]: numbers that many change, claims that one wins, many keys in one call.
//! 10. [`watching`]: what a cache tells of itself, and what to be woken for.
//! 11. [`testing`]: tests that turn the clock, that make the cache fail, and that look for forgotten invalidations.
//!
//! In production:
//!
//! 12. [`redis`]: one cache for several processes, from one flag and a URL to what an outage does.
//!
//! To look up:
//!
//! 13. [`cookbook`]: for those who know `cached`, cashews, Spring, JetCache, or have a `withCache` of their own.
//! 14. [`writing_a_backend`]: a store of your own.
//! 15. [`limits`]: what larder does not promise.
//!
//! Every example is compiled and run with larder's own tests.

#[doc = include_str!("guide/batches.md")]
pub mod batches {}
#[doc = include_str!("guide/choosing_deadlines.md")]
pub mod choosing_deadlines {}
#[doc = include_str!("guide/cookbook.md")]
pub mod cookbook {}
#[doc = include_str!("guide/counters.md")]
pub mod counters {}
#[doc = include_str!("guide/first_cache.md")]
pub mod first_cache {}
#[doc = include_str!("guide/functions.md")]
pub mod functions {}
#[doc = include_str!("guide/invalidation.md")]
pub mod invalidation {}
#[doc = include_str!("guide/limits.md")]
pub mod limits {}
#[doc = include_str!("guide/methods.md")]
pub mod methods {}
#[doc = include_str!("guide/redis.md")]
pub mod redis {}
#[doc = include_str!("guide/stampedes.md")]
pub mod stampedes {}
#[doc = include_str!("guide/testing.md")]
pub mod testing {}
#[doc = include_str!("guide/watching.md")]
pub mod watching {}
#[doc = include_str!("guide/writers.md")]
pub mod writers {}
#[doc = include_str!("guide/writing_a_backend.md")]
pub mod writing_a_backend {}
