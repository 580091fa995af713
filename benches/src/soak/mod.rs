//! A soak: mixed load for minutes, every value held against what was invalidated before its read began.

mod load;
mod memory;
mod truth;

pub use load::{Tally, Worker};
pub use memory::{Flatness, Sample};
pub use truth::Truth;
