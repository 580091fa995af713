//! An embedded cache that tells the truth: what was invalidated is never served again.
//!
//! ```
//! use larder::{Larder, key, ttl};
//!
//! let cache = Larder::memory(10_000); // at most 10 000 entries, in this process
//! let key = key!("user:{}", 42);
//! let name = cache.get_or_compute(&key, ttl::MEDIUM, || "Ada".to_owned()); // your query
//! assert_eq!(name, cache.get_or_compute(&key, ttl::MEDIUM, || "not asked".to_owned())); // from memory
//! cache.invalidate(&key).wait()?; // the row has changed: no read that starts later gets the old value
//! assert!(cache.get::<String>(&key).wait()?.is_none());
//! # Ok::<(), larder::Error>(())
//! ```
//!
//! # The guide
//!
//! | chapter | |
//! |---|---|
//! | [`first_cache`](guide::first_cache) | from nothing to a cached function |
//! | [`functions`](guide::functions) | what `#[cached]` can be told of a function |
//! | [`methods`](guide::methods) | methods and traits; tenants, users and roles in keys |
//! | [`writers`](guide::writers) | functions that write say what they make old; transactions |
//! | [`batches`](guide::batches) | many rows, one query, an entry for each |
//! | [`choosing_deadlines`](guide::choosing_deadlines) | how long a value is good, and what happens near its end |
//! | [`invalidation`](guide::invalidation) | what to call when the data has changed, and what it then promises |
//! | [`stampedes`](guide::stampedes) | many callers, one load |
//! | [`counters`](guide::counters) | numbers that many change, claims that one wins, many keys in one call |
//! | [`watching`](guide::watching) | what a cache tells of itself, and what to be woken for |
//! | [`testing`](guide::testing) | turning the clock, failing the cache, finding forgotten invalidations |
//! | [`cookbook`](guide::cookbook) | for those who know `cached`, cashews, Spring, JetCache, or have a `withCache` of their own |
//! | [`redis`](guide::redis) | one cache for several processes: from one flag and a URL to production |
//! | [`writing_a_backend`](guide::writing_a_backend) | a store of your own |
//! | [`limits`](guide::limits) | what larder does not promise |
//!
//! # What is here
//!
//! **To cache with.** [`Larder`] is the cache; it is put together by [`LarderBuilder`], and its operations stand at
//! [`Engine`], which it dereferences to. [`#[cached]`](macro@cached) caches functions; those use the [`global`] cache,
//! which is [`install`]ed once and replaced in tests by [`scope`] and [`scope_async`].
//! Functions that write say what they make old by [`#[invalidates]`](macro@invalidates) and
//! [`#[updates]`](macro@updates); within a transaction, [`after_commit`] holds that back in a [`Commit`].
//!
//! **To say how.** [`Policy`], [`ttl`], [`Target`] of an invalidation; keys by [`key!`] and [`KeyPart`]; values that are
//! [`Cacheable`], or [`Local`] to the process.
//!
//! **What comes back.** [`Reply`], [`Hit`] with [`Freshness`] and [`Tier`], [`Ttl`], [`Error`] with [`ErrorKind`],
//! [`Timeout`], [`Token`], [`Stats`], [`Coherence`], [`Health`], [`Connection`], [`Closed`], [`Progress`].
//!
//! **What loaders see and say.** [`Load`], [`Previous`], [`Loaded`].
//!
//! **Where entries are held.** [`Memory`] with [`MemoryBuilder`] and [`RemovalCause`]; [`Moka`] with [`MokaBuilder`];
//! [`Redis`] with [`RedisBuilder`], and [`Credentials`].
//!
//! **To test with.** [`ManualClock`], and the module [`testing`](mod@testing) (feature `testing`).
//!
//! **To write a backend.** [`Cache`] is the contract; it is spoken in [`Value`] and [`Kind`], [`Set`] and [`Stored`],
//! [`Entry`] and [`Origin`], [`Lifetime`], [`Deadlines`] and [`Time`] by a [`Clock`], [`Fence`], [`Lease`] and [`Ended`], [`Strength`],
//! [`Pattern`], [`counter`], [`Usage`]. [`Nothing`] is the backend that holds nothing.
//!
//! **In signatures only.** [`LoadPolicy`], [`Runs`], [`Limits`], [`Background`], [`InCaller`], [`Limited`],
//! [`Unlimited`], [`Uninterrupted`], [`Compute`], [`Warm`], [`Warmed`], [`EngineBuilder`], [`Key`], [`KeyBuilder`]:
//! the methods that ask for them or give them say what they are.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `memory` | yes | [`Memory`] |
//! | `moka` | no | [`Moka`] |
//! | `macros` | yes | [`#[cached]`](macro@cached), [`#[invalidates]`](macro@invalidates), [`#[updates]`](macro@updates) |
//! | `tokio` | yes | background loads on the caller's tokio runtime; without it, on threads |
//! | `metrics` | no | the counters of [`Stats`] through the crate `metrics` |
//! | `tracing` | no | every operation as an event of the crate `tracing`, target `larder`; see them with `RUST_LOG=larder=trace` |
//! | `redis` | no | [`Redis`]: entries that every process shares; `REDIS_URL` in [`Larder::from_env`] |
//! | `redis-cluster` | no | `Redis::cluster`: the same over a Redis Cluster |
//! | `redis-sentinel` | no | `Redis::sentinel`: the master that sentinels name; failovers are followed |
//! | `tls` | no | `rediss://` by rustls, with an authority and a client certificate of your own |
//! | `testing` | no | [`testing`](mod@testing) |
//! | `postcard` | no | [`wire`], the form in which remote tiers hold entries, and its default codec |
//! | `json` | no | the codec `json`, for `RedisBuilder::codec`: it takes nearly every type, and other languages read it |
//! | `bincode` | no | the codec bincode 2.0.1, which is no longer maintained (RUSTSEC-2025-0141) |
//! | `compression` | no | large entries compressed, by LZ4 |

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;
mod builder;
#[cfg(feature = "memory")]
mod env;
#[cfg(feature = "memory")]
mod global;
#[cfg(any(doc, doctest))]
pub mod guide;
mod larder;

