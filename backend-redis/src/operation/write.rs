//! Writing: values, counters, deadlines; and what loads hold meanwhile.

use std::cell::Cell;
use std::io::Write;

use cache_core::{Fence, Named, Stored, Strength, Target};
use redis::{Cmd, RedisWrite, Value};

use crate::io::batch::{Batch, bytes};
use crate::io::failure::Failure;
use crate::io::session::Session;
use crate::operation::lease::{self, Ask};
use crate::operation::read::{Found, read};
use crate::operation::strike;
use crate::stored::order::Order;
use crate::stored::script::{DELETE, EXPIRE, INCR, STORE};
use crate::stored::slot::{HEADER, Header, State, beginning, millis, write_tags};
use crate::stored::tags::{Marked, Verdict, judge, read_marks, with_marks};

/// What is to be stored, ready for the wire.
pub(crate) struct Parcel {
    pub(crate) key: Box<str>,
    /// An envelope, or the text of a counter.
    pub(crate) body: Vec<u8>,
    pub(crate) counter: bool,
    pub(crate) tags: Vec<Box<str>>,
    pub(crate) fresh: u64,
    pub(crate) total: u64,
    pub(crate) fence: Option<Fence>,
    pub(crate) if_absent: bool,
}

impl Parcel {
    /// Whether one command stores it, whatever stands there.
    pub(crate) fn is_plain(&self) -> bool {
        !self.counter && !self.if_absent && self.fence.is_none() && self.tags.is_empty()
    }

    /// How many bytes it has where it stands.
    pub(crate) fn bytes(&self) -> u64 {
        (HEADER + write_tags(&self.tags).len() + self.body.len()) as u64
    }

    /// For how many milliseconds the marks of its tags are needed: it may be stored somewhat later.
    fn marked_for(&self, session: &Session) -> u64 {
        self.total.saturating_add(millis(session.link.settings.hold))
    }
}

/// Stores what is not [plain](Parcel::is_plain).
pub(crate) async fn store(session: &Session, parcel: &Parcel) -> Result<Stored, Failure> {
    if !parcel.tags.is_empty() {
        session.link.learn_tags(&parcel.key, &parcel.tags);
    }
    match parcel.fence {
        Some(fence) => publish(session, parcel, fence).await,
        None if parcel.if_absent => store_if_absent(session, parcel).await,
        None if parcel.counter => {
            let write = async |epoch| {
                let store = Store { mode: "plain", lease: 0, born: 0, ignored: 0 };
                let (order, answer) = store.run(session, epoch, parcel).await?;
                Ok((order, stored(&answer)?))
            };
            session.in_epoch(write).await
        }
        None => set_tagged(session, parcel).await,
    }
}

/// Adds the one command that stores a plain parcel. No script: it voids all leases by what it writes. What is done `again`
/// takes the place of nothing, as that may have come after it; then its answer is nil, and it is to be
/// [removed instead](removed_instead).
pub(crate) fn set_plainly(session: &Session, batch: &mut Batch, epoch: u64, parcel: &Parcel, again: bool) {
    let (fresh, total) = (parcel.fresh, parcel.total);
    let state = State::Entry;
    let header = Header { state, from: beginning(), fresh, total, before: 0, born: 0, slack: 0, tags: 0 };
    let name = session.link.names.entry(epoch, &parcel.key);
    // The words and the number have less than 32 bytes.
    let mut command = Cmd::with_capacity(5, name.len() + HEADER + parcel.body.len() + 32);
    command.arg("SET").arg(name);
    let mut value = command.writer_for_next_arg();
    // Memory takes whatever is written.
    let _ = value.write_all(&header.write()).and_then(|()| value.write_all(&parcel.body));
    drop(value);
    command.arg("PX").arg(total);
    if again {
        command.arg("NX");
    }
    batch.write(command);
}

/// In the place of a set that had to be done again, as its epoch was over, and could not be: because of what others have
/// written meanwhile, or because something was invalidated here. Which came later nobody knows; so nothing stays, be it older
/// than this set or newer, and whatever is being loaded is void.
pub(crate) async fn removed_instead(session: &Session, key: &str) -> Result<Stored, Failure> {
    strike::run(session, &(Named::Key(key.into()), Strength::Remove)).await.map(|()| Stored::Yes)
}

