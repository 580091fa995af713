//! Two stores as one cache: copies in memory, in front of a store that several processes share.
//!
//! ```text
//! get ─► near: fresh, and believed ──────────────────────────────► Ready
//!          └─► its fence ─► far.get ─► a copy under that fence ──► answer
//! set, delete, invalidate, .. ─► near struck ─► far ─► near struck again
//! load ─► both fences ─► source ─► far.set ─► a copy under the fence of near
//! notice ─► near struck, which voids the fences it covers
//! ```
//!
//! What is in near is a *copy* of what was in far, with its deadlines, tags and age. Why no copy outlives what it is of:
//!
//! - Whatever puts a copy there holds a fence of near's, taken before far was asked (or before the source was read). Any
//!   strike that covers the key voids it: also one that finds nothing there.
//! - A change by this process strikes near before and after. Before: who reads from now on asks far. After: who asked far in
//!   between may have got the old value, and its fence is void.
//! - A change by another process strikes near when its notice comes, after it was made in far. A fence taken after that is
//!   of a reader who finds the new value there.
//! - While notices may be missing, `trust` says for how long copies are believed all the same.
//!
//! The fences of far are what they always are: a late load is refused by far, and then near is not asked.

mod builder;
mod cache;
mod heard;
mod near;
mod pairs;
mod place;
mod sampler;
mod trust;
mod twins;

use std::fmt;
use std::sync::Arc;

use crate::cache::Cache;
use crate::listener::Notices;

pub use builder::TieredBuilder;

/// A cache of two tiers: L1 in this process (*near*), and a store behind it (*far*) that other processes may share.
///
/// A fresh copy in near is the answer at once. Otherwise far is asked, and what it has is copied, for no longer than it
/// lives there. Writes and invalidations go to far; near only loses its copies by them, and takes a new one when the key is
/// read. What a load brings goes to far first, and into near if far stored it. Counters are in far alone, values that are
/// [`Local`](crate::Local) in near alone; [`Policy::skip_l1`](crate::Policy::skip_l1) and
/// [`Policy::skip_l2`](crate::Policy::skip_l2) say so of others.
///
/// Where far cannot be reached, a stale copy is handed out, and what a load brings is kept in near alone, for no longer
/// than [`cut_off_ttl`](TieredBuilder::cut_off_ttl).
///
/// Far may itself be of two tiers.
///
/// ```
/// use larder::{Engine, Memory, Tiered, ttl};
/// use std::sync::Arc;
///
/// let (near, far) = (Memory::builder().capacity(100).build(), Memory::builder().capacity(10_000).build());
/// let cache = Engine::new(Tiered::builder(Arc::new(near), Arc::new(far)).build());
/// cache.set("greeting", "hello".to_owned(), ttl::SHORT).wait()?;
/// assert_eq!(*cache.get::<String>("greeting").wait()?.unwrap(), "hello"); // from far, and into near
/// assert_eq!(*cache.get::<String>("greeting").wait()?.unwrap(), "hello"); // from near
/// # Ok::<(), larder::Error>(())
/// ```
pub struct Tiered {
    /// Shared with the channel on which its notices come.
    near: Arc<near::Near>,
    far: Arc<dyn Cache>,
    pairs: pairs::Pairs,
    notices: Notices,
    /// Off as a rule: then a hit has one more branch.
    sampler: Option<sampler::Sampler>,
}

impl Tiered {
    /// `near`, which must answer at once and belong to this cache alone, in front of `far`.
    pub fn builder(near: Arc<dyn Cache>, far: Arc<dyn Cache>) -> TieredBuilder {
        TieredBuilder::new(near, far)
    }
}

impl fmt::Debug for Tiered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tiered").field("notices", &self.notices).finish_non_exhaustive()
    }
}
