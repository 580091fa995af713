//! Connections over streams that somebody else makes, used on the thread that makes the handle: for larder's simulation,
//! which has a network and a time of its own, and one thread. Not for programs, and not a stable interface.

use std::io;
use std::sync::Arc;

use cache_core::BoxFuture;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ConnectionInfo, RedisResult};
use tokio::io::DuplexStream;
use tokio::task::spawn_local;

use crate::builder::RedisBuilder;

/// What makes a stream to a server, by its address, each time it is called.
pub type Dialer = dyn Fn(&str) -> BoxFuture<'static, io::Result<DuplexStream>> + Send + Sync;

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct Streams(Option<Arc<Dialer>>);

impl RedisBuilder {
    /// Reaches servers over the streams that `dial` makes. To be connected within a `LocalSet`: no thread is started,
    /// everything is done by tasks of that set.
    #[doc(hidden)]
    #[must_use]
    pub fn simulated(mut self, dial: Arc<Dialer>) -> Self {
        self.streams = Streams(Some(dial));
        self
    }
}

impl Streams {
    /// Whether there is no other thread, and no other way to a server.
    pub(crate) fn are_all_there_is(&self) -> bool {
        self.0.is_some()
    }

    /// One more connection, if they are.
    pub(crate) async fn reach(
        &self,
        info: &ConnectionInfo,
        config: &AsyncConnectionConfig,
    ) -> Option<RedisResult<MultiplexedConnection>> {
        let stream = match (self.0.as_ref()?)(&info.addr().to_string()).await {
            Ok(stream) => stream,
            Err(error) => return Some(Err(error.into())),
        };
        let made =
            MultiplexedConnection::new_with_config(info.redis_settings(), stream, config.clone()).await;
        Some(made.map(|(connection, driver)| {
            spawn_local(driver);
            connection
        }))
    }
}
