//! One connection in use: sends batches, in bounded time, and knows which epoch it is in.

use std::rc::Rc;

use redis::{Cmd, Value};
use tokio::time::{Instant, timeout};

use crate::connect::line::Line;
use crate::io::batch::{Answers, Batch, bytes};
use crate::io::failure::{Failure, reason};
use crate::io::link::Link;
use crate::stored::order::{Order, new_epoch};
use crate::stored::script::RENEW;

pub(crate) struct Session {
    pub(crate) link: Rc<Link>,
    pub(crate) connection: Line,
    pub(crate) life: u64,
}

/// Commands of which nobody knows what becomes of them, until they are answered; also where nobody waits any more.
struct SentOff<'l> {
    link: &'l Link,
    /// Whether one of them may have changed something, for all that is known.
    writes: bool,
}

impl<'l> SentOff<'l> {
    fn new(link: &'l Link, batch: &Batch) -> Self {
        let writes = usize::from(batch.writes);
        link.unanswered.set(link.unanswered.get() + writes);
        Self { link, writes: batch.writes }
    }

    fn answered(mut self) {
        self.link.unanswered.set(self.link.unanswered.get() - usize::from(self.writes));
        self.writes = false;
    }
}

impl Drop for SentOff<'_> {
    fn drop(&mut self) {
        if self.writes {
            self.link.unanswered.set(self.link.unanswered.get() - 1);
            self.link.unknown.set(true);
        }
    }
}

/// What Redis says when it is not to be used for a while.
const UNFIT: [&str; 8] =
    ["LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH", "MISCONF", "MOVED", "ASK"];

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
        Ok(Answers::new(batch, values))
    }

    async fn round_trip(&self, batch: &Batch) -> Result<Vec<Value>, Failure> {
        let mut values = self.exchange(batch).await?;
        for (at, script) in &batch.scripts {
            let lost =
                matches!(values.get(*at), Some(Value::ServerError(error)) if error.code() == "NOSCRIPT");
            if let Some(command) = batch.pipeline.cmd_iter().nth(*at).filter(|_| lost) {
                let mut again = Batch::default();
                again.read(script.load());
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
        let (mut connection, began) = (self.connection.clone(), Instant::now());
        let sent = connection.send(batch);
        let sent_off = SentOff::new(&self.link, batch);
        let lost = |why: String| Failure::Lost(why + self.connection.advice());
        match timeout(limit, sent).await {
            Ok(Ok(values)) => {
                sent_off.answered();
                // Of many servers, one says nothing of the others.
                if !self.connection.is_spread() {
                    self.link.hears_since(began);
                }
                Ok(values)
            }
            Ok(Err(error)) => Err(lost(reason(&error))),
            Err(_) => Err(lost(format!("no answer within {limit:?}"))),
        }
    }

    /// Runs `operation` with the epoch as it is thought to be, until the order that it read on its way says the same.
    ///
    /// What it did in an epoch that is over, nobody sees: it is to be done again.
    pub(crate) async fn in_epoch<T>(
        &self,
        operation: impl AsyncFn(u64) -> Result<(Option<Order>, T), Failure>,
    ) -> Result<T, Failure> {
        let faster =
            || Failure::Refused("others clear the namespace faster than this can be done".to_owned());
        self.while_epochs_pass(operation).await?.ok_or_else(faster)
    }

    /// The same; `None`: each time another epoch had begun meanwhile.
    async fn while_epochs_pass<T>(
        &self,
        operation: impl AsyncFn(u64) -> Result<(Option<Order>, T), Failure>,
    ) -> Result<Option<T>, Failure> {
        for _ in 0..8 {
            let epoch = self.epoch().await?;
            let (order, output) = operation(epoch).await?;
            match order {
                Some(order) if order.epoch == epoch => return Ok(Some(output)),
                order => self.link.epoch.set(order.map_or(0, |order| order.epoch)),
            }
        }
        Ok(None)
    }

    /// The same for what removes: where there is no epoch, nothing is there. But others may have in memory what a Redis that is
    /// full did not take, so they are told.
    pub(crate) async fn in_epoch_if_any(
        &self,
        strike: impl AsyncFn(u64) -> Result<(Option<Order>, ()), Failure>,
    ) -> Result<(), Failure> {
        let strike = async |epoch| match strike(epoch).await? {
            (None, ()) => Ok((Some(Order { epoch, sequence: 0 }), false)),
            (order, ()) => Ok((order, true)),
        };
        let is_any = self.link.epoch.get() != 0 || self.ordered(|_| {}).await?.0.is_some();
        // Where epochs have begun since this was called, nothing is left of what was there before it.
        if is_any && self.while_epochs_pass(strike).await?.unwrap_or(true) {
            return Ok(());
        }
        let mut batch = self.batch();
        batch.write(self.link.names.touch_newest());
        if self.send(&batch).await?.next_number()? > 0 {
            return Ok(());
        }
        // That has been evicted, too. Whoever writes it anew tells; where there is no room for it, nobody can.
        match self.renew(true).await {
            Ok(_) | Err(Failure::Refused(_)) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// The epoch as it was last seen; a new one where there is none.
    async fn epoch(&self) -> Result<u64, Failure> {
        if self.link.epoch.get() == 0 {
            let order = match self.ordered(|_| {}).await?.0 {
                Some(order) => order,
                None => self.renew(true).await?.1,
            };
            self.link.epoch.set(order.epoch);
        }
        Ok(self.link.epoch.get())
    }

    /// Begins a new epoch, `only_if_missing` where there is no order; the one before, and the one that is.
    pub(crate) async fn renew(&self, only_if_missing: bool) -> Result<(Option<Order>, Order), Failure> {
        let names = &self.link.names;
        let mut batch = self.batch();
        let only: &[u8] = if only_if_missing { b"x" } else { b"" };
        batch.script(
            &RENEW,
            &[&names.order(), &names.recent(), &names.newest()],
            &[new_epoch(self.link.server.get()).as_bytes(), only],
        );
        let mut orders = self.send(&batch).await?.next_list()?.into_iter();
        let mut next = || bytes(orders.next().ok_or(Failure::Odd)?);
        let before = next()?.and_then(|text| Order::parse(&text));
        let now = next()?.and_then(|text| Order::parse(&text)).ok_or(Failure::Odd)?;
        self.link.epoch.set(now.epoch);
        Ok((before, now))
    }

    /// Sends what `fill` adds, behind the command that reads the order; the order, and the answers to the rest.
    pub(crate) async fn ordered(
        &self,
        fill: impl FnOnce(&mut Batch),
    ) -> Result<(Option<Order>, Answers), Failure> {
        let mut batch = self.batch();
        batch.read(self.read_order());
        fill(&mut batch);
        let mut answers = self.send(&batch).await?;
        Ok((order(answers.next()?)?, answers))
    }

    /// An empty batch, for names that stand where this connection leads.
    pub(crate) fn batch(&self) -> Batch {
        Batch { apart: self.connection.is_spread(), ..Batch::default() }
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
