//! The nodes of a fleet: who has handled what he was told, and what stands for how far somebody has read.
//!
//! A *node* is a handle somebody listens to. It holds a lease in Redis, in one hash for all (`scripts/fleet.lua`), from before
//! its memory is believed; renewed with each beat. What it has in memory is believed for less than that, by its own clock,
//! from when it asked for the lease ([`cache_core::Listener::assured`]): so whose lease is over believes nothing that he had.
//!
//! Who wants to know that everybody has handled a change *asks*, once the change is answered: the ask has a number, and
//! touches a watched name. It is told behind the change, since both are told in order; and who has handled all up to it
//! writes that down. See `docs/coherence.md`.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cache_core::{Strength, Target, Token};
use parking_lot::Mutex;
use redis::Value;
use tokio::task::spawn_local;
use tokio::time::Instant;

use crate::io::batch::{Answers, Batch, bytes};
use crate::io::failure::Failure;
use crate::io::link::Link;
use crate::io::session::Session;
use crate::io::told::Told;
use crate::operation::acked::Rounds;
use crate::stored::script::{NODE, TOKEN};

/// What is in memory is believed for so long after a lease was asked for, beside the time for which it is believed when cut
/// off: two beats.
const BELIEVED: Duration = Duration::from_secs(2);
/// A lease runs for so much longer: as far as Redis' clock may be set forward meanwhile.
const MARGIN: Duration = Duration::from_secs(1);
/// The lease of those who may have been there before anybody knows: at least that of a node as it is by default.
const BEFORE: Duration = Duration::from_secs(8);
/// The last token that stands for nothing that has not been handled here. Other threads see it.
pub(crate) type Seen = Arc<Mutex<Option<Token>>>;

/// That it is written down that this node is there: when that was sent, for whom, and how often it had left before.
pub(crate) struct Stay {
    asked: Instant,
    /// For how long copies were believed by those who listened then.
    belief: Duration,
    departures: u64,
}

/// This node.
pub(crate) struct Node {
    /// Random: of this handle.
    pub(super) name: String,
    /// How often it has left, whether it is gone since, and how often it had left when it was written down last.
    departures: Cell<u64>,
    gone: Cell<bool>,
    written: Cell<u64>,
    /// The fleet that the asks are of, the last of them, and the last one that is handled.
    of: Cell<u64>,
    asked: Cell<u64>,
    handled: Cell<u64>,
    /// Whether what was in memory when it was connected is gone.
    began: Cell<bool>,
    /// Whether the server has agreed to tell.
    pub(crate) tracked: Cell<bool>,
    /// Whether somebody is about handling asks.
    busy: Cell<bool>,
    pub(crate) seen: Seen,
    pub(crate) told: Told,
    pub(super) rounds: Rounds,
}

impl Node {
    pub(crate) fn new(seen: Seen) -> Self {
        Self {
            name: format!("n:{:016x}", fastrand::u64(..)),
            departures: Cell::new(0),
            gone: Cell::new(false),
            written: Cell::new(0),
            of: Cell::new(0),
            asked: Cell::new(0),
            handled: Cell::new(0),
            began: Cell::new(false),
            tracked: Cell::new(false),
            busy: Cell::new(false),
            seen,
            told: Told::default(),
            rounds: Rounds::default(),
        }
    }

    /// It is connected anew: what it has seen is to be seen again.
    pub(crate) fn begin(&self) {
        self.began.set(false);
        self.tracked.set(false);
        self.seen.lock().take();
    }

    /// Somebody uses it; whether it had left.
    pub(crate) fn is_used(&self) -> bool {
        self.gone.replace(false)
    }

    /// There were so many asks.
    fn learn(&self, of: u64, asks: u64) {
        if self.of.replace(of) != of {
            self.asked.set(0);
            self.handled.set(0);
        }
        self.asked.set(asks.max(self.asked.get()));
    }
}

impl Link {
    /// For how long copies are believed by those who listen, once they are cut off.
    fn belief(&self) -> Duration {
        let longest = |listeners: &cache_core::Listeners| listeners.longest(|listener| listener.belief());
        longest(&self.listeners).max(longest(&self.untold))
    }

    /// A random number for a new fleet, and the lease of those who were in the one before.
    pub(super) fn founding(&self) -> [String; 2] {
        let lease = lease(self.belief()).max(BEFORE);
        [format!("{:08x}", fastrand::u32(..)), lease.as_millis().to_string()]
    }

