//! An embedded cache that tells the truth: what was invalidated is never served again.

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;
mod builder;
#[cfg(feature = "memory")]
mod env;
#[cfg(feature = "memory")]
mod global;
mod larder;

#[cfg(feature = "memory")]
pub use backend_memory::{Memory, MemoryBuilder, RemovalCause};
#[cfg(feature = "moka")]
pub use backend_memory::{Moka, MokaBuilder};
pub use builder::LarderBuilder;
pub use cache_core::key;
#[cfg(feature = "testing")]
pub use cache_core::testing;
pub use cache_core::{
    Background, Cache, Cacheable, Clock, Closed, Compute, Deadlines, Engine, EngineBuilder, Entry, Error,
    ErrorKind, Fence, Freshness, Health, Hit, InCaller, Key, KeyBuilder, KeyPart, Kind, Lifetime, Limited,
    Limits, Load, LoadPolicy, Loaded, Local, ManualClock, Nothing, Origin, Pattern, Policy, Previous,
    Progress, Reply, Result, Runs, Set, Stats, Stored, Strength, Target, Tier, Time, Timeout, Ttl,
    Uninterrupted, Unlimited, Usage, Value, Warm, Warmed, counter, ttl,
};
#[cfg(feature = "macros")]
pub use cache_macros::cached;
#[cfg(feature = "memory")]
pub use global::{global, install, scope, scope_async};
pub use larder::Larder;
