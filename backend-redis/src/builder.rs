//! How a handle is made.

use std::error;
use std::fmt;
use std::time::Duration;

use cache_core::wire::{Codec, Format};
use cache_core::{Error, ErrorKind, Result};
use redis::IntoConnectionInfo;
use redis::aio::ConnectionLike;

use crate::connect::address::{Address, Login};
use crate::connect::credentials::{Credentials, Provider};
use crate::connect::given::Given;
use crate::connect::place::{Dial, Place};
use crate::connect::settings::{Settings, check_namespace};
#[cfg(feature = "simulated")]
use crate::connect::simulated::Streams;
use crate::handle::Redis;

/// More time than this is never given: beyond it sums overflow, here or in redis-rs.
const DAY: Duration = Duration::from_secs(86_400);
/// `proto-max-bulk-len` of Redis, without the header that stands before a value.
const REDIS_TAKES: usize = (512 << 20) - 1024;
/// Where loads have less, a mark is over before whoever made it can use it.
const LEAST_LOAD: Duration = Duration::from_secs(1);

/// Says how a [`Redis`] is reached. Every duration may be as long as you like; one of more than a day is a day.
pub struct RedisBuilder {
    address: Address,
    login: Login,
    provider: Option<Provider>,
    namespace: String,
    client: Option<String>,
    connect: Duration,
    response: Duration,
    operation: Duration,
    queue: usize,
    hold: Duration,
    max_value: usize,
    codec: Codec,
    #[cfg(feature = "compression")]
    compress_above: Option<usize>,
    #[cfg(feature = "simulated")]
    pub(crate) streams: Streams,
}

impl Redis {
    /// The Redis at `url`, to be told more; the forms of an URL stand at [`Redis::connect`].
    pub fn builder(url: &str) -> RedisBuilder {
        RedisBuilder::new(Address::url(url))
    }

    /// The Redis at `host` and `port`, to be told more: with nothing to be escaped, as there is in an URL.
    pub fn at(host: &str, port: u16) -> RedisBuilder {
        let address = (host, port).into_connection_info().map_err(|error| error.to_string());
        RedisBuilder::new(Address::One(Box::new(address)))
    }

    /// Uses a connection that the program has already: a `MultiplexedConnection` or, better, a `ConnectionManager` of the
    /// crate redis 1.8. Not one to a Cluster.
    ///
    /// It stays the program's. So larder cannot make it anew: one that heals by itself, as a `ConnectionManager` does, is
    /// used again when it has healed; any other is lost when it breaks. Its own response timeout (of redis-rs, half a
    /// second) holds beside larder's. Where it breaks with writes under way, larder forgets everything in its namespace,
    /// as it cannot have that connection closed to know that they are not done later.
    ///
    /// It lives on the runtime that it was made on. Where that has one thread, replies must be awaited: a thread that
    /// `wait()`s for them there stops the connection, which ends in an error that says so.
    ///
    /// ```no_run
    /// # async fn example(client: redis::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use larder::Redis;
    ///
    /// let connection = client.get_multiplexed_async_connection().await?;
    /// let redis = Redis::over(connection).connect().await?;
    /// # let _ = redis;
    /// # Ok(())
    /// # }
    /// ```
    pub fn over(connection: impl ConnectionLike + Clone + Send + 'static) -> RedisBuilder {
        RedisBuilder::new(Address::Given(Given::new(connection)))
    }

    /// The Redis that the sentinels at `urls` name as the master of `service` (feature `redis-sentinel`).
    ///
    /// User and password in these URLs are those of the sentinels; those of Redis itself, and the number of its database,
    /// are told to the builder. Redis is spoken with by TLS if the sentinels are (`rediss://`).
    ///
    /// All sentinels are asked, and the answer of the latest election counts, once the server that it names says itself
    /// that it is a master. While connected, one of them is asked every second whether it still is; that, a broken
    /// connection and the answer `READONLY` make larder ask all of them again. When the server is another one than
    /// before, everything is forgotten: a failover can lose invalidations that the old master had acknowledged.
    ///
    /// ```no_run
    /// # async fn example() -> larder::Result<()> {
    /// use larder::Redis;
    ///
    /// let sentinels = ["redis://10.0.0.1:26379", "redis://10.0.0.2:26379", "redis://10.0.0.3:26379"];
    /// let redis = Redis::sentinel(&sentinels, "mymaster").password("secret").connect().await?;
    /// # let _ = redis;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "sentinel")]
    pub fn sentinel(urls: &[&str], service: &str) -> RedisBuilder {
        RedisBuilder::new(Address::Sentinels(Address::urls(urls), service.into()))
    }

