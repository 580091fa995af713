//! The handle, and how it is made.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cache_core::wire::Format;
use cache_core::{Error, ErrorKind, Result};
use parking_lot::Mutex;

use crate::settings::Settings;
use crate::thread::Io;

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
    /// The leases of loads that have not published.
    pub(crate) leases: Mutex<HashSet<u64>>,
}

impl Redis {
    /// The Redis at `url`, with everything else at its default: `redis://[[user]:password@]host[:port][/database]`, or
    /// `unix:///path/to/socket[?db=1&user=..&pass=..]`.
    ///
    /// Returns when a connection stands or the first attempt has failed, which is no error: it is tried again for ever.
    ///
    /// # Errors
    /// `InvalidConfig` for an URL that is none; it is not shown, as it may hold a password. `Unavailable` if the system
    /// gives no thread.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::builder(url).connect().await
    }

    /// The Redis at `url`, to be told more.
    pub fn builder(url: &str) -> RedisBuilder {
        RedisBuilder {
            client: redis::Client::open(url).map_err(|_| ()),
            namespace: String::new(),
            connect: Duration::from_millis(500),
            response: Duration::from_millis(500),
            operation: Duration::from_secs(2),
            queue: 10_000,
            hold: Duration::from_secs(600),
        }
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

/// Says how a [`Redis`] is reached.
pub struct RedisBuilder {
    client: std::result::Result<redis::Client, ()>,
    namespace: String,
    connect: Duration,
    response: Duration,
    operation: Duration,
    queue: usize,
    hold: Duration,
}

impl RedisBuilder {
    /// Caches of different namespaces do not see each other; `clear` in one is constant work, and touches no other.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// How long a connection may take to stand; half a second by default.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect = timeout;
        self
    }

    /// How long a round trip may take; half a second by default. Where one takes longer, the connection is given up, and
    /// everything fails at once until another one stands.
    #[must_use]
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response = timeout;
        self
    }

    /// How long an operation may take, of however many round trips; two seconds by default. Patterns may take longer, as
    /// they look at every key.
    #[must_use]
    pub fn operation_timeout(mut self, timeout: Duration) -> Self {
        self.operation = timeout;
        self
    }

    /// How many invalidations are kept while Redis cannot be reached; 10 000 by default. Where there are more, everything
    /// is invalidated instead.
    #[must_use]
    pub fn max_queued(mut self, invalidations: usize) -> Self {
        self.queue = invalidations.max(1);
        self
    }

    /// How long a load may take at most; ten minutes by default. What takes longer is not stored.
    #[must_use]
    pub fn max_load(mut self, time: Duration) -> Self {
        self.hold = time;
        self
    }

    /// See [`Redis::connect`].
    ///
    /// # Errors
    /// As of [`Redis::connect`], and `InvalidConfig` for a namespace that is longer than 256 bytes, or holds a `:` or a
    /// control character.
    pub async fn connect(self) -> Result<Redis> {
        let Self { client, namespace, connect, response, operation, queue, hold } = self;
        let client = client.map_err(|()| {
            let message = "the URL of Redis cannot be read: it is redis://[[user]:password@]host[:port][/database], or \
                           unix:///path/to/socket";
            Error::new(ErrorKind::InvalidConfig, message)
        })?;
        if namespace.len() > 256 || namespace.contains(|c: char| c == ':' || c.is_control()) {
            let rule = "a namespace is at most 256 bytes without `:` and control characters";
            let message = format!("namespace {namespace:?} cannot be used: {rule}");
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        let format = Format::default();
        let settings = Settings { client, namespace, connect, response, operation, queue, hold };
        let io = Io::start(settings)?;
        let first = io.run(None, |link| async move {
            link.settle().await;
            Ok(())
        });
        // The thread lives as long as the handle, so there is an answer.
        let _ = first.await;
        Ok(Redis { shared: Arc::new(Shared { io, format, operation, leases: Mutex::default() }) })
    }
}

impl fmt::Debug for RedisBuilder {
    /// Without the address, which has the password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBuilder").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}
