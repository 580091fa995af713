//! The handle.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cache_core::wire::Format;
use cache_core::{Connection, Result};
use parking_lot::Mutex;

use crate::connect::settings::Settings;
use crate::io::flood::Flood;
use crate::io::thread::Io;
use crate::stored::refused::Refused;

/// Entries held in a Redis. Clones share one connection, which a thread of its own looks after.
///
/// It can be made, and used, while Redis cannot be reached: operations then fail at once, and it joins when Redis comes.
///
/// When its last clone is dropped, what is under way is done and what is queued is delivered, for five minutes at most; the
/// thread ends after that. A process that ends does not wait for it: [`close`](cache_core::Cache::close) does.
#[derive(Clone)]
pub struct Redis {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) io: Io,
    /// For handles of other namespaces.
    settings: Mutex<Settings>,
    pub(crate) format: Format,
    pub(crate) operation: Duration,
    pub(crate) max_value: usize,
    pub(crate) flood: Flood,
    pub(crate) refused: Refused,
}

impl Redis {
    /// The Redis at `url`, with everything else at its default: `redis://[[user]:password@]host[:port][/database]`,
    /// `rediss://..` for the same by TLS (feature `tls`), or `unix:///path/to/socket[?db=1&user=..&pass=..]`. User and
    /// password are percent-encoded.
    ///
    /// Returns when a connection stands or the first attempt has failed, which is no error: it is tried again for ever.
    ///
    /// # Errors
    /// `InvalidConfig` for an URL that is none, or needs a feature that is off: it says what is wrong with it, and does not
    /// show it, as it may hold a password. `Unavailable` if the system gives no thread.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::builder(url).connect().await
    }

    /// The same Redis, with the same settings, in a namespace within this handle's own: `b` within `a` is `a:b`. Caches of
    /// different namespaces do not see each other; `clear` in one is constant work, and touches no other.
    ///
    /// It has a thread and a connection of its own, which is made behind the caller's back: what is called before it stands
    /// waits for it, for as long as connecting may take. (Of a connection that was handed in, it uses the same.)
    ///
    /// ```no_run
    /// # async fn example() -> larder::Result<()> {
    /// let redis = larder::Redis::connect("redis://127.0.0.1/").await?;
    /// let campus = redis.within("campus")?;
    /// # let _ = campus;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidConfig` for a namespace that is longer than 256 bytes, or holds a `:` or a control character. `Unavailable`
    /// if the system gives no thread.
    pub fn within(&self, namespace: &str) -> Result<Self> {
        let settings = self.shared.settings.lock().within(namespace)?;
        Self::start(settings, self.shared.format)
    }

    /// Returns when its thread has begun.
    pub(crate) fn start(settings: Settings, format: Format) -> Result<Self> {
        let (operation, max_value) = (settings.operation, settings.max_value);
        let io = Io::start(settings.clone())?;
        let settings = Mutex::new(settings);
        let (flood, refused) = (Flood::default(), Refused::default());
        let shared = Shared { io, settings, format, operation, max_value, flood, refused };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// How the connection is; what `health()` of a cache over it has as `remote`.
    pub fn connection(&self) -> Connection {
        let mut connection = Connection::default();
        let status = self.shared.io.common.status.lock();
        connection.connected_for = status.connected_since.map(|since| since.elapsed());
        connection.in_flight = self.shared.io.in_flight();
        connection.queued = status.queued;
        connection.reconnects = status.reconnects;
        connection.trouble = status.trouble.clone();
        connection.untold = status.untold_in_words();
        connection
    }
}

impl fmt::Debug for Redis {
    /// Without the address, which has the password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("connection", &self.connection()).finish_non_exhaustive()
    }
}
