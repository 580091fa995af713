//! Where the Redis is, and how one gets a connection to it.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, ProtocolVersion, PushInfo};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

#[cfg(feature = "cluster")]
use crate::connect::cluster::Seeds;
use crate::connect::credentials::Provider;
use crate::connect::given::Given;
use crate::connect::line::{Line, One};
#[cfg(feature = "sentinel")]
use crate::connect::sentinel::Sentinels;
#[cfg(feature = "simulated")]
use crate::connect::simulated::Streams;
use crate::io::failure::{Failure, reason};

/// Who hears what a server says that was not asked for.
pub(crate) type Ears = UnboundedSender<PushInfo>;

#[derive(Clone)]
pub(crate) enum Place {
    /// At an address.
    At(Box<ConnectionInfo>),
    /// At the other end of a connection that the program made.
    Given(Given),
    /// Where the sentinels say.
    #[cfg(feature = "sentinel")]
    Watched(Sentinels),
    /// On all servers of a cluster.
    #[cfg(feature = "cluster")]
    Spread(Seeds),
}

/// What is the same for every connection that is made.
#[derive(Clone)]
pub(crate) struct Dial {
    /// How long one may take to stand.
    pub(crate) limit: Duration,
    pub(crate) provider: Option<Provider>,
    #[cfg(feature = "simulated")]
    pub(crate) streams: Streams,
}

impl Place {
    /// A connection, on which `ears` hear what the server says of itself.
    pub(crate) async fn connect(&self, dial: &Dial, ears: Ears) -> Result<Line, Failure> {
        match self {
            Self::At(info) => dial.log_in((**info).clone(), ears).await.map(Line::One),
            Self::Given(given) => Ok(Line::Given(given.clone())),
            #[cfg(feature = "sentinel")]
            Self::Watched(sentinels) => sentinels.connect(dial, ears).await.map(Line::One),
            #[cfg(feature = "cluster")]
            Self::Spread(seeds) => seeds.connect(dial, ears).await.map(Line::Spread),
        }
    }

    /// One more connection, on which `ears` hear what is published.
    pub(crate) async fn listen(&self, dial: &Dial, ears: Ears) -> Result<MultiplexedConnection, Failure> {
        let info = match self {
            Self::At(info) => (**info).clone(),
            Self::Given(_) => {
                return Err(Failure::Down("a connection was handed in, and is the only one".into()));
            }
            #[cfg(feature = "sentinel")]
            Self::Watched(sentinels) => sentinels.master()?,
            #[cfg(feature = "cluster")]
            Self::Spread(seeds) => seeds.any(),
        };
        dial.listen(dial.complete(info).await?, ears).await
    }

    /// Whether names are spread over servers, by their slots.
    pub(crate) fn is_spread(&self) -> bool {
        #[cfg(feature = "cluster")]
        return matches!(self, Self::Spread(_));
        #[cfg(not(feature = "cluster"))]
        false
    }

    /// Whether it may be another server some time, though nothing is lost.
    pub(crate) fn may_move(&self) -> bool {
        #[cfg(feature = "sentinel")]
        return matches!(self, Self::Watched(_));
        #[cfg(not(feature = "sentinel"))]
        false
    }

    /// Whether the one who is connected should connect anew, though nothing is lost; and why.
    pub(crate) async fn has_moved(&self, dial: &Dial) -> Option<String> {
        match self {
            #[cfg(feature = "sentinel")]
            Self::Watched(sentinels) => sentinels.have_another(dial).await,
            _ => {
                let _ = dial;
                None
            }
        }
    }
}

impl Dial {
    /// A connection for everything, with the credentials that are good now.
    pub(crate) async fn log_in(&self, info: ConnectionInfo, ears: Ears) -> Result<One, Failure> {
        let info = self.complete(info).await?;
        match self.listen(info.clone(), ears).await {
            // A proxy may know the older protocol alone, or a user be allowed no other: then nothing is told.
            Err(Failure::Down(why)) if why.contains("NOPROTO") || why.to_lowercase().contains("hello") => {
                Ok(One { connection: self.dial(info).await?, hears: false })
            }
            connection => Ok(One { connection: connection?, hears: true }),
        }
    }

    /// `info`, with the credentials that are good now.
    pub(crate) async fn complete(&self, info: ConnectionInfo) -> Result<ConnectionInfo, Failure> {
        let late = |_| Failure::Down(format!("the credentials function gave none within {:?}", self.limit));
        match &self.provider {
            Some(provider) => timeout(self.limit, provider.complete(info)).await.map_err(late)?,
            None => Ok(info),
        }
    }

    /// A connection, with the credentials that stand in `info`.
    pub(crate) async fn dial(&self, info: ConnectionInfo) -> Result<MultiplexedConnection, Failure> {
        self.reach(info, AsyncConnectionConfig::new()).await
    }

    async fn listen(&self, info: ConnectionInfo, ears: Ears) -> Result<MultiplexedConnection, Failure> {
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let config = AsyncConnectionConfig::new().set_push_sender(ears);
        self.reach(info.set_redis_settings(settings), config).await
    }

    async fn reach(
        &self,
        info: ConnectionInfo,
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, Failure> {
        // The response timeout is ours, in `Session::exchange`.
        let config = config.set_connection_timeout(Some(self.limit));
        let config = config.set_response_timeout(None).set_pipeline_buffer_size(4096);
        // What is pipelined must not wait for what was sent before to be acknowledged.
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        let client =
            Client::open(info.set_tcp_settings(tcp)).map_err(|error| Failure::Down(reason(&error)))?;
        let connection = async {
            #[cfg(feature = "simulated")]
            if let Some(made) = self.streams.reach(client.get_connection_info(), &config).await {
                return made;
            }
            client.get_multiplexed_async_connection_with_config(&config).await
        };
        match timeout(self.limit, connection).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(Failure::Down(reason(&error))),
            Err(_) => Err(Failure::Down(format!("no connection within {:?}", self.limit))),
        }
    }
}
