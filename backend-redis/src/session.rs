//! One connection in use: sends batches, in bounded time, and knows which epoch it is in.

use std::rc::Rc;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};
use tokio::time::timeout;

use crate::batch::{Answers, Batch, bytes};
use crate::failure::{Failure, reason};
use crate::link::Link;
use crate::order::{Order, new_epoch};

pub(crate) struct Session {
    pub(crate) link: Rc<Link>,
    pub(crate) connection: MultiplexedConnection,
    pub(crate) life: u64,
}

/// What Redis says when it is not to be used for a while.
const UNFIT: [&str; 6] = ["LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH", "MISCONF"];

impl Session {
    /// Sends the commands and waits for the answers. A failure of the connection is everybody's.
    pub(crate) async fn send(&self, batch: &Batch) -> Result<Answers, Failure> {
        let values = self.round_trip(batch).await;
        let values = match values {
            Ok(values) => values,
            Err(failure) => {
                if let Failure::Lost(why) | Failure::Down(why) = &failure {
                    self.link.lose(self.life, why);
                }
                return Err(failure);
            }
        };
        for value in &values {
            if let Value::ServerError(error) = value
                && UNFIT.contains(&error.code())
            {
                let failure = Failure::from(error.clone());
                if let Failure::Refused(why) = &failure {
                    self.link.lose(self.life, why);
                }
                return Err(failure);
            }
        }
        Ok(Answers::new(values))
    }

    async fn round_trip(&self, batch: &Batch) -> Result<Vec<Value>, Failure> {
        let mut values = self.exchange(batch).await?;
        for (at, script) in &batch.scripts {
            let lost =
                matches!(values.get(*at), Some(Value::ServerError(error)) if error.code() == "NOSCRIPT");
            if let Some(command) = batch.pipeline.cmd_iter().nth(*at).filter(|_| lost) {
                let mut again = Batch::default();
                again.read(Cmd::new().arg("SCRIPT").arg("LOAD").arg(script.source()).to_owned());
                again.write(command.clone());
                if let Some(value) = self.exchange(&again).await?.into_iter().nth(1) {
                    values[*at] = value;
                }
            }
        }
        Ok(values)
    }

    async fn exchange(&self, batch: &Batch) -> Result<Vec<Value>, Failure> {
        let limit = self.link.settings.response;
        let mut connection = self.connection.clone();
        let sent = connection.send_packed_commands(&batch.pipeline, 0, batch.pipeline.len());
        // Until it is answered nobody knows what becomes of it, also where this is dropped.
        let unknown = self.link.unknown.replace(self.link.unknown.get() || batch.writes);
        let failure = match timeout(limit, sent).await {
            Ok(Ok(values)) => {
                self.link.unknown.set(unknown);
                return Ok(values);
            }
            Ok(Err(error)) => Failure::Lost(reason(&error)),
            Err(_) => Failure::late(limit),
        };
        Err(failure)
    }

    /// Runs `operation` with the epoch as it is thought to be, until the order that it read on its way says the same.
    ///
    /// What it did in an epoch that is over, nobody sees: it is to be done again.
    pub(crate) async fn in_epoch<T>(
        &self,
        operation: impl AsyncFn(u64) -> Result<(Option<Order>, T), Failure>,
    ) -> Result<T, Failure> {
        for _ in 0..8 {
            let epoch = self.epoch().await?;
            let (order, output) = operation(epoch).await?;
            match order {
                Some(order) if order.epoch == epoch => return Ok(output),
                order => self.link.epoch.set(order.map_or(0, |order| order.epoch)),
            }
        }
        // Somebody clears it faster than it can be read.
        Err(Failure::Odd)
    }

    /// The epoch as it was last seen; a new one where there is none.
    async fn epoch(&self) -> Result<u64, Failure> {
        if self.link.epoch.get() == 0 {
            let name = self.link.names.order();
            let mut batch = Batch::default();
            // Not `SET NX GET`, which Redis knows since 7.0 only.
            batch.read(redis::cmd("GET").arg(&name).to_owned());
            let found = self.send(&batch).await?.next()?;
            let order = match order(found)? {
                Some(order) => Some(order),
                None => {
                    let mut batch = Batch::default();
                    let new = format!("{} 0", new_epoch());
                    batch.write(redis::cmd("SET").arg(&name).arg(new).arg("NX").to_owned());
                    batch.read(redis::cmd("GET").arg(&name).to_owned());
                    let mut answers = self.send(&batch).await?;
                    answers.next()?;
                    order(answers.next()?)?
                }
            };
            self.link.epoch.set(order.ok_or(Failure::Odd)?.epoch);
        }
        Ok(self.link.epoch.get())
    }

    /// The command that reads the order.
    pub(crate) fn read_order(&self) -> Cmd {
        redis::cmd("GET").arg(self.link.names.order()).to_owned()
    }
}

/// The order as it was read; `None` if there is none.
///
/// # Errors
/// Somebody else has written there.
pub(crate) fn order(value: Value) -> Result<Option<Order>, Failure> {
    match bytes(value)? {
        None => Ok(None),
        Some(text) => Order::parse(&text).map(Some).ok_or(Failure::Odd),
    }
}
