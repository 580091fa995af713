//! Invalidations, each as it is done in Redis. All can be done again: a second time changes nothing that is newer.

use std::mem;
use std::rc::Rc;

use cache_core::{Named, Strength};
use redis::ToRedisArgs;
use tokio::task::spawn_local;

use crate::io::batch::{Answers, Batch};
use crate::io::failure::{Failure, within};
use crate::io::link::Link;
use crate::io::queue::Strike;
use crate::io::session::{Session, order};
use crate::operation::scan::each_found;
use crate::stored::names::Names;
use crate::stored::script::{SOFTEN, STRIKE};

/// How many tags are remembered as struck recently.
const RECENT: usize = 4096;
/// How many epochs that are over wait to be swept; what is left of others goes when its time is over.
const OVER: usize = 1024;

/// Does it, and returns when Redis has it.
pub(crate) async fn run(session: &Session, (target, strength): &Strike) -> Result<(), Failure> {
    session.link.strikes();
    match (target, strength) {
        (Named::Key(key), Strength::Remove) => key_removed(session, key).await,
        (Named::Key(key), Strength::MarkStale) => key_softened(session, key).await,
        (Named::Tag(tag), strength) => {
            or_everything(session, tag_struck(session, tag, *strength).await).await
        }
        (Named::All, Strength::Remove) => or_everything(session, renew(session).await).await,
        (Named::All, Strength::MarkStale) => scan(session, "*", *strength).await,
        (Named::Pattern(pattern), strength) => scan(session, pattern, *strength).await,
    }?;
    session.link.sent(target.target());
    Ok(())
}

/// What was to be written, or invalidated, was not: then what stands there goes at once, if Redis can be reached and has
/// only refused it; otherwise its invalidation waits in the queue. Returns why, `Refused` in the first case alone.
pub(crate) async fn or_queue(link: &Rc<Link>, strike: Strike, failure: Failure) -> Failure {
    if let Failure::Refused(_) = failure
        && let Ok(session) = link.session().await
    {
        let harder = (strike.0.clone(), Strength::Remove);
        if within(Some(link.settings.operation), run(&session, &harder)).await.is_ok() {
            return failure;
        }
    }
    link.queue_up(strike, &failure);
    match failure {
        Failure::Refused(why) => Failure::Down(why),
        failure => failure,
    }
}

/// Where Redis has no room to write down an invalidation, it has room to forget: the next one begins a new epoch.
async fn or_everything(session: &Session, done: Result<(), Failure>) -> Result<(), Failure> {
    match done {
        Err(failure) if failure.is_full() => {
            let names = &session.link.names;
            let forget = |batch: &mut Batch| {
                batch.write(redis::cmd("UNLINK").arg(names.order()).arg(names.recent()).take());
                batch.write(names.touch_newest());
            };
            let (before, answers) = session.ordered(forget).await?;
            session.link.epoch.set(0);
            all_done(answers, 2)?;
            if let Some(before) = before {
                sweep(session, before.epoch);
            }
            Ok(())
        }
        done => done,
    }
}

async fn key_removed(session: &Session, key: &str) -> Result<(), Failure> {
    session
        .in_epoch_if_any(async |epoch| {
            let keys = session.link.names.keys(epoch, key);
            let mut commands = 0;
            let keys = [keys.entry, keys.companion];
            let (order, answers) = session.ordered(|batch| commands = remove(session, batch, &keys)).await?;
            Ok((order, all_done(answers, commands)?))
        })
        .await
}

async fn key_softened(session: &Session, key: &str) -> Result<(), Failure> {
    session
        .in_epoch_if_any(async |epoch| {
            let keys = session.link.names.keys(epoch, key);
            let soften = |batch: &mut Batch| {
                batch.script(&SOFTEN, &[&keys.entry, &keys.companion], &[b"", b"0"]);
            };
            let (order, answers) = session.ordered(soften).await?;
            Ok((order, all_done(answers, 1)?))
        })
        .await
}