/// Takes two round trips, so it goes by a lease like a load: what was called after it and is done before it counts as
/// having come after it. What has to be done again, as the epoch is over, takes the place of nothing, and is not done
/// where anything was invalidated meanwhile: then it is [removed instead](removed_instead).
async fn set_tagged(session: &Session, parcel: &Parcel) -> Result<Stored, Failure> {
    let (strikes, again) = (session.link.strikes.get(), Cell::new(false));
    let stored = session
        .in_epoch(async |epoch| {
            let again = again.replace(true);
            if session.link.strikes.get() != strikes {
                return Ok((Some(Order { epoch, sequence: 0 }), Stored::Fenced));
            }
            let marks = (&parcel.tags[..], parcel.marked_for(session));
            let (order, taken) = lease::take(session, epoch, &parcel.key, (Ask::Fence, ""), marks).await?;
            let Some(Order { sequence: born, .. }) = order.filter(|order| order.epoch == epoch) else {
                return Ok((order, Stored::Yes));
            };
            let mode = if again { "absent" } else { "set" };
            let store = Store { mode, lease: taken.lease, born, ignored: 0 };
            let (order, answer) = store.run(session, epoch, parcel).await?;
            // Where the lease does not hold any more, others have written meanwhile, and later.
            Ok((order, if again { stored(&answer)? } else { Stored::Yes }))
        })
        .await?;
    match stored {
        Stored::Yes => Ok(stored),
        _ => removed_instead(session, &parcel.key).await,
    }
}

async fn store_if_absent(session: &Session, parcel: &Parcel) -> Result<Stored, Failure> {
    session
        .in_epoch(async |epoch| {
            let marks = (&parcel.tags[..], parcel.marked_for(session));
            let order = with_marks(session, epoch, marks, |_| {}).await?.order;
            let Some(Order { sequence: born, .. }) = order.filter(|order| order.epoch == epoch) else {
                return Ok((order, Stored::Exists));
            };
            let mut store = Store { mode: "absent", lease: 0, born, ignored: 0 };
            let (order, answer) = store.run(session, epoch, parcel).await?;
            let Some(there) = struck_entry(session, epoch, &answer).await? else {
                return Ok((order, stored(&answer)?));
            };
            store.ignored = there;
            let (order, answer) = store.run(session, epoch, parcel).await?;
            Ok((order, stored(&answer)?))
        })
        .await
}

/// What is known to be struck is not stored, so that it takes the place of nothing. What is struck after that, nobody
/// is served.
async fn publish(session: &Session, parcel: &Parcel, fence: Fence) -> Result<Stored, Failure> {
    let Fence { incarnation: epoch, sequence: born, lease } = fence;
    let is_over = |order: Option<Order>| order.is_none_or(|order| order.epoch != epoch);
    if !parcel.tags.is_empty() {
        let marks = (&parcel.tags[..], parcel.marked_for(session));
        let Marked { order, struck, .. } = with_marks(session, epoch, marks, |_| {}).await?;
        if is_over(order) || struck.iter().any(|at| *at > born) {
            return Ok(Stored::Fenced);
        }
    }
    let store = Store { mode: "load", lease, born, ignored: 0 };
    let (order, answer) = store.run(session, epoch, parcel).await?;
    if is_over(order) { Ok(Stored::Fenced) } else { stored(&answer) }
}

/// How something is stored that is not plain.
struct Store {
    mode: &'static str,
    lease: u64,
    /// The order when its load began, or when it was set.
    born: u64,
    /// What may be replaced though it looks fresh; zero for nothing.
    ignored: u64,
}

impl Store {
    /// The order, and what the script says. The marks of its tags are there.
    async fn run(
        &self,
        session: &Session,
        epoch: u64,
        parcel: &Parcel,
    ) -> Result<(Option<Order>, Value), Failure> {
        let names = &session.link.names;
        let (keys, claim) = (names.keys(epoch, &parcel.key), names.claim(epoch, &parcel.key));
        let hold = millis(session.link.settings.hold);
        let mode = if parcel.counter { format!("{} counter", self.mode) } else { self.mode.to_owned() };
        let tags = write_tags(&parcel.tags);
        let numbers = [self.lease, beginning(), self.ignored, parcel.fresh, parcel.total];
        let numbers = numbers.into_iter().chain([self.born, tags.len() as u64, hold]);
        let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
        let (body, channel) = ([&tags[..], &parcel.body].concat(), names.channel());
        let mut args = vec![mode.as_bytes()];
        args.extend(numbers.iter().map(String::as_bytes));
        args.extend([&body[..], channel.as_bytes()]);
        let store = |batch: &mut Batch| {
            batch.script(&STORE, &[&keys.entry, &keys.companion, &claim], &args);
        };
        let (order, mut answers) = session.ordered(store).await?;
        let answer = answers.next()?;
        if let Ok(Stored::Yes) = stored(&answer) {
            session.link.sent(Target::Key(&parcel.key));
        }
        Ok((order, answer))
    }
}

fn stored(answer: &Value) -> Result<Stored, Failure> {
    match answer {
        Value::Int(1) => Ok(Stored::Yes),
        Value::Int(0) => Ok(Stored::Fenced),
        Value::BulkString(_) => Ok(Stored::Exists),
        _ => Err(Failure::Odd),
    }
}

