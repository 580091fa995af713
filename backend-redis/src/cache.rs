//! The contract of a backend, each operation as work for the thread that speaks with Redis.

use std::future::Future;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use cache_core::wire::{self, Decoded, Envelope};
use cache_core::{
    Cache, Coherence, Connection, Ended, Entry, Error, ErrorKind, Fence, Kind, Lease, Lifetime, Listener,
    Named, Notices, Origin, Reply, Result, Set, Stored, Strength, Target, Tier, Token, Usage, Value,
};
use tokio::time::{Instant, sleep};

use crate::handle::{Redis, Shared};
use crate::io::failure::{Failure, unused, within};
use crate::io::flood::Wave;
use crate::io::link::Link;
use crate::io::notices;
use crate::io::queue::Strike;
use crate::io::session::Session;
use crate::operation::lease::{self, Ask, Asked, Left};
use crate::operation::read::{Found, integer};
use crate::operation::strike;
use crate::operation::write::{self, NoSum, Parcel};
use crate::operation::{acked, fleet};
use crate::stored::slot::{State, millis};

/// What the thread owes.
type Owed<T> = tokio::sync::oneshot::Receiver<std::result::Result<T, Failure>>;

/// What is queued where an invalidation is not delivered, and where a value is not stored.
const IT: &str = "it is";
const ITS_INVALIDATION: &str = "the value is not stored, and that the old one is void is";

/// An error of what was not done, after [`strike::or_queue`]; what is queued of it.
fn not_done(failure: Failure, what: &str, of_it: &str) -> Error {
    if let Failure::Refused(_) = failure {
        let error = failure.into_error(what);
        return Error::new(error.kind(), format!("{error}; what stood there has been removed"));
    }
    let why = failure.words();
    let message = format!(
        "{what}: {of_it} queued, and this process reads nothing from Redis until that has it ({why})"
    );
    Error::new(ErrorKind::Queued, message)
}

impl Redis {
    /// Refuses what is too much, and all while what was invalidated may still be there.
    fn check_room(&self, what: impl FnOnce() -> String) -> Result<()> {
        if self.shared.io.is_full() || self.shared.flood.is_on() {
            let failure = Failure::Down("too many operations are under way".to_owned());
            return Err(failure.into_error(&what()));
        }
        Ok(())
    }

    /// Does `work` with a connection; an error says `what` was tried.
    fn with<T, F>(&self, what: String, work: impl FnOnce(Session) -> F + Send + 'static) -> Reply<'_, T>
    where
        T: Send + 'static,
        F: Future<Output = std::result::Result<T, Failure>> + 'static,
    {
        if let Err(error) = self.check_room(|| what.clone()) {
            return Reply::error(error);
        }
        let work = |link: Rc<Link>| async move { work(link.session().await?).await };
        let owed = self.shared.io.run(Some(self.shared.operation), work);
        Reply::Pending(Box::pin(
            async move { self.told(owed).await.map_err(|failure| failure.into_error(&what)) },
        ))
    }

    /// What came of it. What Redis refuses, `health` tells for a while.
    async fn told<T>(&self, owed: Owed<T>) -> std::result::Result<T, Failure> {
        let gone = || Failure::Down("the thread that speaks with it has ended".to_owned());
        let told = owed.await.unwrap_or_else(|_| Err(gone()));
        if let Some(why) = told.as_ref().err().and_then(Failure::refused_in_general) {
            self.shared.io.common.status.lock().refused = Some((Instant::now(), why.to_owned()));
        }
        told
    }

    /// Reads `key`, and makes something `of` what is found; an error says what the `verb` was.
    fn read<'a, T: 'a>(
        &'a self,
        verb: &'static str,
        key: &str,
        of: impl FnOnce(&str, Found) -> Result<T> + Send + 'a,
    ) -> Reply<'a, T> {
        let key: Box<str> = key.into();
        if let Err(error) = self.check_room(|| format!("{verb} {key:?}")) {
            return Reply::error(error);
        }
        let owed = self.shared.io.read(key.clone());
        Reply::Pending(Box::pin(async move {
            match self.told(owed).await {
                Ok(found) => of(&key, found),
                Err(failure) => Err(failure.into_error(&format!("{verb} {key:?}"))),
            }
        }))
    }

