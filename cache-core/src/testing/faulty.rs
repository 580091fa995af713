//! A wrapper that fails by script, or by a switch.

use std::collections::{BTreeMap, VecDeque};
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Weak;
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;

use crate::cache::Cache;
use crate::clock::{Clock, within};
use crate::connection::Connection;
use crate::deadline::Lifetime;
use crate::entry::{Entry, Set, Stored, Usage};
use crate::error::{Error, ErrorKind};
use crate::fence::Fence;
use crate::lease::{Ended, Lease};
use crate::listener::{Listener, Notices};
use crate::reply::Reply;
use crate::target::{Strength, Target};
use crate::token::Token;
use crate::value::{Kind, Value};

/// An operation of a backend, to be failed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Op {
    /// `get`, and `fresh`: what cannot be read cannot be had at a glance either.
    Get,
    /// `ttl`.
    Ttl,
    /// `set`, also by a load.
    Set,
    /// `delete`.
    Delete,
    /// `invalidate`, of whatever target.
    Invalidate,
    /// `expire`.
    Expire,
    /// `incr`.
    Incr,
    /// `fence`, and `lease`.
    Fence,
    /// `acknowledged`, for which `acked` waits.
    Acknowledged,
    /// `token`.
    Token,
    /// `read_after`.
    ReadAfter,
    /// `troubles`, which a cache asks for its `health`.
    Troubles,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Get,
        Self::Ttl,
        Self::Set,
        Self::Delete,
        Self::Invalidate,
        Self::Expire,
        Self::Incr,
        Self::Fence,
        Self::Acknowledged,
        Self::Token,
        Self::ReadAfter,
        Self::Troubles,
    ];
}

/// What goes wrong with an operation, and how often.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fault {
    op: Op,
    kind: FaultKind,
    times: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum FaultKind {
    Error(ErrorKind),
    /// So many polls before it is answered.
    Late(usize),
    /// So much time before it is answered.
    Slow(Duration),
    Hang,
    Lost,
}

impl Fault {
    fn new(op: Op, kind: FaultKind) -> Self {
        Self { op, kind, times: 1 }
    }

    /// It fails with `Unavailable`, and nothing is done.
    pub fn error_on(op: Op) -> Self {
        Self::error_of(op, ErrorKind::Unavailable)
    }

    /// It fails with an error of this kind, and nothing is done.
    pub fn error_of(op: Op, kind: ErrorKind) -> Self {
        Self::new(op, FaultKind::Error(kind))
    }

    /// It is done, and its answer comes after so many polls more; [`fresh`](Cache::fresh) says nothing.
    pub fn late(op: Op, polls: usize) -> Self {
        Self::new(op, FaultKind::Late(polls))
    }

    /// It is done, and its answer comes so much later, by the clock that [`Faulty::clock`] was given (the system's, if
    /// none was); [`fresh`](Cache::fresh) says nothing.
    pub fn slow(op: Op, by: Duration) -> Self {
        Self::new(op, FaultKind::Slow(by))
    }

    /// It is not done, and no answer ever comes.
    pub fn hang(op: Op) -> Self {
        Self::new(op, FaultKind::Hang)
    }

    /// A write answers as if it had been done, and was not. A read finds nothing, `troubles` tells of none; a fence is not
    /// lost.
    pub fn lost(op: Op) -> Self {
        Self::new(op, FaultKind::Lost)
    }

    /// So many times, and then no more; once unless said otherwise.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }
}

/// A backend with faults: scripted ones, each used up in its order, and switched ones, until they are healed.
///
/// ```
/// use std::time::Duration;
/// use larder::Engine;
/// use larder::testing::{Fault, Faulty, Op, Plain};
/// use std::sync::Arc;
///
/// let faulty = Arc::new(Faulty::new(Plain::default()).script([Fault::error_on(Op::Set).times(1)]));
/// let cache = Engine::builder().build(faulty.clone());
/// let minute = Duration::from_secs(60);
/// assert!(cache.set("k", 1_u8, minute).wait().is_err());
/// assert!(cache.set("k", 2_u8, minute).wait().is_ok());
/// faulty.fail(Op::Get);
/// assert_eq!(*cache.get_or_compute("k", minute, || 3_u8), 3, "trouble of the cache never fails a load");
/// faulty.heal();
/// assert_eq!(faulty.faults(Op::Set), 1);
/// ```
#[derive(Debug)]
pub struct Faulty<C> {
    cache: C,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Fault>,
    switched: BTreeMap<Op, FaultKind>,
    faults: BTreeMap<Op, u64>,
    calls: BTreeMap<Op, u64>,
    /// Fences given out and not given back.
    fences: i64,
}

impl<C: Cache> Faulty<C> {
    /// `cache` without faults, for now.
    pub fn new(cache: C) -> Self {
        Self { cache, clock: Clock::default(), state: Mutex::default() }
    }

    /// The clock that [slow](Fault::slow) answers go by: that of the cache under test, to be turned by the test.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Adds faults; those of one operation happen in this order.
    #[must_use]
    pub fn script(self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.state.lock().script.extend(faults);
        self
    }

    /// From now on `op` fails with `Unavailable`.
    pub fn fail(&self, op: Op) {
        self.switch(Fault::error_on(op));
    }

    /// From now on `fault` happens whenever it can, however often it says.
    pub fn switch(&self, fault: Fault) {
        self.state.lock().switched.insert(fault.op, fault.kind);
    }

    /// From now on nothing fails; what is left of the script is forgotten.
    pub fn heal(&self) {
        let mut state = self.state.lock();
        state.script.clear();
        state.switched.clear();
    }

