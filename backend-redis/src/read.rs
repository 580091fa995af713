//! Reading: what stands under a key, and whether it may be served.

use redis::Value;

use crate::batch::{Answers, Batch, bytes};
use crate::failure::Failure;
use crate::link::{Link, Tags};
use crate::order::Order;
use crate::script::SOFTEN;
use crate::session::{Session, order};
use crate::slot::{FOREVER, Header, State};
use crate::tags::{self, Mark, Verdict, judge, read_mark, struck_ago};

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

/// A key to be read, and the tags that it had when it was last seen here: so that their marks can be read along with it.
pub(crate) struct Wanted {
    pub(crate) key: Box<str>,
    guess: Tags,
}

impl Wanted {
    pub(crate) fn new(link: &Link, key: Box<str>) -> Self {
        let guess = link.tags_of(&key);
        Self { key, guess }
    }
}

/// What is known of a key after one round trip.
pub(crate) enum Look {
    Known(Found),
    /// A counter, whose header stands elsewhere; and what is left of its life.
    Counter(i64, Option<u64>),
    /// An entry that is struck softly, with its marks; or one whose tags are not those that were guessed, without.
    Entry(Found, Option<Vec<Option<Mark>>>),
}

/// So many keys are read by one command at most: a large one holds Redis up.
const GROUP: usize = 64;

/// Adds what reads all that is wanted, for [`take`].
pub(crate) fn ask(session: &Session, batch: &mut Batch, epoch: u64, wanted: &[Wanted]) {
    let names = &session.link.names;
    for group in wanted.chunks(GROUP) {
        let mut all = Vec::with_capacity(group.len());
        for Wanted { key, guess } in group {
            let entry = names.entry(epoch, key);
            // What is left comes before the value: what was written in between is then taken for older than it is.
            batch.read(redis::cmd("PTTL").arg(&entry).take());
            all.push(entry);
            all.extend(guess.iter().map(|tag| names.mark(epoch, tag)));
        }
        batch.read_values(&all);
    }
}

/// The answers to [`ask`].
pub(crate) fn take(
    session: &Session,
    answers: &mut Answers,
    wanted: &[Wanted],
) -> Result<Vec<Result<Look, Failure>>, Failure> {
    let mut looks = Vec::with_capacity(wanted.len());
    for group in wanted.chunks(GROUP) {
        let lefts = group.iter().map(|_| time_left(answers)).collect::<Result<Vec<_>, _>>()?;
        let mut values = answers.next_values(group.iter().map(|wanted| 1 + wanted.guess.len()).sum())?;
        for (wanted, left) in group.iter().zip(lefts) {
            let value = values.next().ok_or(Failure::Odd).and_then(bytes)?;
            let marks = values.by_ref().take(wanted.guess.len()).collect();
            looks.push(look(&session.link, wanted, (value, left), marks));
        }
    }
    Ok(looks)
}

/// Reads what stands under `key`: in one round trip if it has no tags, or those that it had when it was last seen here.
pub(crate) async fn read(session: &Session, key: &str) -> Result<Found, Failure> {
    let wanted = [Wanted::new(&session.link, key.into())];
    session
        .in_epoch(async |epoch| {
            let mut batch = session.batch();
            batch.read(session.read_order());
            ask(session, &mut batch, epoch, &wanted);
            let mut answers = session.send(&batch).await?;
            let order = order(answers.next()?)?;
            let look = take(session, &mut answers, &wanted)?.pop().ok_or(Failure::Odd)?;
            let found = match order {
                Some(Order { epoch: now, .. }) if now == epoch => {
                    look_further(session, epoch, key, look?).await?
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

fn look(
    link: &Link,
    wanted: &Wanted,
    (value, left): (Option<Vec<u8>>, Option<u64>),
    marks: Vec<Value>,
) -> Result<Look, Failure> {
    let Some(bytes) = value else { return Ok(Look::Known(Found::Nothing)) };
    if let Some(count) = integer(&bytes) {
        return Ok(Look::Counter(count, left));
    }
    let Some((header, body)) = Header::read(&bytes) else { return Ok(Look::Known(Found::Foreign)) };
    let left = left.map(|left| left.saturating_sub(header.slack));
    if matches!(header.state, State::Held | State::Counter) || left == Some(0) {
        return Ok(Look::Known(Found::Nothing));
    }
    let (born, as_guessed) = (header.born, header.tags == *wanted.guess);
    if !as_guessed {
        link.learn_tags(&wanted.key, &header.tags);
    }
    let found = Found::Entry { header, left, bytes, body };
    if !as_guessed {
        return Ok(Look::Entry(found, None));
    }
    let marks = marks.into_iter().map(read_mark).collect::<Result<Vec<_>, _>>()?;
    Ok(match judge(&marks, born) {
        Verdict::Valid => Look::Known(found),
        Verdict::Struck => Look::Known(Found::Nothing),
        Verdict::Stale(_) => Look::Entry(found, Some(marks)),
    })
}

/// What is found in the end; where a look did not tell, in more round trips.
pub(crate) async fn look_further(
    session: &Session,
    epoch: u64,
    key: &str,
    look: Look,
) -> Result<Found, Failure> {
    let (mut found, marks) = match look {
        Look::Known(found) => return Ok(found),
        Look::Counter(count, left) => {
            let header = companion(session, epoch, key).await?;
            return Ok(Found::Counter { count, header, left });
        }
        Look::Entry(found, marks) => (found, marks),
    };
    let Found::Entry { header, left, .. } = &mut found else { return Ok(found) };
    let marks = match marks {
        Some(marks) => marks,
        None => tags::read_marks(session, epoch, &header.tags).await?,
    };
    match judge(&marks, header.born) {
        Verdict::Struck => return Ok(Found::Nothing),
        Verdict::Valid => {}
        Verdict::Stale(soft) => {
            let ago = struck_ago(session, epoch, &header.tags, &marks, &soft).await?;
            soften(session, epoch, key, header, *left, ago).await?;
        }
    }
    Ok(found)
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
    if text.len() > 20 {
        return None;
    }
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
