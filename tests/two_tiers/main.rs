//! Memory in front of a real Redis: the contract, and what several of them make of each other's changes. Feature `redis`.

#![cfg(feature = "redis")]

#[path = "../../backend-redis/tests/common/mod.rs"]
mod common;
#[path = "../../backend-redis/tests/common/proxy.rs"]
mod proxy;
#[path = "../../backend-redis/tests/common/travel.rs"]
mod travel;

mod acked;
mod by_hand;
mod chaos;
mod contract;
mod fleet;
mod found;
mod operated;
mod watching;

use std::sync::Arc;

use common::{Server, wait};
use larder::{Larder, Memory, Redis, Tiered, TieredBuilder};

/// One of several processes, as far as the cache goes: memory, a connection, an engine of its own.
fn node(server: &Server) -> Larder {
    Larder::over(tiers(server.redis()).build())
}

/// The same, which gives a Redis up that does not answer for as long as a program would wait.
fn hasty(server: &Server) -> Larder {
    Larder::over(tiers(wait(Redis::connect(&server.url())).expect("a handle")).build())
}

fn tiers(redis: Redis) -> TieredBuilder {
    Tiered::builder(Arc::new(Memory::builder().capacity(10_000).build()), Arc::new(redis))
}
