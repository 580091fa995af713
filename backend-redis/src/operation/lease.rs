//! Leases: what a load holds of the place of its value, and the claim to be the one that loads it for the whole fleet.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cache_core::{BoxFuture, Ended, Fence, Target};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, timeout};

use crate::io::batch::{Batch, number};
use crate::io::ears::{Ear, Ears, letter};
use crate::io::failure::Failure;
use crate::io::link::Link;
use crate::io::session::Session;
use crate::stored::order::Order;
use crate::stored::script::{CHECK, EXTEND, LEASE, RELEASE};
use crate::stored::slot::{beginning, millis};
use crate::stored::tags::{Marked, with_marks};

/// For how long, and of how many keys, it is remembered what a load has left: until Redis has told of it.
const ECHO: Duration = Duration::from_secs(1);
const OVER: usize = 1024;
/// How long a claim lives after its holder was last heard of, and how often he says that he lives.
const LIFE: Duration = Duration::from_millis(2500);
const BEAT: Duration = Duration::from_millis(800);
/// Nobody is heard for longer than this: others may load, too.
const LONGEST: Duration = Duration::from_secs(60);
/// How often those who wait look for themselves, between four fifths and six fifths of it.
const LOOK: Duration = Duration::from_millis(250);
/// How many may load at once after a load that came to nothing.
const FEW: usize = 8;

/// How a lease is asked for.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Ask {
    /// In any case, and without a claim.
    Fence,
    /// With a claim, if nobody else has one.
    Lease,
    /// The same; without a claim where somebody has one, but only a few load.
    Retry,
}

/// The leases of this process whose loads have not ended.
#[derive(Debug)]
pub(crate) struct Leases {
    /// What it is called in its claims.
    holder: String,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// By their numbers: in the simulation, everything has one order.
    all: BTreeMap<u64, Load>,
    /// What became of those that have just ended.
    over: VecDeque<Over>,
    /// Whether somebody extends the claims.
    extended: bool,
}

#[derive(Clone, Debug)]
struct Load {
    key: Box<str>,
    epoch: u64,
    since: Instant,
    /// Whether it may have a claim.
    claims: bool,
}

/// A lease whose load has just ended.
#[derive(Debug)]
struct Over {
    key: Box<str>,
    at: Instant,
    left: Left,
}

/// What a load leaves under its key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Left {
    Nothing,
    /// What was published under that lease, fresh and living for so many milliseconds, of so many bytes.
    Published(u64, u64, u64, u64),
}

/// What this process has under a key, or has just had.
#[derive(Eq, PartialEq)]
pub(crate) enum Ours {
    Leases(Vec<u64>),
    Left(Left),
}

impl Default for Leases {
    fn default() -> Self {
        Self { holder: format!("{:016x}", fastrand::u64(..)), held: Mutex::default() }
    }
}

impl Leases {
    /// The load of this lease is over, and leaves that; whether it was not over before.
    pub(crate) fn end(&self, lease: u64, left: Left) -> bool {
        let mut held = self.held.lock();
        let Some(Load { key, .. }) = held.all.remove(&lease) else { return false };
        let at = Instant::now();
        while held.over.len() >= OVER || held.over.front().is_some_and(|over| at - over.at > ECHO) {
            held.over.pop_front();
        }
        held.over.push_back(Over { key, at, left });
        true
    }

    /// What this process has of `key`, if anything: what Redis tells of that, it may have done itself. A load that left
    /// nothing says nothing of that: others may have published since, and what is gone may be what memory has a copy of.
    pub(crate) fn of(&self, key: &str) -> Option<Ours> {
        let held = self.held.lock();
        let leases = held.all.iter().filter(|(_, load)| *load.key == *key).map(|(lease, _)| *lease);
        let leases: Vec<u64> = leases.collect();
        if !leases.is_empty() {
            return Some(Ours::Leases(leases));
        }
        let over = held.over.iter().rev().find(|over| *over.key == *key && over.at.elapsed() <= ECHO);
        match over?.left {
            Left::Nothing => None,
            left => Some(Ours::Left(left)),
        }
    }

    /// What loads have left under `target` is no longer what stands there: if it is there again, others have put it back.
    pub(crate) fn forget(&self, target: Target<'_>) {
        let over = &mut self.held.lock().over;
        match target {
            Target::Key(key) => over.retain(|over| *over.key != *key),
            // It changes nothing that stands there; and where tags are struck all the time, every copy would go with them.
            Target::Tag(_) => {}
            _ => over.clear(),
        }
    }