    /// The Redis Cluster that the servers at `urls` belong to; one is enough, more are tried if it is down (feature
    /// `redis-cluster`). User and password are the same for all servers.
    ///
    /// It is in use while each of its primaries answers: as long as one does not, nothing is read or stored, and loads
    /// run as without a cache.
    ///
    /// ```no_run
    /// # async fn example() -> larder::Result<()> {
    /// use larder::Redis;
    ///
    /// let redis = Redis::cluster(&["redis://10.0.0.1/", "redis://10.0.0.2/"]).connect().await?;
    /// # let _ = redis;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "cluster")]
    pub fn cluster(urls: &[&str]) -> RedisBuilder {
        RedisBuilder::new(Address::Cluster(Address::urls(urls)))
    }
}

impl RedisBuilder {
    fn new(address: Address) -> Self {
        Self {
            address,
            login: Login::default(),
            provider: None,
            namespace: String::new(),
            client: None,
            connect: Duration::from_millis(500),
            response: Duration::from_millis(500),
            operation: Duration::from_secs(2),
            queue: 10_000,
            hold: Duration::from_secs(600),
            max_value: 16 << 20,
            codec: Codec::default(),
            #[cfg(feature = "compression")]
            compress_above: None,
            #[cfg(feature = "simulated")]
            streams: Streams::default(),
        }
    }

    /// The number of the database; the URL's, or 0, if not told otherwise.
    #[must_use]
    pub fn database(mut self, number: u32) -> Self {
        self.login.database = Some(number);
        self
    }

    /// The user to log in as; the URL's, or the default user, if not told otherwise.
    #[must_use]
    pub fn username(mut self, name: impl Into<Box<str>>) -> Self {
        self.login.username = Some(name.into());
        self
    }

    /// The password to log in with; the URL's, or none, if not told otherwise.
    #[must_use]
    pub fn password(mut self, password: impl Into<Box<str>>) -> Self {
        self.login.password = Some(password.into());
        self
    }

    /// Asks for the credentials each time a connection is made: for tokens that change. A connection that stands is not
    /// told new ones; where the server ends it because its token has, the next one has a new token.
    ///
    /// The function runs on larder's own runtime, of one thread, and must be done within the connect timeout. It must
    /// not block: what blocks belongs into `spawn_blocking` there. An error or a panic of it is a failed attempt, shown
    /// with its text by `health()`, and tried again.
    ///
    /// ```no_run
    /// # async fn example() -> larder::Result<()> {
    /// use larder::{Credentials, Redis};
    ///
    /// // One that needs nothing awaited:
    /// let from_variable = || async { std::env::var("TOKEN").map(Credentials::password) };
    /// let redis = Redis::builder("rediss://cache.example/").credentials(from_variable).connect().await?;
    /// # let _ = redis;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn credentials<F, E>(mut self, ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = std::result::Result<Credentials, E>> + Send + 'static,
        E: Into<Box<dyn error::Error + Send + Sync>>,
    {
        self.provider = Some(Provider::new(ask));
        self
    }

