//! What a cache tells of itself: events (feature `tracing`) and meters (feature `metrics`).
//!
//! The engine calls the few methods of `told`. Each feature has a twin that does nothing, so a hit without features is
//! what it would be without this folder; with them it pays for one look at whether somebody listens.

#[cfg(feature = "tracing")]
mod events;
#[cfg(not(feature = "tracing"))]
#[path = "no_events.rs"]
mod events;
#[cfg(feature = "metrics")]
mod meters;
#[cfg(not(feature = "metrics"))]
#[path = "no_meters.rs"]
mod meters;
mod outcome;
mod told;
#[cfg(feature = "tracing")]
mod usable;
#[cfg(feature = "tracing")]
mod words;

pub(super) use events::Began;
pub(super) use told::{Asked, Watch};
