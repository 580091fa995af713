//! The model of a Redis beside a real one: the same commands, the same bytes.

mod client;
mod faults;
mod random;
mod real;
mod scripts;
mod twins;
