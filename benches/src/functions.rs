//! Cached functions: what the attribute costs on a hit, beside that of `cached`.
//!
//! larder's key is always a string, made of the arguments anew on each call; `cached`'s is the arguments themselves,
//! here a `u64`, unless told to make a `String`.

use std::sync::Arc;

use larder::Larder;

use crate::contender::{Lap, Profile};
use crate::contenders::block_on;
use crate::race::Entrant;

/// The entrant whose times the others' are divided by.
pub const REFERENCE: &str = "cached: #[cached], u64 key";

fn load(id: u64) -> Arc<Profile> {
    Arc::new(Profile::new(id))
}

#[larder::cached(key = "user:{id}:profile", ttl = "6h")]
fn larder_sync(id: u64) -> Arc<Profile> {
    load(id)
}

#[larder::cached(key = "user:{id}:profile", ttl = "6h")]
async fn larder_async(id: u64) -> Arc<Profile> {
    load(id)
}

#[cached::macros::cached(max_size = 20_000, ttl_secs = 21_600)]
fn locked(id: u64) -> Arc<Profile> {
    load(id)
}

#[cached::macros::cached(max_size = 20_000, ttl_secs = 21_600)]
async fn locked_async(id: u64) -> Arc<Profile> {
    load(id)
}

#[cached::macros::concurrent_cached(max_size = 20_000, ttl_secs = 21_600)]
fn sharded(id: u64) -> Arc<Profile> {
    load(id)
}

#[cached::macros::concurrent_cached(max_size = 20_000, ttl_secs = 21_600)]
async fn sharded_async(id: u64) -> Arc<Profile> {
    load(id)
}

#[cached::macros::cached(
    max_size = 20_000,
    ttl_secs = 21_600,
    key = "String",
    convert = { format!("user:{id}:profile") }
)]
fn locked_string(id: u64) -> Arc<Profile> {
    load(id)
}

#[cached::macros::concurrent_cached(
    max_size = 20_000,
    ttl_secs = 21_600,
    key = "String",
    convert = { format!("user:{id}:profile") }
)]
fn sharded_string(id: u64) -> Arc<Profile> {
    load(id)
}

/// All functions. The first lap fills their caches.
///
/// # Panics
/// Where there is a global larder of somebody else's.
pub fn entrants() -> Vec<Entrant<u64>> {
    larder::install(Larder::memory(40_000)).expect("nobody else installs one");
    vec![
        Entrant::new(REFERENCE, |ids| each(ids, locked)),
        Entrant::new("cached: #[cached], u64 key, async", |ids| await_each(ids, locked_async)),
        Entrant::new("cached: #[cached], String key", |ids| each(ids, locked_string)),
        Entrant::new("cached: #[concurrent_cached], u64 key", |ids| each(ids, sharded)),
        Entrant::new("cached: #[concurrent_cached], u64 key, async", |ids| await_each(ids, sharded_async)),
        Entrant::new("cached: #[concurrent_cached], String key", |ids| each(ids, sharded_string)),
        Entrant::new("larder: #[cached]", |ids| each(ids, larder_sync)),
        Entrant::new("larder: #[cached], async", |ids| await_each(ids, larder_async)),
    ]
}

#[inline]
fn each(ids: &[u64], function: impl Fn(u64) -> Arc<Profile>) -> Lap {
    let mut lap = Lap::default();
    for id in ids {
        lap.visit(Some(&function(*id)));
    }
    lap
}

#[inline]
fn await_each(ids: &[u64], function: impl AsyncFn(u64) -> Arc<Profile>) -> Lap {
    block_on(async {
        let mut lap = Lap::default();
        for id in ids {
            let profile: Arc<Profile> = function(*id).await;
            lap.visit(Some(&profile));
        }
        lap
    })
}
