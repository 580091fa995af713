//! Who loads, where several processes could.

use std::fmt;

use crate::fence::Fence;
use crate::reply::BoxFuture;

/// What a load is told that asks for the lease of its key: see [`Cache::lease`](crate::Cache::lease).
pub enum Lease {
    /// It loads, and others wait for it: here is its fence.
    Mine(Fence),
    /// The same; and something fresh stands under the key, which another process may have put there since the caller looked.
    /// So it looks again, and gives the fence back where that will do.
    LookAgain(Fence),
    /// A load in another process has the lease. The future ends when looking again is worth it: when that load is over,
    /// as far as anybody can tell, or after a fraction of a second. Dropping it is no harm.
    Theirs(BoxFuture<'static, Ended>),
}

/// How a load ended, as far as those in other processes who wait for it need to know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// It published, was invalidated or given up; or it goes on. The cache is looked at, and one of those who wait loads.
    Somehow,
    /// It brought something that is not for the cache.
    Unshared,
    /// It failed.
    Failed,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mine(fence) => f.debug_tuple("Mine").field(fence).finish(),
            Self::LookAgain(fence) => f.debug_tuple("LookAgain").field(fence).finish(),
            Self::Theirs(_) => f.write_str("Theirs"),
        }
    }
}
