//! larder's deterministic simulation: everything in one thread, in virtual time, drawn from a seed.

pub mod server;
