//! What the expansions of the attributes call. Not a stable interface.

pub mod each;
#[cfg(feature = "memory")]
mod global;
pub mod shape;
pub mod write;

pub use std::any::Any;
pub use std::sync::Arc;
pub use std::time::Duration;

pub use cache_core::private::{Elements, compute, invalidate_each};
pub use cache_core::private::{
    Shape, Share, Writer, cached_async, cached_sync, invalidate, pattern, text_of,
};
pub use cache_core::{Cacheable, Engine, Error, Key, KeyBuilder, KeyPart, Policy, Reply, Target};
#[cfg(feature = "memory")]
pub use global::{cached_async_global, cached_sync_global, invalidate_global};

pub use crate::Larder;
#[cfg(feature = "memory")]
pub use crate::global::global as global_cache;
