//! What a load holds while it reads its source, and must still hold when it publishes.

/// A load's fence: taken from the backend *before* the source is read, given back with the value.
///
/// A backend stores a fenced value only if nothing that covers the key (a write, a deletion, an invalidation of
/// the key, of a pattern, of one of the value's tags, of everything) came between the two. `sequence` is the
/// order of the backend, raised by each of them; `incarnation` tells one life of the backend from the next;
/// `lease` is whatever else the backend wants to know the load by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fence {
    /// The life of the backend in which the fence was taken.
    pub incarnation: u64,
    /// The backend's order at that moment.
    pub sequence: u64,
    /// The backend's own mark of this load.
    pub lease: u64,
}