    /// Invalidates: where Redis does not get it, it waits in the queue, and nothing is read until it has been delivered.
    /// Where too many wait to be sent, everything is invalidated instead, and nothing is read until that is done.
    fn strike<T, F>(
        &self,
        (what, of_it): (String, &'static str),
        strike: Strike,
        work: impl FnOnce(Session) -> F + Send + 'static,
    ) -> Reply<'_, T>
    where
        T: Send + 'static,
        F: Future<Output = std::result::Result<T, Failure>> + 'static,
    {
        if self.shared.io.is_flooded() {
            if let Some(wave) = self.shared.flood.join() {
                self.strike_everything(wave);
            }
            let why = "too many invalidations are under way: it is of everything now";
            return Reply::error(not_done(Failure::Down(why.to_owned()), &what, of_it));
        }
        // A scan looks at all there is, and may take its time: each of its steps is bounded.
        let limit = match strike.0 {
            Named::Pattern(_) => None,
            Named::All if strike.1 == Strength::MarkStale => None,
            _ => Some(self.shared.operation),
        };
        let owed = self.shared.io.run(None, move |link| done_or_queued(link, strike, limit, work));
        Reply::Pending(Box::pin(async move {
            self.told(owed).await.map_err(|failure| not_done(failure, &what, of_it))
        }))
    }

    /// Invalidates everything, in the place of what comes until that begins.
    fn strike_everything(&self, wave: Wave) {
        let limit = Some(self.shared.operation);
        drop(self.shared.io.run(None, async move |link| {
            wave.begins();
            let all = (Named::All, Strength::Remove);
            let again = all.clone();
            let work = async move |session: Session| strike::run(&session, &again).await;
            let done = done_or_queued(link, all, limit, work).await;
            // Nothing is read before: it is done, or the connection is down.
            drop(wave);
            done
        }));
    }

    /// Asks for a lease, which is given back if nobody waits for the answer any more.
    fn ask(&self, key: &str, ask: Ask) -> Reply<'_, Lease> {
        let (name, redis) = (Box::<str>::from(key), self.clone());
        let asked = self.with(format!("begin to load {key:?}"), async move |session| {
            Ok(match lease::ask(&session, &redis.shared.io.common.leases, &name, ask).await? {
                Asked::Mine(fence, fresh) => Ok((Granted { redis, key: name, fence: Some(fence) }, fresh)),
                Asked::Theirs(ended) => Err(ended),
            })
        });
        asked.and_then(|asked| match asked {
            // It has one until it is taken, once.
            Ok((mut granted, fresh)) => {
                let lease = if fresh { Lease::LookAgain } else { Lease::Mine };
                granted.fence.take().map(lease).ok_or_else(|| Failure::Odd.into_error("lease"))
            }
            Err(ended) => Ok(Lease::Theirs(ended)),
        })
    }

    /// Stores where there is nothing. It takes the place of nothing, so nothing is invalidated where it fails: what stands there
    /// is somebody else's.
    fn set_if_absent(&self, parcel: Parcel) -> Reply<'_, Stored> {
        self.with(format!("set {:?} if it is absent", parcel.key), async move |session| {
            let stored = write::store(&session, &parcel).await;
            session.link.tell(Target::Key(&parcel.key));
            stored
        })
    }

    /// Stores what one command stores; what it cannot store it invalidates.
    fn set_plainly(&self, parcel: Parcel) -> Reply<'_, Stored> {
        let key = parcel.key.clone();
        let owed = self.shared.io.set(parcel);
        Reply::Pending(Box::pin(async move {
            self.told(owed)
                .await
                .map_err(|failure| not_done(failure, &format!("set {key:?}"), ITS_INVALIDATION))
        }))
    }
}

