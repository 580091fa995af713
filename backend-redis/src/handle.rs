//! The handle.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cache_core::Result;
use cache_core::wire::Format;

use crate::io::thread::Io;
use crate::operation::lease::Leases;

/// Entries held in a Redis. Clones share one connection, which a thread of its own looks after.
///
/// It can be made, and used, while Redis cannot be reached: operations then fail at once, and it joins when Redis comes.
#[derive(Clone)]
pub struct Redis {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) io: Io,
    pub(crate) format: Format,
    pub(crate) operation: Duration,
    pub(crate) leases: Arc<Leases>,
}

impl Redis {
    /// The Redis at `url`, with everything else at its default: `redis://[[user]:password@]host[:port][/database]`,
    /// `rediss://..` for the same by TLS (feature `tls`), or `unix:///path/to/socket[?db=1&user=..&pass=..]`. User and
    /// password are percent-encoded.
    ///
    /// Returns when a connection stands or the first attempt has failed, which is no error: it is tried again for ever.
    ///
    /// # Errors
    /// `InvalidConfig` for an URL that is none, or needs a feature that is off; it is not shown, as it may hold a password. `Unavailable` if the system
    /// gives no thread.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::builder(url).connect().await
    }

    /// How the connection is.
    pub fn connection(&self) -> RedisConnection {
        let status = self.shared.io.status.lock();
        RedisConnection {
            connected_for: status.connected_since.map(|since| since.elapsed()),
            in_flight: self.shared.io.in_flight(),
            queued: status.queued,
            reconnects: status.reconnects,
            trouble: status.trouble.clone(),
        }
    }
}

impl fmt::Debug for Redis {
    /// Without the address, which has the password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("connection", &self.connection()).finish_non_exhaustive()
    }
}

/// What is known of a connection to Redis.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct RedisConnection {
    /// For how long it has stood; `None` while it is down.
    pub connected_for: Option<Duration>,
    /// Operations under way.
    pub in_flight: usize,
    /// Invalidations that Redis does not have yet.
    pub queued: usize,
    /// How often it was lost.
    pub reconnects: u64,
    /// Why it is down.
    pub trouble: Option<String>,
}
