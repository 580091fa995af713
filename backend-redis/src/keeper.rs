//! Keeps the connection: connects for ever, delivers what waits, notices when it is lost.

use std::rc::Rc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Value};
use tokio::time::{sleep, timeout};

use crate::batch::{Batch, bytes};
use crate::failure::{Failure, reason};
use crate::link::Link;
use crate::session::{Session, order};
use crate::strike;

/// How long between two attempts, at the beginning and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How often an idle connection is tried.
const PING: Duration = Duration::from_secs(1);

/// Who the server is, and who we were to it.
#[derive(Default)]
struct Past {
    run: Option<String>,
    client: Option<i64>,
}

pub(crate) async fn keep(link: Rc<Link>) {
    let mut past = Past::default();
    let mut wait = BACKOFF.0;
    loop {
        match attempt(&link, &mut past).await {
            Ok(()) => {
                wait = BACKOFF.0;
                watch_over(&link).await;
            }
            Err(failure) => link.down(&words(failure)),
        }
        // Between half and all of it, so that a fleet does not come back at once.
        sleep(wait.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        wait = (wait * 2).min(BACKOFF.1);
    }
}

fn words(failure: Failure) -> String {
    match failure {
        Failure::Down(why) | Failure::Lost(why) | Failure::Refused(why) => why,
        Failure::Odd => "it does not answer as a Redis does".to_owned(),
    }
}

/// Returns when the connection is lost.
async fn watch_over(link: &Rc<Link>) {
    while timeout(PING, link.until_lost()).await.is_err() {
        let Ok(session) = link.session().await else { continue };
        let mut ping = Batch::default();
        ping.read(redis::cmd("PING"));
        // Where it fails, the connection is lost by that.
        let _ = session.send(&ping).await;
    }
}

async fn attempt(link: &Rc<Link>, past: &mut Past) -> Result<(), Failure> {
    let connection = connect(link).await?;
    link.begin();
    let session = link.over(connection);
    greet(&session, past).await?;
    deliver(&session).await?;
    // No await between the last look into the queue and this: nothing was called meanwhile.
    link.up(&session);
    Ok(())
}

async fn connect(link: &Link) -> Result<MultiplexedConnection, Failure> {
    let limit = link.settings.connect;
    // The response timeout is ours, in `Session::exchange`.
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(limit)).set_response_timeout(None);
    let config = config.set_pipeline_buffer_size(4096);
    match timeout(limit, link.settings.client.get_multiplexed_async_connection_with_config(&config)).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(Failure::Down(reason(&error))),
        Err(_) => Err(Failure::Down(format!("no connection within {limit:?}"))),
    }
}

/// Finds out whether this is a Redis that can be used, and sees to it that nothing sent before can still arrive.
async fn greet(session: &Session, past: &mut Past) -> Result<(), Failure> {
    let mut batch = Batch::default();
    batch.read(session.read_order());
    batch.read(redis::cmd("INFO"));
    batch.read(redis::cmd("CLIENT").arg("ID").to_owned());
    let mut answers = session.send(&batch).await?;
    order(answers.next()?)?;
    let info = answers.next().and_then(text).unwrap_or_default();
    let of = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    if of("role:").is_some_and(|role| role == "slave") {
        return Err(Failure::Down("it is a replica, which cannot be written to".to_owned()));
    }
    let run = of("run_id:");
    let client = answers.next_number().ok();
    settle_the_past(session, past, run.as_deref()).await?;
    *past = Past { run, client };
    Ok(())
}

/// Writes of which nobody knows what became may still stand in the old connection's buffers, and would be done after
/// what is sent now. So that connection is closed by its number; where that is not allowed, all that it can still
/// write is made to belong to an epoch that is over.
async fn settle_the_past(session: &Session, past: &Past, run: Option<&str>) -> Result<(), Failure> {
    let link = &session.link;
    if !link.unknown.get() && link.unanswered.get() == 0 {
        return Ok(());
    }
    let same = past.run.is_some() && past.run.as_deref() == run;
    let another = past.run.is_some() && run.is_some() && !same;
    let mut settled = another;
    if let Some(client) = past.client.filter(|_| same) {
        let mut batch = Batch::default();
        batch.read(redis::cmd("CLIENT").arg("KILL").arg("ID").arg(client).to_owned());
        settled = session.send(&batch).await?.next().is_ok();
    }
    if !settled {
        strike::renew(session).await?;
    }
    link.unknown.set(false);
    Ok(())
}

fn text(value: Value) -> Result<String, Failure> {
    let text = match value {
        Value::VerbatimString { text, .. } => text,
        value => String::from_utf8_lossy(&bytes(value)?.unwrap_or_default()).into_owned(),
    };
    Ok(text)
}

/// Delivers what waits, in its order.
async fn deliver(session: &Session) -> Result<(), Failure> {
    loop {
        let first = session.link.queue.borrow_mut().first();
        let Some((number, strike)) = first else { return Ok(()) };
        strike::run(session, &strike).await?;
        let mut queue = session.link.queue.borrow_mut();
        queue.delivered(number);
        session.link.status.lock().queued = queue.len();
    }
}
