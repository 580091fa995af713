//! The handle.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cache_core::wire::Format;
use cache_core::{Connection, Result};

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

    /// How the connection is; what `health()` of a cache over it has as `remote`.
    pub fn connection(&self) -> Connection {
        let mut connection = Connection::default();
        let status = self.shared.io.status.lock();
        connection.connected_for = status.connected_since.map(|since| since.elapsed());
        connection.in_flight = self.shared.io.in_flight();
        connection.queued = status.queued;
        connection.reconnects = status.reconnects;
        connection.trouble = status.trouble.clone();
        connection
    }
}

impl fmt::Debug for Redis {
    /// Without the address, which has the password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("connection", &self.connection()).finish_non_exhaustive()
    }
}
