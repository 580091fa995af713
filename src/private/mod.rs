//! What the expansions of the attributes call. Not a stable interface.

pub mod each;
pub mod form;
#[cfg(feature = "memory")]
mod global;
pub mod shape;
mod warm;
pub mod write;

pub use std::any::type_name;

pub use cache_core::private::{
    Ask, Elements, Judged, Keep, Returns, Shape, Writer, cloned, compute, invalidate, invalidate_each, made,
    mark_stale, pattern, run, run_sync, text_of, write_path,
};
pub use cache_core::{Engine, Target};
#[cfg(feature = "memory")]
pub use global::Global;

#[cfg(feature = "memory")]
pub use crate::global::global as global_cache;
pub use warm::warm_sync;
