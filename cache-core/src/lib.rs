//! Contracts and orchestration of the larder cache.
//!
//! [`Cache`] is what a backend implements; [`Engine`] is what an application holds: policies, single flight,
//! fences and counters over any backend. Applications use the crate `larder`, which adds the backends and
//! `#[cached]`; backends depend on this one.
//!
//! The core decides, the edges wait: expiry, flights, keys and patterns are synchronous code over state and
//! time. One type answers synchronous and asynchronous callers alike: [`Reply`].

mod absent;
mod background;
mod cache;
mod clock;
mod coherence;
mod connection;
pub mod counter;
mod deadline;
mod engine;
mod entry;
mod error;
mod fence;
mod flight;
mod key;
mod lease;
mod listener;
#[cfg(shuttle)]
#[doc(hidden)]
pub mod modelled;
mod namespace;
mod nothing;
mod pattern;
mod policy;
#[doc(hidden)]
pub mod private;
mod reply;
mod runtime;
mod stats;
mod sync;
mod target;
#[cfg(feature = "testing")]
pub mod testing;
mod tiered;
mod timeout;
mod token;
mod value;
#[cfg(feature = "postcard")]
pub mod wire;

pub use cache::Cache;
pub use clock::{Clock, ManualClock, Time};
pub use coherence::Coherence;
pub use connection::Connection;
pub use deadline::{Deadlines, Freshness, Lifetime};
pub use engine::{
    Closed, Commit, Compute, Engine, EngineBuilder, Health, Hit, Load, LoadPolicy, Loaded, Previous,
    Progress, Ttl, Uninterrupted, Warm, Warmed, after_commit,
};
pub use entry::{Entry, Origin, Set, Stored, Tier, Tiers, Usage};
pub use error::{Error, ErrorKind, Result};
pub use fence::Fence;
pub use key::{Key, KeyBuilder, KeyPart, MAX_KEY_LEN};
pub use lease::{Ended, Lease};
pub use listener::{Listener, Listeners, Notices};
pub use namespace::namespaced;
pub use nothing::Nothing;
pub use pattern::{Pattern, Piece};
pub use policy::{Background, InCaller, Limited, Limits, Policy, Runs, Unlimited, ttl};
pub use reply::{BoxFuture, Reply};
pub use stats::Stats;
pub use target::{AsTarget, Named, Strength, Target};
pub use tiered::{Tiered, TieredBuilder};
pub use timeout::Timeout;
pub use token::Token;
pub use value::{Cacheable, Kind, Local, Value};
