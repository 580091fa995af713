//! What anybody changes in this cache, as Redis tells it: `CLIENT TRACKING` in broadcast mode, over the connection that is
//! used for everything else.
//!
//! Notices and answers share a stream. So an answer proves that whatever was told before it has arrived, and whoever has
//! lost the one has lost the other. Redis tells of a key whenever it is written, deleted, evicted, or expires. Of a tag there is
//! a name that is touched when it is struck, and of everything the name that each new epoch writes. What this connection
//! changes by plain commands it is not told (`NOLOOP`; Redis 7 does not look through scripts there). Whoever stands in front
//! of the store knows of that by itself, and is told again ([`Link::tell`]) when it is done.
//!
//! That it does tell is seen before it is relied on: each connection to one server first has itself told of a name of its own
//! ([`probe`]).
//!
//! Source: <https://redis.io/docs/latest/develop/reference/client-side-caching/>.

use std::rc::Rc;
use std::time::Duration;

use cache_core::{Strength, Target};
use redis::{Cmd, PushInfo, PushKind, Value};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::spawn_local;
use tokio::time::Instant;

use crate::io::batch::Batch;
use crate::io::channel;
use crate::io::failure::Failure;
use crate::io::flag::Flag;
use crate::io::link::Link;
use crate::io::session::Session;
use crate::operation::fleet;
use crate::operation::lease::is_as_left;

/// What a name in Redis stands for that is watched: of what others may have copies.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Watched<'n> {
    Key(&'n str),
    Tag(&'n str),
    /// Written by each new epoch.
    Epoch,
    /// Somebody asks whether all that was told before is handled: in which fleet, and by which number.
    Ask(u64, u64),
    /// A connection puts to the test whether it is told anything.
    Probe(u64),
}

/// Has Redis tell, if anybody listens and it does not yet; whether it does from now on. Why it does not is for `health()`.
///
/// # Errors
/// The connection is lost.
pub(crate) async fn begin(session: &Session) -> Result<bool, Failure> {
    let link = &session.link;
    if !link.listening.get() || link.asked.replace(true) {
        return Ok(false);
    }
    let refused = match track(session).await {
        Ok(true) => None,
        Ok(false) => {
            // What is in between may be replaced.
            link.asked.set(false);
            Some(
                "it takes `CLIENT TRACKING`, but what it tells does not arrive: is there a proxy in between?"
                    .into(),
            )
        }
        Err(Failure::Refused(why)) => {
            // It may be busy; who may not ask is not let in by asking again.
            link.asked.set(why.starts_with("NOPERM") || why.starts_with("ERR"));
            Some(why)
        }
        Err(Failure::Odd) => Some("the connection is none on which it can tell anything".to_owned()),
        Err(failure) => return Err(failure),
    };
    link.node.tracked.set(refused.is_none());
    // From before anything is believed there are those who wait for it.
    let refused = match fleet::say(session, "join").await {
        // Once it can be written, it is told: see `fleet::stayed`.
        Err(Failure::Refused(why)) => {
            link.assure(Duration::ZERO);
            Some(refused.unwrap_or(why))
        }
        said => said.map(|()| refused)?,
    };
    let is_told = refused.is_none();
    if !link.node.tracked.get() {
        channel::hear(link);
    }
    link.status.lock().untold = refused;
    link.tells.set(is_told);
    Ok(is_told)
}

/// The same over a connection that is in use.
pub(crate) async fn begin_late(session: &Session) -> Result<(), Failure> {
    let link = &session.link;
    let is_told = begin(session).await?;
    if is_told && !link.is_over(session.life) {
        link.listeners.tell(|listener| listener.restored());
    }
    if link.listening.get() {
        link.node_begins();
    }
    Ok(())
}

/// Loads wait until the channel is made, however that ends: what was begun before is void once it stands.
struct Making<'l>(&'l Flag);

impl<'l> Making<'l> {
    fn begin(made: &'l Flag) -> Self {
        made.lower();
        Self(made)
    }
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        self.0.raise();
    }
}

/// Somebody begins to listen.
pub(crate) async fn join(link: Rc<Link>) -> Result<(), Failure> {
    link.listening.set(true);
    let _making = Making::begin(&link.made);
    // Nobody has had any copies until now.
    link.status.lock().heard.get_or_insert_with(Instant::now);
    let session = link.session().await?;
    if link.tells.get() {
        // To one who listened before.
        link.listeners.tell(|listener| listener.restored());
        return Ok(());
    }
    begin_late(&session).await
}

