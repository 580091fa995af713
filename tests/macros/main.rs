//! The attributes as their users meet them: what is cached, under which key, what the companions do, and what writers
//! change.

#![cfg(all(feature = "macros", feature = "memory"))]

mod arguments;
mod attributes;
mod batches;
mod bodies;
mod caches;
mod commit;
mod companions;
mod keys;
mod methods;
mod pedantic;
mod policies;
mod ports;
mod results;
mod signatures;
mod values;
mod writers;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

/// Counts how often a body ran. Each test has its own, so that they can run side by side.
struct Runs(AtomicUsize);

impl Runs {
    const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// This run's number, from 1.
    fn next(&self) -> usize {
        self.0.fetch_add(1, Relaxed) + 1
    }

    fn count(&self) -> usize {
        self.0.load(Relaxed)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    id: u64,
}

/// Not `Clone`, so it can only be cached in an `Arc`.
#[derive(Debug, Serialize, Deserialize)]
struct Report(String);
