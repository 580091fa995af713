//! The fences of loads: each is one of either tier.

use std::sync::Arc;

use crate::fence::Fence;
use crate::sync::DashMap;
use crate::sync::atomic::{AtomicU64, Ordering};

/// What stands behind one fence of the whole.
#[derive(Clone)]
pub(super) struct Pair {
    /// `None`: near gave none, and gets no copy.
    pub(super) near: Option<Fence>,
    /// Or why far could not be asked.
    pub(super) far: Result<Fence, Arc<str>>,
}

/// The pairs in use, by the number that the load knows. As many as there are loads.
#[derive(Default)]
pub(super) struct Pairs {
    last: AtomicU64,
    in_use: DashMap<u64, Pair>,
}

impl Pairs {
    pub(super) fn join(&self, pair: Pair) -> Fence {
        let lease = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.in_use.insert(lease, pair);
        Fence { incarnation: 0, sequence: 0, lease }
    }

    pub(super) fn get(&self, fence: Fence) -> Option<Pair> {
        self.in_use.get(&fence.lease).map(|pair| pair.clone())
    }

    pub(super) fn part(&self, fence: Fence) -> Option<Pair> {
        self.in_use.remove(&fence.lease).map(|(_, pair)| pair)
    }
}