#[deny(clippy::missing_trait_methods)]
impl Cache for Redis {
    fn fresh(&self, _: &str) -> Option<Value> {
        None
    }

    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.read("get", key, move |key, found| entry(&self.shared, key, found, kind))
    }

    fn confirmed(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.get(key, kind)
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.read("ttl or exists", key, |_, found| Ok(found.times().map(|(left, ..)| left)))
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        let room = match options.fence {
            None => self.check_room(|| format!("set {key:?}")),
            // A load's value is no change of anything.
            Some(_) => Ok(()),
        };
        let parcel = match room.and_then(|()| parcel(&self.shared, key, &value, &options)) {
            Ok(parcel) => parcel,
            // What is there was not to be replaced.
            Err(error) if options.if_absent => return Reply::error(error),
            // As an explicit write that cannot be done: the old value must not stay in its place.
            Err(error) => return self.delete(key).and_then(move |_| Err(error)),
        };
        if parcel.is_plain() {
            return self.set_plainly(parcel);
        }
        if parcel.if_absent {
            return self.set_if_absent(parcel);
        }
        let what = format!("set {key:?}");
        let shared = self.shared.clone();
        let Some(fence) = options.fence else {
            let strike = (Named::Key(key.into()), Strength::Remove);
            let what = (what, ITS_INVALIDATION);
            return self.strike(what, strike, async move |session| write::store(&session, &parcel).await);
        };
        self.with(what, async move |session| {
            let stored = write::store(&session, &parcel).await?;
            // What was refused still holds its place, and others may wait for it.
            let left = match stored {
                Stored::Yes => Left::Published(fence.lease, parcel.fresh, parcel.total, parcel.bytes()),
                _ => Left::Nothing,
            };
            if shared.io.common.leases.end(fence.lease, left) && stored == Stored::Fenced {
                // Where that cannot be said, they find out.
                let _ = lease::release(&session, &parcel.key, fence, Ended::Somehow).await;
            }
            Ok(stored)
        })
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        let (name, strike) = (Box::<str>::from(key), (Named::Key(key.into()), Strength::Remove));
        self.strike((format!("delete {key:?}"), IT), strike, async move |session| {
            write::delete(&session, &name).await
        })
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        let strike = (Named::from(target), strength);
        let what = match strength {
            Strength::Remove => format!("invalidate {}", target),
            Strength::MarkStale => format!("mark {} stale", target),
        };
        let again = strike.clone();
        self.strike((what, IT), strike, async move |session| strike::run(&session, &again).await)
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        let (name, ttl) = (Box::<str>::from(key), millis(ttl));
        self.with(format!("expire {key:?}"), async move |session| {
            let done = write::expire(&session, &name, ttl).await;
            session.link.tell(Target::Key(&name));
            done
        })
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        let (name, total) = (Box::<str>::from(key), millis(lifetime.fresh));
        let what = format!("incr {key:?} by {delta}");
        let sum =
            self.with(what.clone(), async move |session| write::incr(&session, &name, delta, total).await);
        sum.and_then(move |sum| {
            sum.map_err(|no_sum| match no_sum {
                NoSum::Overflow => {
                    let why = "beyond the range of i64; it stays as it was";
                    Error::new(ErrorKind::Overflow, format!("{what}: {why}"))
                }
                NoSum::NotAnInteger => {
                    let why = "it holds something other than an `i64`; delete it, or use another key";
                    Error::new(ErrorKind::NotAnInteger, format!("{what}: {why}"))
                }
            })
        })
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        self.ask(key, Ask::Fence).and_then(|lease| match lease {
            Lease::Mine(fence) | Lease::LookAgain(fence) => Ok(fence),
            Lease::Theirs(_) => unreachable!("a fence is granted whoever loads"),
        })
    }

    fn lease(&self, key: &str, retrying: bool) -> Reply<'_, Lease> {
        self.ask(key, if retrying { Ask::Retry } else { Ask::Lease })
    }

    fn release(&self, key: &str, fence: Fence) {
        self.settle(key, fence, Ended::Somehow);
    }

    fn settle(&self, key: &str, fence: Fence, ended: Ended) {
        if !self.shared.io.common.leases.end(fence.lease, Left::Nothing) {
            return;
        }
        let name = Box::<str>::from(key);
        // The place is free by itself after a while; nobody waits for this.
        drop(self.with(String::new(), async move |session| {
            // What was told while it ran was taken for its own doing, and it has put nothing in the place of that.
            session.link.listeners.any(|listener| listener.replaced(&name));
            lease::release(&session, &name, fence, ended).await
        }));
    }

    fn listen(&self, listener: Weak<dyn Listener>) -> Notices {
        // Before others know that it is there, it has nothing.
        listener.upgrade().into_iter().for_each(|listener| listener.assured(Duration::ZERO));
        // One cache alone: what it does itself it is not told.
        if !self.shared.io.common.listeners.add_first(listener.clone()) {
            self.shared.io.common.untold.add(listener);
            return Notices::Withheld;
        }
        // If it is connected, from now on; or else once it is. Each step of that is bounded; given up between two of them, it
        // would not be begun again before the next connection.
        drop(self.shared.io.run(None, notices::join));
        Notices::Given
    }

    fn acknowledged(&self) -> Reply<'_, ()> {
        const WHAT: &str = "wait until every node has handled a change, which is made";
        if let Err(error) = self.check_room(|| WHAT.to_owned()) {
            return Reply::error(error);
        }
        let owed = self.shared.io.run(None, async move |link| acked::acknowledged(&link).await);
        Reply::Pending(Box::pin(async move {
            match self.told(owed).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(many)) => {
                    let nodes = if many == 1 { "one node lives and has" } else { "some nodes live and have" };
                    let why = "is it overloaded, or its `cut_off_ttl` longer than here?";
                    let message = format!("{WHAT}: {nodes} not handled it in time ({many} of them): {why}");
                    Err(Error::new(ErrorKind::Timeout, message))
                }
                Err(failure) => Err(failure.into_error(WHAT)),
            }
        }))
    }

    fn token(&self) -> Reply<'_, Token> {
        self.with("take a token".to_owned(), async move |session| fleet::token(&session).await)
    }

    fn read_after(&self, token: &Token) -> Reply<'_, ()> {
        let common = &self.shared.io.common;
        let is_seen =
            |seen: &Token| seen.incarnation() == token.incarnation() && seen.number() >= token.number();
        // Where nobody is in front of it, Redis itself is read.
        let is_alone = || !common.listeners.any(|_| true) && !common.untold.any(|_| true);
        if common.seen.lock().as_ref().is_some_and(is_seen) || is_alone() {
            return Reply::ready(());
        }
        self.with(format!("read after {token}"), async move |session| fleet::catch_up(&session).await)
    }

    fn troubles(&self) -> Reply<'_, Vec<String>> {
        let connection = self.connection();
        let mut troubles = Vec::new();
        if let Some(why) = connection.trouble {
            troubles
                .push(format!("Redis {}: {why}; it is tried again every two seconds at most", unused(&why)));
        }
        troubles.extend(self.shared.io.common.status.lock().words());
        troubles.extend(self.shared.refused.troubles());
        if connection.queued > 0 {
            let what = match connection.queued {
                1 => "1 invalidation waits for Redis, and is".to_owned(),
                many => format!("{many} invalidations wait for Redis, and are"),
            };
            troubles.push(format!("{what} delivered before it is read"));
        }
        Reply::ready(troubles)
    }

    fn remote(&self) -> Option<Connection> {
        Some(self.connection())
    }

    fn close(&self, within: Duration) -> Reply<'_, u64> {
        let under_way = self.shared.io.counter();
        let owed = self.shared.io.run(None, async move |link: Rc<Link>| {
            let end = Instant::now().checked_add(within);
            loop {
                let left = link.queue.borrow().len();
                // This is one itself. What others are about may still have to be queued.
                let done = left == 0 && under_way.load(Ordering::Relaxed) <= 1;
                if done || end.is_some_and(|end| Instant::now() >= end) {
                    fleet::leave(&link).await;
                    return Ok(left as u64);
                }
                sleep(Duration::from_millis(5)).await;
            }
        });
        Reply::Pending(Box::pin(async move {
            self.told(owed).await.map_err(|failure| failure.into_error("close"))
        }))
    }

    /// Redis is not asked what it holds.
    fn usage(&self) -> Usage {
        let status = self.shared.io.common.status.lock();
        let mut coherence = Coherence::default();
        coherence.notices_sent = status.sent;
        coherence.notices_received = status.received;
        coherence.reconnects = status.reconnects;
        coherence.behind = status.heard.map_or(Duration::ZERO, |heard| heard.elapsed());
        Usage { coherence, ..Usage::default() }
    }
}

