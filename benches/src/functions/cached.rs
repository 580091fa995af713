//! Those of `cached`: `#[cached]` has one lock for all entries, `#[concurrent_cached]` has shards.

use std::sync::Arc;

use cached::macros::{cached, concurrent_cached};

use super::{Argument, field};
use crate::contender::Profile;
use crate::race::Entrant;

#[cached(max_size = 20_000, ttl_secs = 21_600)]
fn locked(id: u64) -> Arc<Profile> {
    Arc::new(Profile::new(id))
}

#[cached(max_size = 20_000, ttl_secs = 21_600)]
async fn locked_async(id: u64) -> Arc<Profile> {
    Arc::new(Profile::new(id))
}

#[cached(max_size = 20_000, ttl_secs = 21_600)]
fn locked_owned(id: u64) -> Profile {
    Profile::new(id)
}

#[cached(max_size = 20_000, ttl_secs = 21_600)]
async fn locked_owned_async(id: u64) -> Profile {
    Profile::new(id)
}

#[cached(max_size = 20_000, ttl_secs = 21_600, key = "String", convert = { name.to_owned() })]
fn locked_named(name: &str) -> Arc<Profile> {
    Arc::new(Profile::new(name.len() as u64))
}

#[cached(max_size = 20_000, ttl_secs = 21_600, key = "String", convert = { name.to_owned() })]
async fn locked_named_async(name: &str) -> Arc<Profile> {
    Arc::new(Profile::new(name.len() as u64))
}

#[cached(max_size = 20_000, ttl_secs = 21_600, key = "String", convert = { name.to_owned() })]
fn locked_named_owned(name: &str) -> Profile {
    Profile::new(name.len() as u64)
}

#[cached(max_size = 20_000, ttl_secs = 21_600, key = "String", convert = { name.to_owned() })]
async fn locked_named_owned_async(name: &str) -> Profile {
    Profile::new(name.len() as u64)
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 21_600)]
fn sharded(id: u64) -> Arc<Profile> {
    Arc::new(Profile::new(id))
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 21_600)]
async fn sharded_async(id: u64) -> Arc<Profile> {
    Arc::new(Profile::new(id))
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 21_600, key = "String", convert = { name.to_owned() })]
fn sharded_named(name: &str) -> Arc<Profile> {
    Arc::new(Profile::new(name.len() as u64))
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 21_600, key = "String", convert = { name.to_owned() })]
async fn sharded_named_async(name: &str) -> Arc<Profile> {
    Arc::new(Profile::new(name.len() as u64))
}

pub(super) fn all_locked<'k>() -> Vec<Entrant<Argument<'k>>> {
    field! {
        "cached, u64, `Arc`": locked(id);
        "cached, u64, `Arc`, async": locked_async(id) awaited;
        "cached, u64, owned": locked_owned(id);
        "cached, u64, owned, async": locked_owned_async(id) awaited;
        "cached, `&str`, `Arc`": locked_named(name);
        "cached, `&str`, `Arc`, async": locked_named_async(name) awaited;
        "cached, `&str`, owned": locked_named_owned(name);
        "cached, `&str`, owned, async": locked_named_owned_async(name) awaited;
    }
}

pub(super) fn all_sharded<'k>() -> Vec<Entrant<Argument<'k>>> {
    field! {
        "cached, sharded, u64, `Arc`": sharded(id);
        "cached, sharded, u64, `Arc`, async": sharded_async(id) awaited;
        "cached, sharded, `&str`, `Arc`": sharded_named(name);
        "cached, sharded, `&str`, `Arc`, async": sharded_named_async(name) awaited;
    }
}
