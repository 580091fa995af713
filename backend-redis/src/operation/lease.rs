//! Leases: what a load holds of the place of its value, and the claim to be the one that loads it for the whole fleet.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_core::{BoxFuture, Ended, Fence};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use crate::io::batch::Batch;
use crate::io::ears::{Ear, Ears, letter};
use crate::io::failure::Failure;
use crate::io::link::Link;
use crate::io::session::Session;
use crate::stored::order::Order;
use crate::stored::script::{EXTEND, LEASE, RELEASE};
use crate::stored::slot::{beginning, millis};
use crate::stored::tags::{Marked, with_marks};

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
pub(crate) struct Leases {
    /// What it is called in its claims.
    holder: String,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// With the claim of each, if it may have one.
    all: HashMap<u64, Option<Claim>>,
    /// Whether somebody extends the claims.
    extended: bool,
}

#[derive(Clone)]
struct Claim {
    key: Box<str>,
    epoch: u64,
    since: Instant,
}

impl Default for Leases {
    fn default() -> Self {
        Self { holder: format!("{:016x}", fastrand::u64(..)), held: Mutex::default() }
    }
}

impl Leases {
    /// The load of this lease is over; whether it was not before.
    pub(crate) fn end(&self, lease: u64) -> bool {
        self.held.lock().all.remove(&lease).is_some()
    }

    fn begin(self: &Arc<Self>, link: &Rc<Link>, lease: u64, claim: Option<Claim>) {
        let mut held = self.held.lock();
        let claims = claim.is_some();
        held.all.insert(lease, claim);
        if claims && !std::mem::replace(&mut held.extended, true) {
            spawn_local(extend(self.clone(), link.clone()));
        }
    }

    /// The claims to be extended; where there are none, nobody needs to any more.
    fn claims(&self) -> Vec<(u64, Claim)> {
        let mut held = self.held.lock();
        let young = |claim: &&Claim| claim.since.elapsed() < LONGEST;
        let claims = held
            .all
            .iter()
            .filter_map(|(lease, claim)| Some((*lease, claim.as_ref().filter(young)?.clone())));
        let claims: Vec<_> = claims.collect();
        held.extended = !claims.is_empty();
        claims
    }

    fn is_void(&self, lease: u64) {
        if let Some(claim) = self.held.lock().all.get_mut(&lease) {
            *claim = None;
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

async fn extend_all(session: &Session, leases: &Leases, claims: &[(u64, Claim)]) -> Result<(), Failure> {
    let names = &session.link.names;
    let life = millis(LIFE).to_string();
    let mut batch = session.batch();
    for (lease, Claim { key, epoch, .. }) in claims {
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

/// A lease, with the order as it is; zero if somebody else loads. On the way it sees to `marks`: of which tags, and for how
/// many milliseconds.
pub(crate) async fn take(
    session: &Session,
    epoch: u64,
    key: &str,
    (ask, holder): (Ask, &str),
    marks: (&[Box<str>], u64),
) -> Result<(Option<Order>, u64), Failure> {
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
    let lease = u64::try_from(answers.next_number()?).map_err(|_| Failure::Odd)?;
    Ok((order, lease))
}

/// What comes of asking.
pub(crate) enum Asked {
    Mine(Fence),
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
    let claims = ask != Ask::Fence;
    let (fence, ear) = session
        .in_epoch(async |epoch| {
            // Before it is asked for, so that nothing is missed.
            let ear = claims.then(|| Ears::listen(link, &link.names.entry(epoch, key))).flatten();
            let (order, lease) = take(session, epoch, key, (ask, &leases.holder), (&[], 0)).await?;
            let sequence = order.map_or(0, |order| order.sequence);
            Ok((order, (Fence { incarnation: epoch, sequence, lease }, ear)))
        })
        .await?;
    if fence.lease == 0 {
        return Ok(Asked::Theirs(over(link.clone(), ear)));
    }
    let claim = Claim { key: key.into(), epoch: fence.incarnation, since: Instant::now() };
    leases.begin(link, fence.lease, claims.then_some(claim));
    Ok(Asked::Mine(fence))
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
