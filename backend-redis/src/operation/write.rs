//! Writing: values, counters, deadlines; and what loads hold meanwhile.

use std::io::Write;

use cache_core::{Fence, Stored};
use redis::{Cmd, RedisWrite, Value};

use crate::io::batch::{Batch, bytes};
use crate::io::failure::Failure;
use crate::io::session::{Session, order};
use crate::operation::lease::{self, Ask};
use crate::operation::read::{Found, read};
use crate::stored::order::Order;
use crate::stored::script::{DELETE, EXPIRE, INCR, MARK, STORE};
use crate::stored::slot::{HEADER, Header, State, beginning, millis, write_tags};
use crate::stored::tags::{Mark, Verdict, judge, keep_marks, read_marks, struck};

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
                let args = Args { mode: "plain", ..Args::default() };
                let (order, answer) = run_store(session, epoch, parcel, args, &[]).await?;
                Ok((order, stored(&answer)?))
            };
            session.in_epoch(write).await
        }
        None => set_tagged(session, parcel).await,
    }
}

/// Adds the one command that stores a plain parcel. No script: it voids all leases by what it writes.
pub(crate) fn set_plainly(session: &Session, batch: &mut Batch, epoch: u64, parcel: &Parcel) {
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
    batch.write(command);
}

/// Takes several round trips, so it goes by a lease like a load: what was called after it and is done before it counts
/// as having come after it.
async fn set_tagged(session: &Session, parcel: &Parcel) -> Result<Stored, Failure> {
    session
        .in_epoch(async |epoch| {
            let (order, lease) = lease::take(session, epoch, &parcel.key, (Ask::Fence, "")).await?;
            if order.is_none_or(|order| order.epoch != epoch) {
                return Ok((order, Stored::Yes));
            }
            let (order, marks) = struck(session, epoch, &parcel.tags).await?;
            let Some(Order { sequence, .. }) = order.filter(|order| order.epoch == epoch) else {
                return Ok((order, Stored::Yes));
            };
            let args = Args { mode: "set", lease, born: sequence, ..Args::default() };
            // Where it does not hold any more, others have written meanwhile.
            let (order, _) = run_store(session, epoch, parcel, args, &marks).await?;
            Ok((order, Stored::Yes))
        })
        .await
}

async fn store_if_absent(session: &Session, parcel: &Parcel) -> Result<Stored, Failure> {
    session
        .in_epoch(async |epoch| {
            let (order, marks) = struck(session, epoch, &parcel.tags).await?;
            let Some(Order { sequence: born, .. }) = order.filter(|order| order.epoch == epoch) else {
                return Ok((order, Stored::Exists));
            };
            let mut args = Args { mode: "absent", born, ..Args::default() };
            let (order, answer) = run_store(session, epoch, parcel, args, &marks).await?;
            let Some(there) = struck_entry(session, epoch, &answer).await? else {
                return Ok((order, stored(&answer)?));
            };
            args.ignored = there;
            let (order, answer) = run_store(session, epoch, parcel, args, &marks).await?;
            Ok((order, stored(&answer)?))
        })
        .await
}

async fn publish(session: &Session, parcel: &Parcel, fence: Fence) -> Result<Stored, Failure> {
    let epoch = fence.incarnation;
    let (mut stale, mut marks) = (false, Vec::new());
    if !parcel.tags.is_empty() {
        let (order, found) = struck(session, epoch, &parcel.tags).await?;
        if order.is_none_or(|order| order.epoch != epoch) {
            return Ok(Stored::Fenced);
        }
        if found.iter().any(|mark| mark.hard > fence.sequence) {
            return Ok(Stored::Fenced);
        }
        stale = found.iter().any(|mark| mark.soft > fence.sequence);
        marks = found;
    }
    let args = Args { mode: "load", lease: fence.lease, stale, born: fence.sequence, ..Args::default() };
    let (order, answer) = run_store(session, epoch, parcel, args, &marks).await?;
    match order {
        Some(order) if order.epoch == epoch => stored(&answer),
        _ => Ok(Stored::Fenced),
    }
}

#[derive(Clone, Copy, Default)]
struct Args {
    mode: &'static str,
    lease: u64,
    /// What may be replaced though it looks fresh; zero for nothing.
    ignored: u64,
    stale: bool,
    born: u64,
}

async fn run_store(
    session: &Session,
    epoch: u64,
    parcel: &Parcel,
    args: Args,
    marks: &[Mark],
) -> Result<(Option<Order>, Value), Failure> {
    let keys = session.link.names.keys(epoch, &parcel.key);
    let mut batch = Batch::default();
    batch.read(session.read_order());
    let hold = millis(session.link.settings.hold);
    keep_marks(
        session,
        &mut batch,
        epoch,
        &parcel.tags,
        marks,
        parcel.total.max(millis(session.link.settings.hold)),
    );
    let tags = write_tags(&parcel.tags);
    let mode = if parcel.counter { format!("{} counter", args.mode) } else { args.mode.to_owned() };
    let numbers = [args.lease, beginning(), args.ignored, u64::from(args.stale), parcel.fresh, parcel.total];
    let numbers = numbers.map(|number| number.to_string());
    let rest = [args.born, tags.len() as u64, hold].map(|number| number.to_string());
    let body = [&tags[..], &parcel.body].concat();
    let mut all = vec![mode.as_bytes()];
    all.extend(numbers.iter().map(String::as_bytes));
    all.extend(rest.iter().map(String::as_bytes));
    all.push(&body);
    let names = &session.link.names;
    let (claim, channel) = (names.claim(epoch, &parcel.key), names.channel());
    all.push(channel.as_bytes());
    batch.script(&STORE, &[&keys.entry, &keys.companion, &claim], &all);
    let mut answers = session.send(&batch).await?;
    let order = order(answers.next()?)?;
    for _ in marks {
        answers.next()?;
    }
    Ok((order, answers.next()?))
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
    session
        .in_epoch(async |epoch| {
            let keys = session.link.names.keys(epoch, key);
            let mut batch = Batch::default();
            batch.read(session.read_order());
            batch.script(&DELETE, &[&keys.entry, &keys.companion], &[]);
            let mut answers = session.send(&batch).await?;
            let order = order(answers.next()?)?;
            let was = bytes(answers.next()?)?.ok_or(Failure::Odd)?;
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
            let mut batch = Batch::default();
            batch.read(session.read_order());
            let need = ttl.saturating_add(window).to_string();
            for tag in &tags {
                let mark = session.link.names.mark(epoch, tag);
                batch.script(&MARK, &[&mark], &[b"0", b"0", need.as_bytes(), b"x"]);
            }
            let numbers = [ttl, millis(session.link.settings.hold)];
            let numbers = numbers.map(|number| number.to_string());
            let args = [&[from.as_bytes()][..], &numbers.each_ref().map(|number| number.as_bytes())].concat();
            batch.script(&EXPIRE, &[&keys.entry, &keys.companion], &args);
            let mut answers = session.send(&batch).await?;
            let order = order(answers.next()?)?;
            for _ in &tags {
                answers.next()?;
            }
            Ok((order, answers.next_number()? == 1))
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
    let mut batch = Batch::default();
    batch.read(session.read_order());
    let delta = delta.to_string();
    let numbers = [total, beginning(), ignored].map(|number| number.to_string());
    let args = [&[delta.as_bytes()][..], &numbers.each_ref().map(|number| number.as_bytes())].concat();
    batch.script(&INCR, &[&keys.entry, &keys.companion], &args);
    let mut answers = session.send(&batch).await?;
    Ok((order(answers.next()?)?, answers.next()?))
}