    /// Those who are told nothing know nothing of what they have.
    pub(super) fn flush_untold(&self) {
        self.untold.tell(|listener| listener.changed(Target::All, Strength::Remove));
    }

    /// Others wait for what is in memory for so long, and not longer.
    pub(crate) fn assure(&self, left: Duration) {
        self.listeners.tell(|listener| listener.assured(left));
        self.untold.tell(|listener| listener.assured(left));
    }

    /// Whether others are to know that this node is there.
    pub(crate) fn is_there(&self) -> bool {
        self.listening.get() && !self.node.gone.get()
    }

    /// Somebody asks whether all is handled.
    pub(crate) fn asked(self: &Rc<Self>, of: u64, ask: u64) {
        self.node.learn(of, ask);
        self.handle_asks();
    }

    /// What was in memory before this connection is gone, and what is there from now on is under the lease.
    pub(crate) fn node_begins(self: &Rc<Self>) {
        self.node.began.set(true);
        self.handle_asks();
    }

    fn handle_asks(self: &Rc<Self>) {
        let node = &self.node;
        let is_due = self.is_there() && node.began.get() && node.asked.get() > node.handled.get();
        if !is_due || node.busy.replace(true) {
            return;
        }
        let link = self.clone();
        spawn_local(async move {
            // Where it fails, the connection is lost, and the next one begins with it.
            let _ = handle(&link).await;
            link.node.busy.set(false);
        });
    }
}

/// So long as no longer matters is not counted further.
fn lease(belief: Duration) -> Duration {
    belief.min(Duration::from_secs(1 << 32)) + BELIEVED + MARGIN
}

async fn handle(link: &Rc<Link>) -> Result<(), Failure> {
    let node = &link.node;
    while link.is_there() && node.began.get() && node.asked.get() > node.handled.get() {
        let session = link.session().await?;
        let (of, asked) = (node.of.get(), node.asked.get());
        settle(&session).await?;
        if node.of.get() == of && link.is_there() {
            node.handled.set(asked);
            say(&session, "stay").await?;
        }
    }
    Ok(())
}

/// Returns when all is handled here that anybody had been answered to before this was called.
///
/// What was told before an answer over the same connection has come before it. So of a single server, whoever has heard of
/// a later thing has heard of all before; of a cluster, each server has to be asked, and must be one that tells.
async fn settle(session: &Session) -> Result<(), Failure> {
    let link = &session.link;
    if !link.tells.get() {
        link.tell_everybody(Target::All);
        return Ok(());
    }
    #[cfg(feature = "cluster")]
    if session.connection.is_spread() {
        let now = crate::connect::topology::Topology::now(session).await?;
        if !link.tellers.borrow().as_ref().is_some_and(|tellers| now.is_connected_as(tellers)) {
            let why = "a server of the cluster is new, or was connected to anew";
            link.lose(session.life, why);
            return Err(Failure::Lost(why.to_owned()));
        }
    }
    link.node.told.settled().await?;
    link.flush_untold();
    Ok(())
}

/// Adds what makes this node go on, if it is one.
pub(crate) fn stay(session: &Session, batch: &mut Batch) -> Option<Stay> {
    session.link.is_there().then(|| add(session, batch, "stay"))
}

fn add(session: &Session, batch: &mut Batch, how: &str) -> Stay {
    let (link, node) = (&session.link, &session.link.node);
    let [random, before] = link.founding();
    let belief = link.belief();
    let lease = lease(belief).as_millis().to_string();
    let (of, handled) = (format!("{:016x}", node.of.get()), node.handled.get().to_string());
    let told = if node.tracked.get() { "told" } else { "untold" };
    let args =
        [&random, &before, &node.name, &lease, &of, &handled, how, told].map(|arg: &str| arg.as_bytes());
    batch.harmless_script(&NODE, &[&link.names.fleet()], &args);
    Stay { asked: Instant::now(), belief, departures: node.departures.get() }
}