/// Has Redis tell; whether what it tells arrives.
async fn track(session: &Session) -> Result<bool, Failure> {
    if !session.connection.hears() {
        return Err(Failure::Odd);
    }
    let command = tracking(&["ON", "BCAST", "NOLOOP", "PREFIX", session.link.names.root()]);
    #[cfg(feature = "cluster")]
    if session.connection.is_spread() {
        let tellers = crate::connect::topology::Topology::now(session).await?;
        for primary in &tellers.0 {
            let mut batch = Batch { to: Some(primary.at.clone()), ..Batch::default() };
            batch.read(command.clone());
            session.send(&batch).await?.next()?;
        }
        session.link.tellers.replace(Some(tellers));
        return Ok(true);
    }
    let is_tested = probe(session).await?;
    let mut batch = Batch::default();
    batch.read(tracking(&["OFF"]));
    batch.read(command);
    let mut answers = session.send(&batch).await?;
    answers.next()?;
    answers.next()?;
    // What came of the probe came before this answer.
    session.link.node.told.settled().await?;
    Ok(!is_tested || session.link.probed.get())
}

fn tracking(how: &[&str]) -> Cmd {
    let mut command = redis::cmd("CLIENT");
    command.arg("TRACKING").arg(how);
    command
}

/// Has this connection told of what it changes itself, and changes a name that nobody else watches: to see whether it is
/// told. A proxy, or a server that only looks like a Redis, may take the command, and nothing comes of it.
///
/// Where the name cannot be written, as in a Redis that is full, there is no test: false.
async fn probe(session: &Session) -> Result<bool, Failure> {
    let link = &session.link;
    let (number, prefix) = (fastrand::u64(..), link.names.probe());
    link.probe.set(number);
    link.probed.set(false);
    let mut batch = Batch::default();
    // A test that was broken off may have left it on, and the same prefix twice is refused.
    batch.read(tracking(&["OFF"]));
    batch.read(tracking(&["ON", "BCAST", "PREFIX", &prefix]));
    batch.read(redis::cmd("SET").arg(format!("{prefix}{number:x}")).arg("").arg("PX").arg(1000).take());
    let mut answers = session.send(&batch).await?;
    answers.next()?;
    answers.next()?;
    match answers.next() {
        Ok(_) => Ok(true),
        Err(Failure::Refused(_)) => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// Hands on what is told, for as long as the connection of that life is used.
pub(crate) async fn hear(link: Rc<Link>, life: u64, mut told: UnboundedReceiver<PushInfo>) {
    while let Some(push) = told.recv().await {
        if link.is_over(life) {
            return;
        }
        match push.kind {
            PushKind::Invalidate => changed(&link, push.data.first()),
            PushKind::Other(_) => link.node.told.mark(),
            PushKind::Disconnection => link.lose(life, "the connection was closed by the other side"),
            _ => {}
        }
    }
}

fn changed(link: &Rc<Link>, names: Option<&Value>) {
    // Nil: the whole database.
    let Some(Value::Array(names)) = names else {
        link.received(1);
        return link.tell(Target::All);
    };
    for name in names {
        let Value::BulkString(name) = name else { continue };
        // What larder has not written, nobody has a copy of.
        let Some(watched) = str::from_utf8(name).ok().and_then(|name| link.names.read(name)) else {
            continue;
        };
        link.received(u64::from(!matches!(watched, Watched::Ask(..) | Watched::Probe(_))));
        match watched {
            Watched::Epoch => link.tell(Target::All),
            // Whatever epoch it is of: which one is good, others may know before it is known here.
            Watched::Key(key) => key_changed(link, key),
            Watched::Tag(tag) => link.tell(Target::Tag(tag)),
            Watched::Ask(of, ask) => link.asked(of, ask),
            Watched::Probe(number) if number == link.probe.get() => link.probed.set(true),
            Watched::Probe(_) => {}
        }
    }
}

/// To load is to change what stands under the key, by the lease that stands there and by what is published. What this
/// process may have done itself is looked at: if it is as it was left, nobody has to know. Whatever else it is, copies are
/// dropped; and a load that is under way here without a lease is void.
fn key_changed(link: &Rc<Link>, key: &str) {
    let Some(ours) = link.leases.of(key) else {
        if link.listeners.any(|listener| listener.replaced(key)) {
            link.tell(Target::Key(key));
        }
        return;
    };
    let (link, key, looked_at) = (link.clone(), Box::<str>::from(key), link.looks_at());
    spawn_local(async move {
        let as_left = async { is_as_left(&link.session().await?, &key, ours).await };
        // Where that cannot be said, nobody knows what has changed.
        if !as_left.await.unwrap_or(false) {
            link.tell(Target::Key(&key));
        }
        drop(looked_at);
    });
}

impl Link {
    /// Something has changed, and whoever has a copy of it is told.
    pub(crate) fn tell(&self, target: Target<'_>) {
        self.leases.forget(target);
        self.listeners.tell(|listener| listener.changed(target, Strength::Remove));
    }

    /// Tells also those who listen and are told nothing otherwise.
    pub(crate) fn tell_everybody(&self, target: Target<'_>) {
        self.tell(target);
        self.untold.tell(|listener| listener.changed(target, Strength::Remove));
    }
}
