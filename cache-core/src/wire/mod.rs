//! The form in which a remote tier holds an entry: an envelope around the encoded value. Feature `postcard`.
//!
//! `docs/wire-format.md` has the layout byte by byte. [`encode`] makes an envelope; [`Envelope::read`] looks into one
//! without a copy, and [`Envelope::decode`] makes a value of what it holds. Whatever the bytes, these answer with a
//! value or an error. Counters (a stored `i64`) have no envelope: they are plain integers of the store.
//!
//! An envelope tells the lifetimes of the moment at which it was stored. A reader learns the age from what the store
//! says is left of the entry: see [`Envelope::left`].

mod age;
mod codec;
mod coding;
mod compression;
mod described;
mod envelope;
mod faithful;
mod format;
mod guard;
mod header;
mod layout;
mod shape;

#[cfg(feature = "bincode")]
mod bincode;
#[cfg(feature = "json")]
mod json;
mod postcard;

pub use age::{Aged, expiry};
pub use codec::Codec;
pub(crate) use coding::Coding;
pub use envelope::{Decoded, Envelope, Tags, encode, has_magic, set_order};
pub use format::Format;
pub use header::{Header, Order};
pub use layout::{LIFETIME_AT, ORDER_AT};
