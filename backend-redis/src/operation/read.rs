//! Reading: what stands under a key, and whether it may be served.

use std::collections::HashMap;
use std::rc::Rc;

use crate::io::batch::{Answers, Batch, bytes, command};
use crate::io::failure::Failure;
use crate::io::link::Link;
use crate::io::session::Session;
use crate::stored::order::Order;
use crate::stored::script::SOFTEN;
use crate::stored::slot::{HEADER, Header, State, Tags};
use crate::stored::tags::{Mark, Verdict, judge, read_mark, read_marks, struck_ago};

/// What was found.
pub(crate) enum Found {
    Nothing,
    /// A value: its header, what is left of its life, and all its bytes, of header, tags and body.
    Entry {
        header: Header,
        left: u64,
        bytes: Vec<u8>,
    },
    /// A counter, its header, and what is left of its life.
    Counter {
        count: i64,
        header: Header,
        left: u64,
    },
    /// Nothing that larder has written.
    Foreign,
}

/// A key to be read, and the tags that it had when it was last seen here: so that their marks can be read along with it.
pub(crate) struct Wanted {
    pub(crate) key: Box<str>,
    guess: Option<Rc<Tags>>,
}

impl Wanted {
    pub(crate) fn new(link: &Link, key: Box<str>) -> Self {
        let guess = link.tags_of(&key);
        Self { key, guess }
    }

    fn guess(&self) -> &[Box<str>] {
        self.guess.as_ref().map_or(&[], |tags| &tags.names)
    }

    /// Whether these are the tags that were guessed, as they stand in a slot.
    fn is_as_guessed(&self, tags: &[u8]) -> bool {
        tags == self.guess.as_ref().map_or(&[][..], |tags| &tags.bytes)
    }
}

/// Keys that are read by one command, and each tag that is guessed of any of them, with its place among the marks.
pub(crate) struct Group<'w> {
    wanted: &'w [Wanted],
    tags: Vec<&'w str>,
    places: HashMap<&'w str, usize>,
}

/// So many keys are read by one command at most: a large one holds Redis up.
const GROUP: usize = 64;

pub(crate) fn groups(wanted: &[Wanted]) -> Vec<Group<'_>> {
    wanted.chunks(GROUP).map(Group::new).collect()
}

impl<'w> Group<'w> {
    fn new(wanted: &'w [Wanted]) -> Self {
        let (mut tags, mut places) = (Vec::new(), HashMap::new());
        for tag in wanted.iter().flat_map(Wanted::guess) {
            places.entry(&**tag).or_insert_with(|| {
                tags.push(&**tag);
                tags.len() - 1
            });
        }
        Self { wanted, tags, places }
    }

    /// Adds what reads them, for [`take`](Self::take).
    pub(crate) fn ask(&self, session: &Session, batch: &mut Batch, epoch: u64) {
        let names = &session.link.names;
        let mut all: Vec<String> = self.wanted.iter().map(|it| names.entry(epoch, &it.key)).collect();
        // What is left comes before the value: what was written in between is then taken for older than it is.
        for entry in &all {
            batch.read(command("PTTL", entry));
        }
        all.extend(self.tags.iter().map(|tag| names.mark(epoch, tag)));
        batch.read_values(&all);
    }

    /// The answers, one for each key.
    pub(crate) fn take(
        &self,
        link: &Link,
        answers: &mut Answers,
        looks: &mut Vec<Result<Look, Failure>>,
    ) -> Result<(), Failure> {
        let lefts = self.wanted.iter().map(|_| time_left(answers)).collect::<Result<Vec<_>, _>>()?;
        let mut values = answers.next_values(self.wanted.len() + self.tags.len())?;
        let found = values.by_ref().take(self.wanted.len()).map(bytes).collect::<Result<Vec<_>, _>>()?;
        let marks: Vec<Result<Option<Mark>, Failure>> = values.map(read_mark).collect();
        for ((wanted, value), left) in self.wanted.iter().zip(found).zip(lefts) {
            let mut its = wanted.guess().iter().map(|tag| marks[self.places[&**tag]].clone());
            looks.push(look(link, wanted, (value, left), &mut its));
        }
        Ok(())
    }
}

/// What is known of a key after one round trip.
pub(crate) enum Look {
    Known(Found),
    /// A counter, whose header stands elsewhere; and what is left of its life.
    Counter(i64, u64),
    /// An entry that is struck softly, with its tags and their marks; or one whose tags were not guessed, without marks.
    Entry(Found, Vec<Box<str>>, Option<Vec<Option<Mark>>>),
}