    fn begin(self: &Arc<Self>, link: &Rc<Link>, lease: u64, it: Load) {
        let mut held = self.held.lock();
        let claims = it.claims;
        held.all.insert(lease, it);
        if claims && !std::mem::replace(&mut held.extended, true) {
            spawn_local(extend(self.clone(), link.clone()));
        }
    }

    /// The claims to be extended; where there are none, nobody needs to any more.
    fn claims(&self) -> Vec<(u64, Load)> {
        let mut held = self.held.lock();
        let claims = held.all.iter().filter(|(_, it)| it.claims && it.since.elapsed() < LONGEST);
        let claims: Vec<_> = claims.map(|(lease, it)| (*lease, it.clone())).collect();
        held.extended = !claims.is_empty();
        claims
    }

    fn is_void(&self, lease: u64) {
        if let Some(it) = self.held.lock().all.get_mut(&lease) {
            it.claims = false;
        }
    }
}

/// Keeps the claims of this process alive while their loads go on.
async fn extend(leases: Arc<Leases>, link: Rc<Link>) {
    loop {
        sleep(BEAT).await;
        let claims = leases.claims();
        if claims.is_empty() {
            return;
        }
        // Where it cannot be said, it is said again next time, or the claim ends.
        if let Ok(session) = link.session().await {
            let _ = extend_all(&session, &leases, &claims).await;
        }
    }
}

async fn extend_all(session: &Session, leases: &Leases, claims: &[(u64, Load)]) -> Result<(), Failure> {
    let names = &session.link.names;
    let life = millis(LIFE).to_string();
    let mut batch = session.batch();
    for (lease, Load { key, epoch, .. }) in claims {
        let keys = [names.entry(*epoch, key), names.claim(*epoch, key)];
        let args =
            [lease.to_string().into_bytes(), leases.holder.clone().into_bytes(), life.clone().into_bytes()];
        batch.script(&EXTEND, &keys.each_ref().map(|key| &**key), &args.each_ref().map(|arg| &**arg));
    }
    let mut answers = session.send(&batch).await?;
    for (lease, _) in claims {
        if answers.next_number()? == 0 {
            leases.is_void(*lease);
        }
    }
    Ok(())
}

/// How often it is looked again where this process has changed it meanwhile.
const AGAIN: usize = 4;

/// Whether what stands under `key` is as this process has left it, `ours`: nobody else has written, removed, marked stale
/// or given other deadlines to it.
pub(crate) async fn is_as_left(session: &Session, key: &str, mut ours: Ours) -> Result<bool, Failure> {
    for _ in 0..AGAIN {
        if looks_like(session, key, &ours).await? {
            return Ok(true);
        }
        // On a Cluster, word of it comes over another connection than answers do, and is no earlier.
        match session.link.leases.of(key) {
            Some(now) if now != ours => ours = now,
            _ => return Ok(false),
        }
    }
    Ok(false)
}

async fn looks_like(session: &Session, key: &str, ours: &Ours) -> Result<bool, Failure> {
    let mut batch = session.batch();
    batch.script(&CHECK, &[&session.link.names.entry(session.link.epoch.get(), key)], &[]);
    let there = session.send(&batch).await?.next_list()?;
    // After what it is.
    let numbers: Vec<u64> = there.iter().skip(1).filter_map(number).collect();
    Ok(match (ours, &numbers[..]) {
        (Ours::Leases(leases), [from, last, soft, ..]) => {
            leases.iter().all(|lease| *lease > *from.max(soft) && lease <= last)
        }
        (
            Ours::Left(Left::Published(lease, fresh, total, bytes)),
            [from, _, soft, its_fresh, its_total, over, its_bytes],
        ) => {
            let is_it = (lease, fresh, total, bytes) == (from, its_fresh, its_total, its_bytes);
            // Who gives it another end by hand changes none of these.
            is_it && lease > soft && *over <= millis(2 * ECHO)
        }
        _ => false,
    })
}

/// A lease as it is given.
#[derive(Clone, Copy, Default)]
pub(crate) struct Taken {
    /// Zero if somebody else loads.
    pub(crate) lease: u64,
    /// Whether something fresh stands there.
    fresh: bool,
}

