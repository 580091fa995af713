//! What the expansions of `#[cached]` call. Not a stable interface.

#[cfg(feature = "memory")]
mod global;
pub mod shape;

pub use std::any::Any;
pub use std::sync::Arc;
pub use std::time::Duration;

pub use cache_core::private::{Shape, Share, cached_async, cached_sync, invalidate};
pub use cache_core::{Cacheable, Engine, Error, Key, KeyBuilder, KeyPart, Policy, Reply};
#[cfg(feature = "memory")]
pub use global::{cached_async_global, cached_sync_global, invalidate_global};

pub use crate::Larder;