/// Takes the answer to that.
pub(crate) fn stayed(
    session: &Session,
    answers: &mut Answers,
    Stay { asked, belief, departures }: Stay,
) -> Result<(), Failure> {
    let link = &session.link;
    let mut answer = match answers.next_list() {
        Ok(answer) => answer.into_iter(),
        Err(failure) => {
            if let Failure::Refused(why) = &failure {
                // What is in memory is believed for as long as was said before, and not longer.
                link.status.lock().untold =
                    Some(format!("it cannot be written that this process is there: {why}"));
            }
            return Err(failure);
        }
    };
    let of = fleet_of(answer.next())?;
    let (Some(Value::Int(asks)), Some(Value::Int(untold))) = (answer.next(), answer.next()) else {
        return Err(Failure::Odd);
    };
    link.channel.wanted.set(untold > 0);
    if departures != link.node.departures.get() {
        // It has left meanwhile.
        return Ok(());
    }
    if link.node.written.replace(departures) != departures {
        // It is back, and waited for from here on; for what it had before, nobody has waited.
        link.tell(Target::All);
    }
    let left = belief.saturating_add(BELIEVED).saturating_sub(asked.elapsed());
    link.assure(left);
    if link.node.tracked.get() && link.node.began.get() {
        link.status.lock().untold = None;
        if !link.tells.replace(true) {
            // It could not be written at first.
            link.listeners.tell(|listener| listener.restored());
        }
    }
    link.asked(of, asks.unsigned_abs());
    Ok(())
}

fn fleet_of(value: Option<Value>) -> Result<u64, Failure> {
    let text = bytes(value.ok_or(Failure::Odd)?)?.ok_or(Failure::Odd)?;
    let text = str::from_utf8(&text).map_err(|_| Failure::Odd)?;
    u64::from_str_radix(text, 16).map_err(|_| Failure::Odd)
}

/// Writes down that this node is there, if it is, and what it has handled; or that it is not any more.
pub(crate) async fn say(session: &Session, how: &str) -> Result<(), Failure> {
    let leaves = how == "leave";
    if !leaves && !session.link.is_there() {
        return Ok(());
    }
    let mut batch = session.batch();
    let stay = add(session, &mut batch, how);
    let mut answers = session.send(&batch).await?;
    if leaves { answers.next().map(drop) } else { stayed(session, &mut answers, stay) }
}

/// This node is there no more, until it is used again: nobody has to wait for it, and nothing that it has is believed.
pub(crate) async fn leave(link: &Rc<Link>) {
    if !link.listening.get() {
        return;
    }
    // Before anything is sent: nothing that comes later writes it down again.
    link.node.gone.set(true);
    link.node.departures.set(link.node.departures.get() + 1);
    if let Ok(session) = link.session().await {
        link.assure(Duration::ZERO);
        // Nor does anybody join what is being loaded.
        link.tell_everybody(Target::All);
        // Or they wait for its lease.
        let _ = say(&session, "leave").await;
    }
}

/// Writes down that this node is there again, now that it is used.
pub(crate) async fn come_back(link: Rc<Link>) {
    if let Ok(session) = link.session().await {
        // Or the next beat does, or the next connection.
        let _ = say(&session, "stay").await;
    }
}

/// What stands for all that was answered here before.
pub(crate) async fn token(session: &Session) -> Result<Token, Failure> {
    let (mut batch, founding) = (session.batch(), session.link.founding());
    let args = founding.each_ref().map(|arg| arg.as_bytes());
    batch.harmless_script(&TOKEN, &[&session.link.names.fleet()], &args);
    let mut answer = session.send(&batch).await?.next_list()?.into_iter();
    let of = fleet_of(answer.next())?;
    match answer.next() {
        Some(Value::Int(number)) => Ok(Token::new(of, number.unsigned_abs())),
        _ => Err(Failure::Odd),
    }
}

/// Returns when all is handled that any token stands for which is there by now.
pub(crate) async fn catch_up(session: &Session) -> Result<(), Failure> {
    let link = &session.link;
    let mut batch = session.batch();
    batch.read(redis::cmd("HMGET").arg(link.names.fleet()).arg("of").arg("tokens").take());
    // A token is made after what it stands for was answered; so that was told before this answer, or by another server
    // before what it is asked from now on.
    let mut last = session.send(&batch).await?.next_list()?.into_iter();
    let of = last.next().map(bytes).transpose()?.flatten();
    let number = last.next().as_ref().and_then(crate::io::batch::number);
    settle(session).await?;
    let of = of.as_deref().and_then(|of| u64::from_str_radix(str::from_utf8(of).ok()?, 16).ok());
    if let Some((of, number)) = of.zip(number).filter(|_| !link.is_over(session.life)) {
        let mut seen = link.node.seen.lock();
        let newer = seen.as_ref().is_none_or(|seen| seen.incarnation() != of || seen.number() < number);
        if newer {
            *seen = Some(Token::new(of, number));
        }
    }
    Ok(())
}
