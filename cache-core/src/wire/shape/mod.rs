//! The shape of a type: a hash of its structure as `Deserialize` asks for it.
//!
//! A type is run against a deserializer that notes what is asked for and answers with samples, again and again until
//! every variant of every enum was asked for. Names of fields and variants, their order and their types count, all the
//! way down; the name and the module of a Rust type do not, beyond what serde says of it.
//!
//! Structure is what a type asks for. A type that rejects every sample we have, or asks what is there, has no whole
//! trace: [`Trace`] says so.

mod counts;
mod hash;
mod hazard;
mod node;
mod parts;
mod samples;
mod trace;
mod tracer;

#[cfg(test)]
mod tests;

pub(super) use counts::Counts;
pub(super) use trace::{Trace, trace};
