//! Keeps the connection: connects for ever, delivers what waits, notices when it is lost.

use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_local, unconstrained};
use tokio::time::{sleep, timeout};

use crate::connect::greeting::{Past, beat, greet};
use crate::io::failure::Failure;
use crate::io::link::Link;
use crate::io::notices::{self, hear};
use crate::io::session::Session;
use crate::operation::strike;

/// How long between two attempts, at the beginning and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How often an idle connection is tried.
const BEAT: Duration = Duration::from_secs(1);
/// How long what waits may take to be delivered one by one: a Redis that came back is to be in use within ten seconds.
const DELIVERY: Duration = Duration::from_secs(3);

/// Keeps the connection, and begins again where that ends by a panic: in a connection of the program's, as it were.
pub(crate) async fn keep(link: Rc<Link>) {
    loop {
        let kept = spawn_local(keep_on(link.clone())).await;
        if kept.is_err() {
            link.down("what keeps the connection has panicked, and begins again; see the panic's message");
        }
        sleep(BACKOFF.1).await;
    }
}

async fn keep_on(link: Rc<Link>) {
    let mut past = Past::default();
    let mut wait = BACKOFF.0;
    loop {
        match attempt(&link, &mut past).await {
            Ok(()) => {
                wait = BACKOFF.0;
                watch_over(&link, &mut past).await;
            }
            Err(failure) => link.down(failure.words()),
        }
        // Between half and all of it, so that a fleet does not come back at once.
        sleep(wait.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        wait = (wait * 2).min(BACKOFF.1);
    }
}

/// Returns when the connection is lost.
async fn watch_over(link: &Rc<Link>, past: &mut Past) {
    // Beside the beats, which do not wait for a sentinel that does not answer; it ends with them.
    let mut beside = JoinSet::new();
    if link.settings.place.may_move() {
        beside.spawn_local(follow(link.clone()));
    }
    while timeout(BEAT, link.until_lost()).await.is_err() {
        let Ok(session) = link.session().await else { continue };
        // Where it fails, the connection is lost by that.
        let _ = beat(&session, past).await;
        // Who began to listen while it was being connected.
        let _ = notices::begin_late(&session).await;
    }
}

/// Gives the connection up when it should be to another server.
async fn follow(link: Rc<Link>) {
    loop {
        sleep(BEAT).await;
        let Ok(session) = link.session().await else { continue };
        if let Some(why) = link.settings.place.has_moved(&link.settings.dial).await {
            link.lose(session.life, &why);
        }
    }
}

async fn attempt(link: &Rc<Link>, past: &mut Past) -> Result<(), Failure> {
    let (mouth, told) = mpsc::unbounded_channel();
    let marks = mouth.clone();
    let line = link.settings.place.connect(&link.settings.dial, mouth).await?;
    link.begin();
    link.node.told.begin(marks);
    let session = link.over(line);
    // It stops at nothing that was told before an answer, or whoever waits for that one would go on before it is heard.
    spawn_local(unconstrained(hear(link.clone(), session.life, told)));
    greet(&session, past).await?;
    let is_told = notices::begin(&session).await?;
    deliver(&session).await?;
    // No await between the last look into the queue and this: nothing was called meanwhile.
    link.up(&session, is_told);
    Ok(())
}

/// Delivers what waits, in its order; what takes too long, as patterns among many keys do, gives way to one invalidation
/// of everything, which does not.
async fn deliver(session: &Session) -> Result<(), Failure> {
    let queue = &session.link.queue;
    let one_by_one = async {
        while deliver_first(session).await? {}
        Ok(())
    };
    match timeout(DELIVERY, one_by_one).await {
        // What is refused now will be refused again.
        Err(_) | Ok(Err(Failure::Refused(_))) => {}
        Ok(delivered) => return delivered,
    }
    loop {
        queue.borrow_mut().give_way();
        if !deliver_first(session).await? {
            return Ok(());
        }
    }
}

/// Whether there was one.
async fn deliver_first(session: &Session) -> Result<bool, Failure> {
    let first = session.link.queue.borrow_mut().first();
    let Some((number, strike)) = first else { return Ok(false) };
    strike::run(session, &strike).await?;
    let mut queue = session.link.queue.borrow_mut();
    queue.delivered(number);
    session.link.status.lock().queued = queue.len();
    Ok(true)
}