/// Reads what stands under `key`: in one round trip if it has no tags, or those that it had when it was last seen here.
pub(crate) async fn read(session: &Session, key: &str) -> Result<Found, Failure> {
    let wanted = [Wanted::new(&session.link, key.into())];
    let group = Group::new(&wanted);
    session
        .in_epoch(async |epoch| {
            let (order, mut answers) = session.ordered(|batch| group.ask(session, batch, epoch)).await?;
            let mut looks = Vec::new();
            group.take(&session.link, &mut answers, &mut looks)?;
            let look = looks.pop().ok_or(Failure::Odd)?;
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
    marks: &mut dyn Iterator<Item = Result<Option<Mark>, Failure>>,
) -> Result<Look, Failure> {
    // What has no end was given none by somebody else: larder writes nothing without.
    let (Some(bytes), Some(left)) = (value, left) else { return Ok(Look::Known(Found::Nothing)) };
    if let Some(count) = integer(&bytes) {
        return Ok(Look::Counter(count, left));
    }
    let Some(header) = Header::read(&bytes) else { return Ok(Look::Known(Found::Foreign)) };
    let left = left.saturating_sub(header.slack);
    // What has more time left than it was to live has been given that by somebody else.
    if matches!(header.state, State::Held | State::Counter) || left == 0 || left > header.total {
        return Ok(Look::Known(Found::Nothing));
    }
    if !wanted.is_as_guessed(&bytes[HEADER..header.body()]) {
        let Some(tags) = header.tags(&bytes) else { return Ok(Look::Known(Found::Foreign)) };
        link.learn_tags(&wanted.key, &tags);
        let found = Found::Entry { header, left, bytes };
        // Nothing is to be asked of no tags.
        return Ok(if tags.is_empty() { Look::Known(found) } else { Look::Entry(found, tags, None) });
    }
    let found = Found::Entry { header, left, bytes };
    if wanted.guess.is_none() {
        return Ok(Look::Known(found));
    }
    let marks = marks.collect::<Result<Vec<_>, _>>()?;
    Ok(match judge(&marks, header.born) {
        Verdict::Valid => Look::Known(found),
        Verdict::Struck => Look::Known(Found::Nothing),
        Verdict::Stale(_) => Look::Entry(found, wanted.guess().to_vec(), Some(marks)),
    })
}

/// What is found in the end; where a look did not tell, in more round trips.
pub(crate) async fn look_further(
    session: &Session,
    epoch: u64,
    key: &str,
    look: Look,
) -> Result<Found, Failure> {
    let (mut found, tags, marks) = match look {
        Look::Known(found) => return Ok(found),
        Look::Counter(count, left) => {
            let header = companion(session, epoch, key).await?.filter(|header| left <= header.total);
            return Ok(header.map_or(Found::Nothing, |header| Found::Counter { count, header, left }));
        }
        Look::Entry(found, tags, marks) => (found, tags, marks),
    };
    let Found::Entry { header, left, .. } = &mut found else { return Ok(found) };
    let marks = match marks {
        Some(marks) => marks,
        None => read_marks(session, epoch, &tags).await?,
    };
    match judge(&marks, header.born) {
        Verdict::Struck => return Ok(Found::Nothing),
        Verdict::Valid => {}
        Verdict::Stale(soft) => {
            let ago = struck_ago(session, epoch, &tags, &marks, &soft).await?;
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
    left: u64,
    ago: u64,
) -> Result<(), Failure> {
    let over = header.total.saturating_sub(left);
    let at = over.saturating_sub(ago);
    if header.fresh <= at {
        return Ok(());
    }
    header.fresh = at;
    let keys = session.link.names.keys(epoch, key);
    let mut batch = session.batch();
    let (from, ago) = (header.from.to_string(), ago.to_string());
    batch.script(&SOFTEN, &[&keys.entry, &keys.companion], &[from.as_bytes(), ago.as_bytes()]);
    session.send(&batch).await?.next().map(drop)
}

/// The header beside a counter.
async fn companion(session: &Session, epoch: u64, key: &str) -> Result<Option<Header>, Failure> {
    let mut batch = session.batch();
    batch.read(command("GET", &session.link.names.keys(epoch, key).companion));
    let Some(found) = bytes(session.send(&batch).await?.next()?)? else { return Ok(None) };
    Ok(Header::read(&found))
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
            Self::Entry { header, left, .. } | Self::Counter { header, left, .. } => {
                Some(header.times(*left))
            }
            Self::Nothing | Self::Foreign => None,
        }
    }
}
