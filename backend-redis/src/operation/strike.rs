//! Invalidations, each as it is done in Redis. All can be done again: a second time changes nothing that is newer.

use cache_core::Strength;
use redis::ToRedisArgs;

use crate::io::batch::{Batch, bytes};
use crate::io::failure::Failure;
use crate::io::queue::{Owned, Strike};
use crate::io::session::{Session, order};
use crate::operation::scan::each_found;
use crate::stored::names::Names;
use crate::stored::order::{Order, new_epoch};
use crate::stored::script::{MARK, SOFTEN, STRIKE};
use crate::stored::slot::millis;

/// How many tags are remembered as struck recently.
const RECENT: usize = 4096;

/// Does it, and returns when Redis has it.
pub(crate) async fn run(session: &Session, (target, strength): &Strike) -> Result<(), Failure> {
    match (target, strength) {
        (Owned::Key(key), Strength::Remove) => key_removed(session, key).await,
        (Owned::Key(key), Strength::MarkStale) => key_softened(session, key).await,
        (Owned::Tag(tag), strength) => {
            or_everything(session, tag_struck(session, tag, *strength).await).await
        }
        (Owned::All, Strength::Remove) => or_everything(session, renew(session).await).await,
        (Owned::All, Strength::MarkStale) => scan(session, "*", *strength).await,
        (Owned::Pattern(pattern), strength) => scan(session, pattern, *strength).await,
    }
}

/// Where Redis has no room to write a mark, it has room to forget: the next one begins a new epoch.
async fn or_everything(session: &Session, done: Result<(), Failure>) -> Result<(), Failure> {
    match done {
        Err(failure) if failure.is_full() => {
            let names = &session.link.names;
            let mut batch = Batch::default();
            batch.write(redis::cmd("UNLINK").arg(names.order()).arg(names.recent()).to_owned());
            session.link.epoch.set(0);
            session.send(&batch).await?.next().map(drop)
        }
        done => done,
    }
}

async fn key_removed(session: &Session, key: &str) -> Result<(), Failure> {
    session
        .in_epoch(async |epoch| {
            let keys = session.link.names.keys(epoch, key);
            let mut batch = Batch::default();
            batch.read(session.read_order());
            let commands = remove(session, &mut batch, &[keys.entry, keys.companion]);
            let mut answers = session.send(&batch).await?;
            let order = order(answers.next()?)?;
            for _ in 0..commands {
                answers.next()?;
            }
            Ok((order, ()))
        })
        .await
}

async fn key_softened(session: &Session, key: &str) -> Result<(), Failure> {
    session
        .in_epoch(async |epoch| {
            let keys = session.link.names.keys(epoch, key);
            let mut batch = Batch::default();
            batch.read(session.read_order());
            batch.script(&SOFTEN, &[&keys.entry, &keys.companion], &[b"", b"0"]);
            let mut answers = session.send(&batch).await?;
            let order = order(answers.next()?)?;
            Ok((order, answers.next().map(drop)?))
        })
        .await
}

/// The order first, then the mark: who took the order before, is older than the mark; who takes it after, began to
/// load after this was called.
async fn tag_struck(session: &Session, tag: &str, strength: Strength) -> Result<(), Failure> {
    let names = &session.link.names;
    let mut batch = Batch::default();
    let letter: &[u8] = if strength == Strength::Remove { b"h" } else { b"s" };
    let (new, recent) = (new_epoch(session.link.server.get()), RECENT.to_string());
    let args = [new.as_bytes(), letter, tag.as_bytes(), recent.as_bytes()];
    batch.script(&STRIKE, &[&names.order(), &names.recent()], &args);
    let struck = bytes(session.send(&batch).await?.next()?)?;
    let order = struck.and_then(|text| Order::parse(&text)).ok_or(Failure::Odd)?;
    let (at, hold) = (order.sequence.to_string(), millis(session.link.settings.hold).to_string());
    let [hard, soft] = if strength == Strength::Remove { [&*at, "0"] } else { ["0", &*at] };
    let mut batch = Batch::default();
    let mark = names.mark(order.epoch, tag);
    let args = [hard.as_bytes(), soft.as_bytes(), hold.as_bytes()];
    batch.script(&MARK, &[&mark], &args);
    session.send(&batch).await?.next().map(drop)
}

/// Begins a new epoch, in which there is nothing. What the one before holds is swept behind everybody's back.
pub(crate) async fn renew(session: &Session) -> Result<(), Failure> {
    let (before, _) = session.renew(false).await?;
    if let Some(before) = before {
        let session =
            Session { link: session.link.clone(), connection: session.connection.clone(), ..*session };
        tokio::task::spawn_local(async move {
            let glob = session.link.names.whole(before.epoch);
            // Where that fails, what is left goes when its time is over.
            let _ = each_found(&session, &glob, async |names| unlink(&session, names).await).await;
        });
    }
    Ok(())
}

/// All that `pattern` matches, by Redis' own matcher. A load's place is a key like any other: whoever began before this
/// does not publish after it.
async fn scan(session: &Session, pattern: &str, strength: Strength) -> Result<(), Failure> {
    session
        .in_epoch(async |epoch| {
            let names = &session.link.names;
            let glob = names.glob(epoch, pattern);
            each_found(session, &glob, async |found| match strength {
                Strength::Remove => unlink(session, with_companions(names, found)).await,
                Strength::MarkStale => soften(session, names, found).await,
            })
            .await?;
            let mut batch = Batch::default();
            batch.read(session.read_order());
            Ok((order(session.send(&batch).await?.next()?)?, ()))
        })
        .await
}

fn with_companions(names: &Names, mut found: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let companions: Vec<_> = found.iter().map(|entry| names.companion_of(entry)).collect();
    found.extend(companions);
    found
}

async fn unlink(session: &Session, names: Vec<Vec<u8>>) -> Result<(), Failure> {
    let mut batch = Batch::default();
    let commands = remove(session, &mut batch, &names);
    let mut answers = session.send(&batch).await?;
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
    let mut batch = Batch::default();
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
    let mut answers = session.send(&batch).await?;
    batch.scripts.iter().try_for_each(|_| answers.next().map(drop))
}
