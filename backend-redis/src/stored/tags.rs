//! What the marks say of an entry with tags.

use redis::Value;

use crate::io::batch::{Answers, Batch, bytes, number};
use crate::io::failure::Failure;
use crate::io::session::Session;
use crate::stored::order::Order;
use crate::stored::script::MARKS;

/// A mark, or what is known where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mark {
    /// The sequence of the last strike that removes, and of the last one that marks stale.
    pub(crate) hard: u64,
    pub(crate) soft: u64,
    /// With what is left of its life: when that was.
    base: u64,
}

/// `None`: there is no mark, so whatever bears the tag is invalid.
pub(crate) fn read_mark(value: Value) -> Result<Option<Mark>, Failure> {
    let Some(text) = bytes(value)? else { return Ok(None) };
    let text = String::from_utf8(text).map_err(|_| Failure::Odd)?;
    let numbers: Option<Vec<u64>> = text.split(' ').map(|number| number.parse().ok()).collect();
    match numbers.as_deref() {
        Some([hard, soft, base]) => Ok(Some(Mark { hard: *hard, soft: *soft, base: *base })),
        _ => Err(Failure::Odd),
    }
}

/// Whether an entry born then may be served.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Valid,
    /// Only as stale; which of its tags say so.
    Stale(Vec<usize>),
    Struck,
}

pub(crate) fn judge(marks: &[Option<Mark>], born: u64) -> Verdict {
    if marks.iter().any(|mark| mark.is_none_or(|mark| mark.hard > born)) {
        return Verdict::Struck;
    }
    let soft: Vec<usize> =
        (0..marks.len()).filter(|at| marks[*at].is_some_and(|it| it.soft > born)).collect();
    if soft.is_empty() { Verdict::Valid } else { Verdict::Stale(soft) }
}

fn mark_names(session: &Session, epoch: u64, tags: &[Box<str>]) -> Vec<String> {
    tags.iter().map(|tag| session.link.names.mark(epoch, tag)).collect()
}

/// The marks of `tags`.
pub(crate) async fn read_marks(
    session: &Session,
    epoch: u64,
    tags: &[Box<str>],
) -> Result<Vec<Option<Mark>>, Failure> {
    if tags.is_empty() {
        return Ok(Vec::new());
    }
    let mut batch = session.batch();
    batch.read_values(&mark_names(session, epoch, tags));
    session.send(&batch).await?.next_values(tags.len())?.map(read_mark).collect()
}

/// How long ago the soft strike of each of these marks was, in milliseconds; the longest.
pub(crate) async fn struck_ago(
    session: &Session,
    epoch: u64,
    tags: &[Box<str>],
    marks: &[Option<Mark>],
    soft: &[usize],
) -> Result<u64, Failure> {
    let mut batch = session.batch();
    for at in soft {
        batch.read(redis::cmd("PTTL").arg(session.link.names.mark(epoch, &tags[*at])).to_owned());
    }
    let mut answers = session.send(&batch).await?;
    let mut longest = 0;
    for at in soft {
        let left = u64::try_from(answers.next_number()?).unwrap_or(0);
        longest = longest.max(marks[*at].map_or(0, |mark| mark.base.saturating_sub(left)));
    }
    Ok(longest)
}

/// What was answered beside the marks.
pub(crate) struct Marked {
    pub(crate) order: Option<Order>,
    /// When each of the tags was last struck hard; of an epoch that is over, nothing.
    pub(crate) struck: Vec<u64>,
    pub(crate) answers: Answers,
}

/// Sees to it that the marks of `tags` outlive what lives for `total` milliseconds, and reads the order; then sends what
/// `fill` adds. What is born at that order or before it, is judged rightly by these marks.
///
/// A mark may have been evicted. The recent strikes then still say when the tag was struck; of what is older than they
/// reach, that counts as when. Order, recent strikes and marks share a slot, so no strike falls in between.
pub(crate) async fn with_marks(
    session: &Session,
    epoch: u64,
    (tags, total): (&[Box<str>], u64),
    fill: impl FnOnce(&mut Batch),
) -> Result<Marked, Failure> {
    if tags.is_empty() {
        let (order, answers) = session.ordered(fill).await?;
        return Ok(Marked { order, struck: Vec::new(), answers });
    }
    let names = &session.link.names;
    let mut batch = session.batch();
    let mut keys = vec![names.order(), names.recent()];
    keys.extend(mark_names(session, epoch, tags));
    let (epoch, total) = (format!("{epoch:016x}"), total.to_string());
    let mut args = vec![epoch.as_bytes(), total.as_bytes()];
    args.extend(tags.iter().map(|tag| tag.as_bytes()));
    batch.script(&MARKS, &keys.iter().map(|key| &**key).collect::<Vec<_>>(), &args);
    fill(&mut batch);
    let mut answers = session.send(&batch).await?;
    let mut said = answers.next_list()?.into_iter();
    let order = bytes(said.next().ok_or(Failure::Odd)?)?.filter(|text| !text.is_empty());
    let order = order.map(|text| Order::parse(&text).ok_or(Failure::Odd)).transpose()?;
    let struck =
        said.map(|number_said| number(&number_said).ok_or(Failure::Odd)).collect::<Result<_, _>>()?;
    Ok(Marked { order, struck, answers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_a_mark_or_has_none_is_struck() {
        let mark = |hard, soft| Some(Mark { hard, soft, base: 0 });
        assert_eq!(judge(&[], 5), Verdict::Valid);
        assert_eq!(judge(&[mark(5, 5), mark(0, 0)], 5), Verdict::Valid);
        assert_eq!(judge(&[mark(5, 6), mark(0, 7)], 5), Verdict::Stale(vec![0, 1]));
        assert_eq!(judge(&[mark(6, 6), mark(0, 0)], 5), Verdict::Struck);
        assert_eq!(judge(&[mark(0, 0), None], 5), Verdict::Struck);
    }
}
