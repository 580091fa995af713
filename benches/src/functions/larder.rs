//! larder's: those of one argument share their entries, for the cache holds the same for `Arc` and owned values.

use std::sync::Arc;

use larder::cached;

use super::{Argument, field};
use crate::contender::Profile;
use crate::race::Entrant;

#[cached(key = "user:{id}:profile", ttl = "6h")]
fn shared(id: u64) -> Arc<Profile> {
    Arc::new(Profile::new(id))
}

#[cached(key = "user:{id}:profile", ttl = "6h")]
async fn shared_async(id: u64) -> Arc<Profile> {
    Arc::new(Profile::new(id))
}

#[cached(key = "user:{id}:profile", ttl = "6h")]
fn owned(id: u64) -> Profile {
    Profile::new(id)
}

#[cached(key = "user:{id}:profile", ttl = "6h")]
async fn owned_async(id: u64) -> Profile {
    Profile::new(id)
}

#[cached(key = "name:{name}:profile", ttl = "6h")]
fn named(name: &str) -> Arc<Profile> {
    Arc::new(Profile::new(name.len() as u64))
}

#[cached(key = "name:{name}:profile", ttl = "6h")]
async fn named_async(name: &str) -> Arc<Profile> {
    Arc::new(Profile::new(name.len() as u64))
}

#[cached(key = "name:{name}:profile", ttl = "6h")]
fn named_owned(name: &str) -> Profile {
    Profile::new(name.len() as u64)
}

#[cached(key = "name:{name}:profile", ttl = "6h")]
async fn named_owned_async(name: &str) -> Profile {
    Profile::new(name.len() as u64)
}

pub(super) fn all<'k>() -> Vec<Entrant<Argument<'k>>> {
    field! {
        "larder, u64, `Arc`": shared(id);
        "larder, u64, `Arc`, async": shared_async(id) awaited;
        "larder, u64, owned": owned(id);
        "larder, u64, owned, async": owned_async(id) awaited;
        "larder, `&str`, `Arc`": named(name);
        "larder, `&str`, `Arc`, async": named_async(name) awaited;
        "larder, `&str`, owned": named_owned(name);
        "larder, `&str`, owned, async": named_owned_async(name) awaited;
    }
}
