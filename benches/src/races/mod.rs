//! Races: what a reader gets afterwards, from larder and its peers.
//!
//! A [`Library`](library::Library) is one cache in one way of using it, a scenario a function over any of them. Loads
//! are held by channels, so each scenario forces one order of events; what it reports is what it then read. What a
//! library cannot be asked to do is "n/a", with the reason; what does not end in time "hangs".

mod held;
pub mod libraries;
pub mod library;
mod run;
pub mod scenarios;
mod verdict;

pub use run::run;
pub use verdict::{Stop, Verdict};