    /// The certificate authorities to trust, as PEM; those of the system if not told otherwise. For `rediss://` only
    /// (feature `tls`).
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.login.tls.ca = Some(pem.into());
        self
    }

    /// The certificate to show to the server, with those that sign it, and its private key, as PEM. For `rediss://` only
    /// (feature `tls`).
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn client_certificate(mut self, pem: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.login.tls.client = Some((pem.into(), key.into()));
        self
    }

    /// Caches of different namespaces do not see each other; `clear` in one is constant work, and touches no other. A
    /// namespace within it is had by [`Redis::within`].
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// What `CLIENT LIST` calls its connection; `larder:` and the namespace (`-` without one) if not told otherwise. What is
    /// no visible ASCII becomes `_`. A connection that was handed in keeps the name that it has; the second one, which there is
    /// while others' loads are waited for, has none.
    #[must_use]
    pub fn client_name(mut self, name: impl Into<String>) -> Self {
        self.client = Some(name.into());
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
    /// is invalidated instead; also where it takes more than three seconds to deliver them.
    #[must_use]
    pub fn max_queued(mut self, invalidations: usize) -> Self {
        self.queue = invalidations.max(1);
        self
    }

    /// How long a load may take at most, not less than a second; ten minutes by default. What takes longer is not stored.
    #[must_use]
    pub fn max_load(mut self, time: Duration) -> Self {
        self.hold = time;
        self
    }

    /// How many bytes a value may have as it is sent: encoded, and compressed if it is. 16 MiB (16 777 216) by default, and
    /// not more than Redis takes, 512 MB. A larger one is refused, with
    /// [`TooLarge`](cache_core::ErrorKind::TooLarge), before anything of it is sent, and what stands under its key is
    /// removed; the value of a load goes to its callers all the same.
    ///
    /// There is one connection: while a large value is on its way, everything else waits. One that takes longer than the
    /// [`response_timeout`](Self::response_timeout) breaks the connection for all, so raise both or neither.
    #[must_use]
    pub fn max_value(mut self, bytes: usize) -> Self {
        self.max_value = bytes;
        self
    }

    /// How values are encoded that are stored from now on; `Codec::Postcard` if not told otherwise. `Codec::Json` (feature
    /// `json`) is for types that do not say in their `Serialize` all that their `Deserialize` asks for, as with
    /// `#[serde(flatten)]`, `untagged` and `skip_serializing_if`, and for entries that other languages read.
    ///
    /// What is there already stays readable: every reader knows all codecs that it was built with.
    #[must_use]
    pub fn codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// Compresses encoded values of more than so many bytes, where that makes them smaller; 4096 if not told otherwise,
    /// `usize::MAX` for none (feature `compression`).
    #[cfg(feature = "compression")]
    #[must_use]
    pub fn compress_above(mut self, bytes: usize) -> Self {
        self.compress_above = Some(bytes);
        self
    }

    fn format(&self) -> Format {
        let format = Format::new(self.codec);
        #[cfg(feature = "compression")]
        if let Some(bytes) = self.compress_above {
            return format.compress_above(bytes);
        }
        format
    }

    /// See [`Redis::connect`]. Where the future is dropped, nothing is left behind.
    ///
    /// # Errors
    /// As of [`Redis::connect`], and `InvalidConfig` for a namespace that is longer than 256 bytes, or holds a `:` or a
    /// control character; for a timeout of zero, or a `max_load` below one second; for certificates that are not PEM, or given without `rediss://`; and for credentials or a
    /// database told to a connection that was handed in.
    pub async fn connect(self) -> Result<Redis> {
        let format = self.format();
        let Self {
            address,
            mut login,
            provider,
            namespace,
            client,
            connect,
            response,
            operation,
            queue,
            hold,
            max_value,
            #[cfg(feature = "simulated")]
            streams,
            ..
        } = self;
        let invalid = |message: String| Error::new(ErrorKind::InvalidConfig, message);
        if matches!(address, Address::Given(_)) && provider.is_some() {
            return Err(invalid(Login::TOLD_TO_GIVEN.to_owned()));
        }
        login.asks = provider.is_some();
        let place = Place::find(address, login).map_err(invalid)?;
        check_namespace(&namespace)?;
        for (name, timeout) in [("connect", connect), ("response", response), ("operation", operation)] {
            if timeout.is_zero() {
                return Err(invalid(format!("{name}_timeout cannot be zero: nothing would ever be in time")));
            }
        }
        if hold < LEAST_LOAD {
            return Err(invalid(format!("max_load of {hold:?} is too short: it is at least one second")));
        }
        let [connect, response, operation, hold] =
            [connect, response, operation, hold].map(|time| time.min(DAY));
        let dial = Dial {
            limit: connect,
            provider,
            #[cfg(feature = "simulated")]
            streams,
        };
        let settings = Settings {
            place,
            dial,
            namespace,
            client,
            response,
            operation,
            queue,
            hold,
            max_value: max_value.min(REDIS_TAKES),
        };
        let redis = Redis::start(settings, format)?;
        let first = redis.shared.io.run(None, |link| async move {
            link.settle().await;
            Ok(())
        });
        // The thread lives as long as the handle, so there is an answer.
        let _ = first.await;
        Ok(redis)
    }
}

impl fmt::Debug for RedisBuilder {
    /// Without the address, which has the password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBuilder").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}