/// Raises the order, and with it the mark if there is one: who took the order before, is older than the mark; who takes
/// it after, began to load after this was called. Whoever makes a mark that is missing finds this among the recent ones.
async fn tag_struck(session: &Session, tag: &str, strength: Strength) -> Result<(), Failure> {
    let names = &session.link.names;
    let letter: &[u8] = if strength == Strength::Remove { b"h" } else { b"s" };
    let recent = RECENT.to_string();
    session
        .in_epoch_if_any(async |epoch| {
            let mut batch = session.batch();
            let of = format!("{epoch:016x}");
            let args = [of.as_bytes(), letter, tag.as_bytes(), recent.as_bytes()];
            let (mark, struck) = (names.mark(epoch, tag), names.struck(epoch, tag));
            batch.script(&STRIKE, &[&names.order(), &names.recent(), &mark, &struck], &args);
            Ok((order(session.send(&batch).await?.next()?)?, ()))
        })
        .await
}

/// Begins a new epoch, in which there is nothing. What the one before holds is swept behind everybody's back.
pub(crate) async fn renew(session: &Session) -> Result<(), Failure> {
    if let (Some(before), _) = session.renew(false).await? {
        sweep(session, before.epoch);
    }
    Ok(())
}

/// Removes what an epoch holds that is over. There is one scan at a time, for all of them.
fn sweep(session: &Session, epoch: u64) {
    let link = session.link.clone();
    if link.over.borrow().len() < OVER {
        link.over.borrow_mut().push(epoch);
    }
    if link.sweeping.replace(true) {
        return;
    }
    let session = Session { link, connection: session.connection.clone(), ..*session };
    spawn_local(async move {
        loop {
            let over = mem::take(&mut *session.link.over.borrow_mut());
            // Where that fails, what is left goes when its time is over.
            if over.is_empty() || sweep_all(&session, &over).await.is_err() {
                break;
            }
        }
        session.link.sweeping.set(false);
    });
}

async fn sweep_all(session: &Session, over: &[u64]) -> Result<(), Failure> {
    let names = &session.link.names;
    let glob = names.whole(over.first().copied().filter(|_| over.len() == 1));
    each_found(session, &glob, async |mut found| {
        found.retain(|name| names.epoch_of(name).is_some_and(|epoch| over.contains(&epoch)));
        unlink(session, found).await
    })
    .await
}

/// All that `pattern` matches, by Redis' own matcher. A load's place is a key like any other: whoever began before this
/// does not publish after it.
async fn scan(session: &Session, pattern: &str, strength: Strength) -> Result<(), Failure> {
    session
        .in_epoch_if_any(async |epoch| {
            let names = &session.link.names;
            let glob = names.glob(epoch, pattern);
            each_found(session, &glob, async |found| match strength {
                Strength::Remove => unlink(session, with_companions(names, found)).await,
                Strength::MarkStale => soften(session, names, found).await,
            })
            .await?;
            Ok((session.ordered(|_| {}).await?.0, ()))
        })
        .await
}

fn with_companions(names: &Names, mut found: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let companions: Vec<_> = found.iter().map(|entry| names.companion_of(entry)).collect();
    found.extend(companions);
    found
}

async fn unlink(session: &Session, names: Vec<Vec<u8>>) -> Result<(), Failure> {
    if names.is_empty() {
        return Ok(());
    }
    let mut batch = session.batch();
    let commands = remove(session, &mut batch, &names);
    all_done(session.send(&batch).await?, commands)
}

fn all_done(mut answers: Answers, commands: usize) -> Result<(), Failure> {
    (0..commands).try_for_each(|_| answers.next().map(drop))
}

/// Adds what removes these names; how many commands that are. On a cluster it is one for each, as they may stand apart: of
/// a slot that moves, also those of one slot.
fn remove<N: ToRedisArgs>(session: &Session, batch: &mut Batch, names: &[N]) -> usize {
    if !session.connection.is_spread() {
        batch.write(redis::cmd("UNLINK").arg(names).take());
        return 1;
    }
    for name in names {
        batch.write(redis::cmd("UNLINK").arg(name).take());
    }
    names.len()
}

async fn soften(session: &Session, names: &Names, found: Vec<Vec<u8>>) -> Result<(), Failure> {
    let mut batch = session.batch();
    for entry in &found {
        let companion = names.companion_of(entry);
        // Keys are UTF-8; what is not, larder has not written.
        let (Ok(entry), Ok(companion)) = (str::from_utf8(entry), str::from_utf8(&companion)) else {
            continue;
        };
        batch.script(&SOFTEN, &[entry, companion], &[b"", b"0"]);
    }
    if batch.scripts.is_empty() {
        return Ok(());
    }
    all_done(session.send(&batch).await?, batch.scripts.len())
}
