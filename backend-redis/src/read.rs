//! Reading: what stands under a key, and whether it may be served.

use redis::Value;

use crate::batch::{Answers, Batch, bytes};
use crate::failure::Failure;
use crate::order::Order;
use crate::script::SOFTEN;
use crate::session::{Session, order};
use crate::slot::{FOREVER, Header, State};
use crate::tags::{self, Verdict, judge, read_mark, struck_ago};

/// What was found.
pub(crate) enum Found {
    Nothing,
    /// A value: its header, what is left of its life, all its bytes, and where the body begins.
    Entry {
        header: Header,
        left: Option<u64>,
        bytes: Vec<u8>,
        body: usize,
    },
    /// A counter, and its header if there is one.
    Counter {
        count: i64,
        header: Option<Header>,
        left: Option<u64>,
    },
    /// Nothing that larder has written.
    Foreign,
}

/// Reads what stands under `key`: in one round trip if it has no tags, or those that it had when it was last seen here.
pub(crate) async fn read(session: &Session, key: &str) -> Result<Found, Failure> {
    session
        .in_epoch(async |epoch| {
            let names = &session.link.names;
            let (entry, guess) = (names.entry(epoch, key), session.link.tags_of(key));
            let mut batch = Batch::default();
            // What is left comes before the value: what was written in between is then taken for older than it is.
            batch.read(redis::cmd("PTTL").arg(&entry).to_owned());
            let mut command = redis::cmd("MGET");
            command.arg(names.order()).arg(&entry);
            guess.iter().for_each(|tag| {
                command.arg(names.mark(epoch, tag));
            });
            batch.read(command);
            let mut answers = session.send(&batch).await?;
            let left = time_left(&mut answers)?;
            let mut values = answers.next_list()?.into_iter();
            let order = order(values.next().ok_or(Failure::Odd)?)?;
            let value = bytes(values.next().ok_or(Failure::Odd)?)?;
            let found = match (order, value) {
                (Some(Order { epoch: now, .. }), Some(value)) if now == epoch => {
                    let marks = (&*guess, values.collect());
                    classify(session, epoch, key, (value, left), marks).await?
                }
                _ => Found::Nothing,
            };
            Ok((order, found))
        })
        .await
}

/// What is left of a key's life; `None` if it has no end.
fn time_left(answers: &mut Answers) -> Result<Option<u64>, Failure> {
    Ok(match answers.next_number()? {
        -1 => None,
        left => Some(u64::try_from(left).unwrap_or(0)),
    })
}

async fn classify(
    session: &Session,
    epoch: u64,
    key: &str,
    (value, left): (Vec<u8>, Option<u64>),
    (guess, marks): (&[Box<str>], Vec<Value>),
) -> Result<Found, Failure> {
    if let Some(count) = integer(&value) {
        let header = companion(session, epoch, key).await?;
        return Ok(Found::Counter { count, header, left });
    }
    let Some((mut header, body)) = Header::read(&value) else { return Ok(Found::Foreign) };
    match header.state {
        State::Held | State::Counter => return Ok(Found::Nothing),
        State::Entry | State::CounterInSlot => {}
    }
    let left = left.map(|left| left.saturating_sub(header.slack));
    if left == Some(0) {
        return Ok(Found::Nothing);
    }
    if header.tags != guess {
        session.link.learn_tags(key, &header.tags);
    }
    let marks = if header.tags == guess {
        marks.into_iter().map(read_mark).collect::<Result<Vec<_>, _>>()?
    } else {
        tags::read_marks(session, epoch, &header.tags).await?
    };
    match judge(&marks, header.born) {
        Verdict::Struck => return Ok(Found::Nothing),
        Verdict::Valid => {}
        Verdict::Stale(soft) => {
            let ago = struck_ago(session, epoch, &header.tags, &marks, &soft).await?;
            soften(session, epoch, key, &mut header, left, ago).await?;
        }
    }
    Ok(Found::Entry { header, left, bytes: value, body })
}

/// Writes down in the entry since when it is stale, so that a later strike does not make it a younger one.
async fn soften(
    session: &Session,
    epoch: u64,
    key: &str,
    header: &mut Header,
    left: Option<u64>,
    ago: u64,
) -> Result<(), Failure> {
    let over = header.total.saturating_sub(left.unwrap_or(header.total));
    let at = over.saturating_sub(ago);
    if header.fresh <= at {
        return Ok(());
    }
    header.fresh = at;
    let keys = session.link.names.keys(epoch, key);
    let mut batch = Batch::default();
    let (from, ago) = (header.from.to_string(), ago.to_string());
    batch.script(&SOFTEN, &[&keys.entry, &keys.companion], &[from.as_bytes(), ago.as_bytes()]);
    session.send(&batch).await?.next().map(drop)
}

/// The header beside a counter.
async fn companion(session: &Session, epoch: u64, key: &str) -> Result<Option<Header>, Failure> {
    let mut batch = Batch::default();
    batch.read(redis::cmd("GET").arg(session.link.names.keys(epoch, key).companion).to_owned());
    let Some(found) = bytes(session.send(&batch).await?.next()?)? else { return Ok(None) };
    Ok(Header::read(&found).map(|(header, _)| header))
}

/// An integer as Redis writes it.
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let number: i64 = text.parse().ok()?;
    // Not `+1`, not `01`.
    (number.to_string() == text).then_some(number)
}

impl Found {
    /// What is left of its deadlines, for how long it has been stale, and its age.
    pub(crate) fn times(&self) -> Option<(cache_core::Lifetime, std::time::Duration, std::time::Duration)> {
        match self {
            Self::Entry { header, left, .. } | Self::Counter { header: Some(header), left, .. } => {
                Some(header.times(*left))
            }
            Self::Counter { header: None, left, .. } => {
                // Somebody else's: nobody knows when it began.
                let total = left.unwrap_or(FOREVER);
                let tags = Vec::new();
                let (state, from) = (State::Counter, 0);
                let header = Header { state, from, fresh: total, total, before: 0, born: 0, slack: 0, tags };
                Some(header.times(*left))
            }
            Self::Nothing | Self::Foreign => None,
        }
    }
}
