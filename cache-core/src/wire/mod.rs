//! The form in which a remote tier holds an entry: an envelope around the encoded value. Feature `postcard`.
//!
//! `docs/wire-format.md` has the layout byte by byte. [`encode`] makes an envelope; [`Envelope::read`] looks into one
//! without a copy, and [`Envelope::decode`] makes a value of what it holds. Whatever the bytes, these answer with a
//! value or an error. Counters (a stored `i64`) have no envelope: they are plain integers of the store.
//!
//! An envelope tells the lifetimes of the moment at which it was stored. A reader learns the age from what the store
//! says is left of the entry: see [`Envelope::left`].
//!
//! ```
//! use larder::wire::{self, Decoded, Envelope, Format, Header, Order};
//! use larder::{Kind, Lifetime, Origin, Value};
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! # fn main() -> larder::Result<()> {
//! let (fresh, total) = (Duration::from_secs(60), Duration::from_secs(90));
//! let lifetime = Lifetime { fresh, total };
//! let header = Header { order: Order::default(), lifetime, origin: Origin::default(), tags: &["names".into()] };
//! let value = Value::new(Arc::new(String::from("Ada")));
//! let bytes = wire::encode(&value, &header, &Format::default())?; // to be kept for `wire::expiry(lifetime)` ms
//!
//! let envelope = Envelope::read(&bytes)?;
//! let aged = envelope.left(Duration::from_secs(80)).expect("the store has it for 80 s more");
//! assert_eq!((aged.age, aged.left.fresh), (Duration::from_secs(10), Duration::from_secs(50)));
//! match envelope.decode(Kind::of::<String>(), &Format::default())? {
//!     Decoded::Value(value) => assert_eq!(*value.downcast::<String>().expect("a text"), "Ada"),
//!     Decoded::OtherShape => println!("a miss"),
//!     Decoded::OtherKind => println!("a `TypeMismatch`: it is a {}", envelope.kind()),
//! }
//! # Ok(())
//! # }
//! ```

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