    /// How often `op` was called.
    pub fn calls(&self, op: Op) -> u64 {
        self.state.lock().calls.get(&op).copied().unwrap_or(0)
    }

    /// How often `op` went wrong.
    pub fn faults(&self, op: Op) -> u64 {
        self.state.lock().faults.get(&op).copied().unwrap_or(0)
    }

    /// How many fences were given out and not given back.
    pub fn fences_in_use(&self) -> i64 {
        self.state.lock().fences
    }

    /// The backend itself.
    pub fn inner(&self) -> &C {
        &self.cache
    }

    fn fault(&self, op: Op) -> Option<FaultKind> {
        let mut state = self.state.lock();
        *state.calls.entry(op).or_default() += 1;
        let at = state.script.iter().position(|fault| fault.op == op && fault.times > 0);
        let kind = match at {
            Some(at) => {
                let fault = &mut state.script[at];
                fault.times -= 1;
                let kind = fault.kind;
                if fault.times == 0 {
                    let _ = state.script.remove(at);
                }
                kind
            }
            None => *state.switched.get(&op)?,
        };
        *state.faults.entry(op).or_default() += 1;
        Some(kind)
    }

    /// Whether anything waits for `op`; `fresh` must then not answer in its place.
    fn is_faulty(&self, op: Op) -> bool {
        let state = self.state.lock();
        state.switched.contains_key(&op) || state.script.iter().any(|fault| fault.op == op)
    }

    fn reply<'a, T: Send + 'a>(
        &'a self,
        op: Op,
        lost: Option<T>,
        run: impl FnOnce(&'a C) -> Reply<'a, T>,
    ) -> Reply<'a, T> {
        match (self.fault(op), lost) {
            (Some(FaultKind::Error(kind)), _) => {
                Reply::error(Error::new(kind, format!("{op:?}: a fault that the test asked for")))
            }
            (Some(FaultKind::Late(polls)), _) => late(polls, run(&self.cache)),
            (Some(FaultKind::Slow(by)), _) => slow(&self.clock, by, run(&self.cache)),
            (Some(FaultKind::Hang), _) => Reply::Pending(Box::pin(pending())),
            (Some(FaultKind::Lost), Some(answer)) => Reply::ready(answer),
            (Some(FaultKind::Lost) | None, _) => run(&self.cache),
        }
    }
}

fn late<'a, T: Send + 'a>(mut polls: usize, reply: Reply<'a, T>) -> Reply<'a, T> {
    Reply::Pending(Box::pin(async move {
        poll_fn(|cx| {
            if polls == 0 {
                return Poll::Ready(());
            }
            polls -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        reply.await
    }))
}

fn slow<'a, T: Send + 'a>(clock: &'a Clock, by: Duration, reply: Reply<'a, T>) -> Reply<'a, T> {
    let until = clock.now() + by;
    Reply::Pending(Box::pin(async move {
        within(clock, Some(until), pin!(pending::<()>())).await;
        reply.await
    }))
}

#[deny(clippy::missing_trait_methods)]
impl<C: Cache> Cache for Faulty<C> {
    fn fresh(&self, key: &str) -> Option<Value> {
        if self.is_faulty(Op::Get) { None } else { self.cache.fresh(key) }
    }

    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.reply(Op::Get, Some(None), |cache| cache.get(key, kind))
    }

    fn confirmed(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.reply(Op::Get, Some(None), |cache| cache.confirmed(key, kind))
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.reply(Op::Ttl, Some(None), |cache| cache.ttl(key))
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        self.reply(Op::Set, Some(Stored::Yes), |cache| cache.set(key, value, options))
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.reply(Op::Delete, Some(true), |cache| cache.delete(key))
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        self.reply(Op::Invalidate, Some(()), |cache| cache.invalidate(target, strength))
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        self.reply(Op::Expire, Some(true), |cache| cache.expire(key, ttl))
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        self.reply(Op::Incr, Some(delta), |cache| cache.incr(key, delta, lifetime))
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        let reply = self.reply(Op::Fence, None, |cache| cache.fence(key));
        reply.map(|fence| {
            self.state.lock().fences += 1;
            fence
        })
    }

    fn lease(&self, key: &str, retrying: bool) -> Reply<'_, Lease> {
        let reply = self.reply(Op::Fence, None, |cache| cache.lease(key, retrying));
        reply.map(|lease| {
            self.state.lock().fences += i64::from(!matches!(lease, Lease::Theirs(_)));
            lease
        })
    }

    fn release(&self, key: &str, fence: Fence) {
        self.state.lock().fences -= 1;
        self.cache.release(key, fence);
    }

    fn settle(&self, key: &str, fence: Fence, ended: Ended) {
        self.state.lock().fences -= 1;
        self.cache.settle(key, fence, ended);
    }

    fn listen(&self, listener: Weak<dyn Listener>) -> Notices {
        self.cache.listen(listener)
    }

    fn acknowledged(&self) -> Reply<'_, ()> {
        self.reply(Op::Acknowledged, None, C::acknowledged)
    }

    fn token(&self) -> Reply<'_, Token> {
        self.reply(Op::Token, None, C::token)
    }

    fn read_after(&self, token: &Token) -> Reply<'_, ()> {
        self.reply(Op::ReadAfter, None, |cache| cache.read_after(token))
    }

    fn troubles(&self) -> Reply<'_, Vec<String>> {
        self.reply(Op::Troubles, Some(Vec::new()), C::troubles)
    }

    fn remote(&self) -> Option<Connection> {
        self.cache.remote()
    }

    fn close(&self, within: Duration) -> Reply<'_, u64> {
        self.cache.close(within)
    }

    fn usage(&self) -> Usage {
        self.cache.usage()
    }
}
