//! What the expansions of the attributes call. Not a stable interface.

pub mod each;
pub mod form;
#[cfg(feature = "memory")]
mod global;
pub mod shape;
mod warm;
pub mod write;

pub use std::any::type_name;
pub use std::sync::Arc;
pub use std::time::Duration;

pub use cache_core::private::{
    Ask, Call, Elements, Judged, Keep, Returns, Shape, Writer, cloned, compute, invalidate_each, pattern,
    peek, prime, run, run_sync, strike, text_of, warm,
};
pub use cache_core::{
    Cacheable, Engine, Error, Key, KeyBuilder, KeyPart, Policy, Progress, Reply, Strength, Target,
};
#[cfg(feature = "memory")]
pub use global::Global;

pub use crate::Larder;
#[cfg(feature = "memory")]
pub use crate::global::global as global_cache;
pub use warm::warm_sync;