#[cfg(feature = "memory")]
pub use backend_memory::{Memory, MemoryBuilder, RemovalCause};
#[cfg(feature = "moka")]
pub use backend_memory::{Moka, MokaBuilder};
#[cfg(feature = "redis")]
pub use backend_redis::{Credentials, Redis, RedisBuilder};
pub use builder::LarderBuilder;
pub use cache_core::key;
#[cfg(feature = "testing")]
pub use cache_core::testing;
#[cfg(feature = "postcard")]
pub use cache_core::wire;
pub use cache_core::{
    AsTarget, Background, BoxFuture, Cache, Cacheable, Clock, Closed, Coherence, Commit, Compute, Connection,
    Deadlines, Ended, Engine, EngineBuilder, Entry, Error, ErrorKind, Fence, Freshness, Health, Hit,
    InCaller, Key, KeyBuilder, KeyPart, Kind, Lease, Lifetime, Limited, Limits, Listener, Listeners, Load,
    LoadPolicy, Loaded, Local, MAX_KEY_LEN, ManualClock, Nothing, Notices, Origin, Pattern, Piece, Policy,
    Previous, Progress, Reply, Result, Runs, Set, Stats, Stored, Strength, Target, Tier, Tiered,
    TieredBuilder, Tiers, Time, Timeout, Token, Ttl, Uninterrupted, Unlimited, Usage, Value, Warm, Warmed,
    after_commit, counter, ttl,
};
#[cfg(feature = "macros")]
pub use cache_macros::{cached, invalidates, updates};
#[cfg(feature = "memory")]
pub use global::{global, install, scope, scope_async};
pub use larder::Larder;