/// Does the work of a strike; what of it Redis does not get is queued.
async fn done_or_queued<T, F>(
    link: Rc<Link>,
    strike: Strike,
    limit: Option<Duration>,
    work: impl FnOnce(Session) -> F,
) -> std::result::Result<T, Failure>
where
    F: Future<Output = std::result::Result<T, Failure>>,
{
    let owing = Owing { link: link.clone(), strike, over: false };
    let done = match within(limit, async { work(link.session().await?).await }).await {
        Err(failure) => Err(strike::or_queue(&link, owing.strike.clone(), failure).await),
        done => done,
    };
    // Who asked while it was being done may have brought what was there before.
    link.tell(owing.strike.0.target());
    owing.settled();
    done
}

/// An invalidation that nobody knows to be done or queued. It is queued where that ends by a panic.
struct Owing {
    link: Rc<Link>,
    strike: Strike,
    over: bool,
}

impl Owing {
    fn settled(mut self) {
        self.over = true;
    }
}

impl Drop for Owing {
    fn drop(&mut self) {
        if !self.over {
            self.link.queue_up(self.strike.clone(), &Failure::Down("it was given up".to_owned()));
        }
    }
}

/// A lease on its way to whoever asked for it.
struct Granted {
    redis: Redis,
    key: Box<str>,
    fence: Option<Fence>,
}

