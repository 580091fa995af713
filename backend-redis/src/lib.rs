//! The remote store of the larder cache, over Redis.

mod batch;
mod cache;
mod failure;
mod handle;
mod keeper;
mod link;
mod names;
mod order;
mod queue;
mod read;
mod script;
mod session;
mod settings;
mod slot;
mod strike;
mod tags;
mod thread;
mod write;

pub use handle::{Redis, RedisBuilder, RedisConnection};