/// A lease, with the order as it is. On the way it sees to `marks`: of which tags, and for how many milliseconds.
pub(crate) async fn take(
    session: &Session,
    epoch: u64,
    key: &str,
    (ask, holder): (Ask, &str),
    marks: (&[Box<str>], u64),
) -> Result<(Option<Order>, Taken), Failure> {
    let names = &session.link.names;
    let keys = names.keys(epoch, key);
    let how = match ask {
        Ask::Fence => "fence",
        Ask::Lease => "lease",
        Ask::Retry => "retry",
    };
    let numbers = [beginning(), millis(session.link.settings.hold), millis(LIFE), FEW as u64];
    let [from, hold, life, few] = numbers.map(|number| number.to_string());
    let args = [&*from, &*hold, how, holder, &*life, &*few].map(str::as_bytes);
    let ask = |batch: &mut Batch| {
        batch.script(&LEASE, &[&keys.entry, &keys.companion, &names.claim(epoch, key)], &args);
    };
    let Marked { order, mut answers, .. } = with_marks(session, epoch, marks, ask).await?;
    let number = answers.next_number()?;
    Ok((order, Taken { lease: number.unsigned_abs(), fresh: number < 0 }))
}

/// What comes of asking.
pub(crate) enum Asked {
    /// It is given, and something fresh stands there or not.
    Mine(Fence, bool),
    /// Somebody else loads. Ends when looking again is worth it.
    Theirs(BoxFuture<'static, Ended>),
}

/// A fence: the order, and a lease that stands where the value stands or would stand.
pub(crate) async fn ask(
    session: &Session,
    leases: &Arc<Leases>,
    key: &str,
    ask: Ask,
) -> Result<Asked, Failure> {
    let link = &session.link;
    link.made.raised().await;
    let claims = ask != Ask::Fence;
    let (fence, fresh, ear) = session
        .in_epoch(async |epoch| {
            // Before it is asked for, so that nothing is missed.
            let ear = claims.then(|| Ears::listen(link, &link.names.entry(epoch, key))).flatten();
            let (order, taken) = take(session, epoch, key, (ask, &leases.holder), (&[], 0)).await?;
            let sequence = order.map_or(0, |order| order.sequence);
            Ok((order, (Fence { incarnation: epoch, sequence, lease: taken.lease }, taken.fresh, ear)))
        })
        .await?;
    if fence.lease == 0 {
        return Ok(Asked::Theirs(over(link.clone(), ear)));
    }
    let it = Load { key: key.into(), epoch: fence.incarnation, since: Instant::now(), claims };
    leases.begin(link, fence.lease, it);
    Ok(Asked::Mine(fence, fresh))
}

/// Ends when the load of another process is over, as far as is known, or after a while.
fn over(link: Rc<Link>, ear: Option<Ear>) -> BoxFuture<'static, Ended> {
    let (tell, told) = oneshot::channel();
    spawn_local(async move {
        let heard = async {
            match ear {
                Some(mut ear) => ear.told().await,
                None => {
                    Ears::opened(&link).await;
                    Ended::Somehow
                }
            }
        };
        let ended = timeout(LOOK.mul_f64(0.8 + 0.4 * fastrand::f64()), heard).await;
        // Nobody may wait any more.
        let _ = tell.send(ended.unwrap_or(Ended::Somehow));
    });
    Box::pin(async { told.await.unwrap_or(Ended::Somehow) })
}

pub(crate) async fn release(session: &Session, key: &str, fence: Fence, ended: Ended) -> Result<(), Failure> {
    let names = &session.link.names;
    let mut batch = session.batch();
    let keys = names.keys(fence.incarnation, key);
    let (lease, channel) = (fence.lease.to_string(), names.channel());
    let args = [&*lease, letter(ended), &*channel].map(str::as_bytes);
    batch.script(&RELEASE, &[&keys.entry, &keys.companion, &names.claim(fence.incarnation, key)], &args);
    session.send(&batch).await?.next().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_load_has_left_is_forgotten_with_its_key_and_with_no_tag() {
        let (leases, left) = (Leases::default(), Left::Published(7, 1000, 2000, 100));
        for key in ["a", "b"] {
            leases.held.lock().over.push_back(Over { key: key.into(), at: Instant::now(), left });
        }
        let is_known = |key| leases.of(key) == Some(Ours::Left(left));
        leases.forget(Target::Tag("t"));
        assert!(is_known("a") && is_known("b"));
        leases.forget(Target::Key("a"));
        assert!(!is_known("a") && is_known("b"));
        leases.forget(Target::All);
        assert!(!is_known("b"));
    }
}