impl Drop for Granted {
    fn drop(&mut self) {
        if let Some(fence) = self.fence.take() {
            self.redis.release(&self.key, fence);
        }
    }
}

fn parcel(shared: &Shared, key: &str, value: &Value, options: &Set<'_>) -> Result<Parcel> {
    let counter = value.as_integer();
    let body = match counter {
        Some(count) => count.to_string().into_bytes(),
        None => {
            // Order and tags stand before the envelope, where scripts find them.
            let (order, tags) = (wire::Order::default(), &[]);
            let header = wire::Header { order, lifetime: options.lifetime, origin: options.origin, tags };
            let (encoded, kind) = (wire::encode(value, &header, &shared.format), value.kind().name());
            match &encoded {
                Ok(_) => shared.refused.take(kind),
                Err(why) => shared.refused.refuse(kind, why),
            }
            encoded?
        }
    };
    if body.len() > shared.max_value {
        let (bytes, most) = (body.len(), shared.max_value);
        let what = "cache less under one key, or raise `RedisBuilder::max_value`";
        let message =
            format!("set {key:?}: its value has {bytes} bytes encoded, and {most} are allowed: {what}");
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    let fresh = millis(options.lifetime.fresh);
    Ok(Parcel {
        key: key.into(),
        body,
        counter: counter.is_some(),
        tags: options.tags.to_vec(),
        fresh,
        total: millis(options.lifetime.total).max(fresh),
        fence: options.fence,
        if_absent: options.if_absent,
    })
}

fn entry(shared: &Shared, key: &str, found: Found, kind: &'static Kind) -> Result<Option<Entry>> {
    let Some((left, stale_for, age)) = found.times() else { return Ok(None) };
    let (value, origin, tags) = match found {
        Found::Nothing | Found::Foreign => return Ok(None),
        Found::Counter { count, .. } => (Value::new(Arc::new(count)), Origin::default(), Vec::new()),
        Found::Entry { header, bytes, .. } if header.state == State::CounterInSlot => {
            let Some(count) = integer(&bytes[header.body()..]) else { return Ok(None) };
            (Value::new(Arc::new(count)), Origin::default(), Vec::new())
        }
        Found::Entry { header, bytes, .. } => {
            let Some(tags) = header.tags(&bytes) else { return Ok(None) };
            let envelope = Envelope::read(&bytes[header.body()..])?;
            match envelope.decode(kind, &shared.format)? {
                Decoded::Value(value) => (value, envelope.origin, tags),
                Decoded::OtherShape => return Ok(None),
                Decoded::OtherKind => {
                    let (found, asked) = (envelope.kind(), kind.name());
                    let what = "read it as what was stored, or use another key";
                    let message = format!("{key:?} holds a `{found}`, not a `{asked}`: {what}");
                    return Err(Error::new(ErrorKind::TypeMismatch, message));
                }
            }
        }
    };
    // For how long `fresh` may answer is not in the envelope; but what has a version is always to be looked at.
    let glance = if origin.version == 0 { Duration::MAX } else { Duration::ZERO };
    Ok(Some(Entry { value, left, stale_for, age, glance, tier: Tier::L2, origin, tags }))
}