/// If `there`, a header with its tags, is of an entry that a strike covers: what it is known by.
async fn struck_entry(session: &Session, epoch: u64, there: &Value) -> Result<Option<u64>, Failure> {
    let Value::BulkString(bytes) = there else { return Ok(None) };
    let Some(header) = Header::read(bytes) else { return Ok(None) };
    let Some(tags) = header.tags(bytes) else { return Ok(None) };
    let marks = read_marks(session, epoch, &tags).await?;
    Ok((judge(&marks, header.born) != Verdict::Valid).then_some(header.from))
}

pub(crate) async fn delete(session: &Session, key: &str) -> Result<bool, Failure> {
    session.link.strikes();
    session
        .in_epoch(async |epoch| {
            let keys = session.link.names.keys(epoch, key);
            let delete = |batch: &mut Batch| {
                batch.script(&DELETE, &[&keys.entry, &keys.companion], &[]);
            };
            let (order, mut answers) = session.ordered(delete).await?;
            let was = bytes(answers.next()?)?.ok_or(Failure::Odd)?;
            if was != b"none" {
                session.link.sent(Target::Key(key));
            }
            let Some(header) = Header::read(&was) else { return Ok((order, was != b"none")) };
            let marks = read_marks(session, epoch, &header.tags(&was).unwrap_or_default()).await?;
            Ok((order, judge(&marks, header.born) != Verdict::Struck))
        })
        .await
}

pub(crate) async fn expire(session: &Session, key: &str, ttl: u64) -> Result<bool, Failure> {
    let found = read(session, key).await?;
    if found.times().is_none_or(|(left, ..)| left.fresh.is_zero()) {
        return Ok(false);
    }
    let (from, tags, window) = match &found {
        Found::Entry { header, bytes, .. } => {
            let tags = header.tags(bytes).unwrap_or_default();
            (header.from.to_string(), tags, header.total.saturating_sub(header.fresh))
        }
        _ => (String::new(), Vec::new(), 0),
    };
    session
        .in_epoch(async |epoch| {
            let keys = session.link.names.keys(epoch, key);
            let numbers = [ttl, millis(session.link.settings.hold)];
            let numbers = numbers.map(|number| number.to_string());
            let args = [&[from.as_bytes()][..], &numbers.each_ref().map(|number| number.as_bytes())].concat();
            let expire = |batch: &mut Batch| {
                batch.script(&EXPIRE, &[&keys.entry, &keys.companion], &args);
            };
            let marks = (&tags[..], ttl.saturating_add(window));
            let Marked { order, mut answers, .. } = with_marks(session, epoch, marks, expire).await?;
            let done = answers.next_number()? == 1;
            if done {
                session.link.sent(Target::Key(key));
            }
            Ok((order, done))
        })
        .await
}

/// Why a key cannot be added to.
pub(crate) enum NoSum {
    Overflow,
    NotAnInteger,
}

pub(crate) async fn incr(
    session: &Session,
    key: &str,
    delta: i64,
    total: u64,
) -> Result<Result<i64, NoSum>, Failure> {
    session
        .in_epoch(async |epoch| {
            let (order, answer) = run_incr(session, epoch, key, (delta, total, 0)).await?;
            let Value::Array(what) = &answer else { return Ok((order, Ok(sum(&answer)?))) };
            let there = what.get(1).cloned().unwrap_or_default();
            let Some(ignored) = struck_entry(session, epoch, &there).await? else {
                return Ok((order, Err(no_sum(what))));
            };
            let (order, answer) = run_incr(session, epoch, key, (delta, total, ignored)).await?;
            let Value::Array(what) = &answer else { return Ok((order, Ok(sum(&answer)?))) };
            Ok((order, Err(no_sum(what))))
        })
        .await
}

fn no_sum(what: &[Value]) -> NoSum {
    match what.first() {
        Some(Value::BulkString(why)) if why == b"overflow" => NoSum::Overflow,
        _ => NoSum::NotAnInteger,
    }
}

fn sum(answer: &Value) -> Result<i64, Failure> {
    let Value::BulkString(text) = answer else { return Err(Failure::Odd) };
    str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Failure::Odd)
}

async fn run_incr(
    session: &Session,
    epoch: u64,
    key: &str,
    (delta, total, ignored): (i64, u64, u64),
) -> Result<(Option<Order>, Value), Failure> {
    let keys = session.link.names.keys(epoch, key);
    let delta = delta.to_string();
    let numbers = [total, beginning(), ignored].map(|number| number.to_string());
    let args = [&[delta.as_bytes()][..], &numbers.each_ref().map(|number| number.as_bytes())].concat();
    let incr = |batch: &mut Batch| {
        batch.script(&INCR, &[&keys.entry, &keys.companion], &args);
    };
    let (order, mut answers) = session.ordered(incr).await?;
    let answer = answers.next()?;
    if let Value::BulkString(_) = answer {
        session.link.sent(Target::Key(key));
    }
    Ok((order, answer))
}
