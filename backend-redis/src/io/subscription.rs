//! A channel that is heard, over a connection of its own.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, Value};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::io::failure::{Failure, reason};
use crate::io::link::Link;

/// See the module. It ends when this is dropped.
pub(crate) struct Subscription {
    heard: mpsc::UnboundedReceiver<PushInfo>,
    _connection: MultiplexedConnection,
}

fn lost() -> Failure {
    Failure::Lost("the connection for notices is lost".to_owned())
}

impl Subscription {
    /// From now on all that is published there is heard.
    pub(crate) async fn begin(link: &Link, channel: String) -> Result<Self, Failure> {
        let settings = &link.settings;
        let (mouth, heard) = mpsc::unbounded_channel();
        let mut connection = settings.place.listen(&settings.dial, mouth).await?;
        let subscribed = timeout(settings.response, connection.subscribe(channel)).await;
        subscribed.map_err(|_| lost())?.map_err(|error| Failure::Lost(reason(&error)))?;
        Ok(Self { heard, _connection: connection })
    }

    /// The next message; `None` if there is none for so long.
    pub(crate) async fn next(&mut self, within: Duration) -> Result<Option<Vec<u8>>, Failure> {
        let next = async {
            loop {
                match self.heard.recv().await {
                    Some(PushInfo { kind: PushKind::Message, mut data }) => match data.pop() {
                        Some(Value::BulkString(text)) => return Ok(text),
                        _ => return Err(Failure::Odd),
                    },
                    Some(push) if push.kind != PushKind::Disconnection => {}
                    _ => return Err(lost()),
                }
            }
        };
        timeout(within, next).await.map_or(Ok(None), |text| text.map(Some))
    }
}
