//! What an envelope says of an entry beside its value.

use crate::deadline::Lifetime;
use crate::entry::Origin;

/// Where an entry stands among the invalidations of its store.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Order {
    /// The life of the store; orders of different lives cannot be compared.
    pub incarnation: u64,
    /// The store's order in that life, raised by each invalidation.
    pub sequence: u64,
}

/// What goes into an envelope beside the value.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// The order that the entry is held against.
    pub order: Order,
    /// How long it lives from the moment it is stored, in whole milliseconds; a part of one counts as a whole.
    pub lifetime: Lifetime,
    /// How it came about. The cost travels in milliseconds, at most 49 days.
    pub origin: Origin,
    /// Its tags.
    pub tags: &'a [Box<str>],
}
