//! What is asked of a server: whether it can be used, who it is, how it is.

use redis::Value;
#[cfg(feature = "cluster")]
use tokio::time::Instant;

#[cfg(feature = "cluster")]
use crate::connect::topology::Topology;
use crate::io::batch::{Batch, text};
use crate::io::failure::Failure;
use crate::io::session::{Session, order};
use crate::operation::{fleet, strike};
use crate::stored::order::{Order, server};
use crate::stored::script::ALL;

/// Who the server was, and who we were to it.
#[derive(Default)]
pub(crate) struct Past {
    run: Option<String>,
    client: Option<i64>,
    /// Who the servers of a cluster were.
    #[cfg(feature = "cluster")]
    topology: Option<Topology>,
}

impl Past {
    /// Whether the server is another than it was.
    fn is_not(&self, run: Option<&str>) -> bool {
        self.run.as_deref().zip(run).is_some_and(|(was, is)| was != is)
    }
}

/// What `INFO` says; nothing where it may not be asked.
struct Info(String);

impl Info {
    fn read(answer: Result<Value, Failure>) -> Self {
        Self(answer.and_then(text).unwrap_or_default())
    }

    fn of(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.of(name)?.parse().ok()
    }

    /// Why it cannot be used; by somebody whose names are `spread` over a cluster, or not.
    fn unfit(&self, spread: bool) -> Option<&'static str> {
        if self.of("redis_mode") == Some("sentinel") {
            return Some("it is a sentinel: give its URL to `Redis::sentinel` (feature `redis-sentinel`)");
        }
        match self.of("cluster_enabled") {
            Some("1") if !spread => {
                return Some(
                    "it is a node of a Redis Cluster: connect by `Redis::cluster` (feature `redis-cluster`)",
                );
            }
            Some("0") if spread => return Some("it is no Redis Cluster: connect by `Redis::connect`"),
            _ => {}
        }
        if self.of("loading") == Some("1") {
            return Some("LOADING: it still reads its data from disk");
        }
        let replica = self.of("role") == Some("slave");
        replica.then_some("it is a replica, which cannot be written to: connect to its primary")
    }

    /// What will go wrong with it, though it can be used.
    fn ailment(&self) -> Option<String> {
        let (used, limit) = (self.number("used_memory")?, self.number("maxmemory")?);
        let full = limit > 0 && used >= limit && self.of("maxmemory_policy") == Some("noeviction");
        full.then(|| {
            format!(
                "Redis is full ({used} of {limit} bytes) and may not evict, so nothing can be stored: raise its \
                 `maxmemory`, or set `maxmemory-policy allkeys-lru`"
            )
        })
    }
}

/// Finds out whether this is a Redis that can be used, and sees to it that nothing sent before can still arrive.
pub(crate) async fn greet(session: &Session, past: &mut Past) -> Result<(), Failure> {
    let mut batch = Batch::default();
    batch.read(session.read_order());
    batch.read(redis::cmd("INFO"));
    batch.read(redis::cmd("CLIENT").arg("ID").to_owned());
    if session.connection.is_ours_alone() {
        // Where that is not allowed, it has none.
        batch.read(session.link.settings.name_client());
    }
    if !session.connection.is_spread() {
        // Or the first use of each takes another round trip, and what is called after it may be done before it.
        for script in ALL {
            batch.read(script.load());
        }
    }
    let mut answers = session.send(&batch).await?;
    let order = answers.next();
    let info = Info::read(answers.next());
    let spread = session.connection.is_spread();
    if let Some(why) = info.unfit(spread) {
        return Err(Failure::Down(why.to_owned()));
    }
    let order = read_order(order?)?;
    session.link.status.lock().ailment = info.ailment();
    // Of a cluster it is one of many.
    let run = info.of("run_id").filter(|_| !spread).map(str::to_owned);
    let server = server(run.as_deref());
    session.link.server.set(server);
    // What another server was told this one need not have been told, whatever others have made of it since.
    if past.is_not(run.as_deref()) || order.is_some_and(|order| order.is_foreign_to(server)) {
        strike::renew(session).await?;
    } else {
        begin_epoch(session, order).await?;
    }
    let client = answers.next_number().ok().filter(|_| session.connection.is_ours_alone());
    settle_the_past(session, past, run.as_deref()).await?;
    (past.run, past.client) = (run, client);
    look_around(session, past).await
}

/// On a cluster: whether all primaries answer, and whether all of them are known. One that is not may have forgotten what
/// was acknowledged before it became one.
async fn look_around(session: &Session, past: &mut Past) -> Result<(), Failure> {
    #[cfg(feature = "cluster")]
    if session.connection.is_spread() {
        let began = Instant::now();
        let now = Topology::now(session).await?;
        session.link.hears_since(began);
        if past.topology.as_ref().is_some_and(|before| now.has_strangers_to(before)) {
            strike::renew(session).await?;
        }
        let told = session.link.tellers.borrow().as_ref().is_none_or(|tellers| now.is_connected_as(tellers));
        past.topology = Some(now);
        if !told {
            session.link.lose(session.life, "a server of the cluster is new, or was connected to anew");
        }
    }
    let _ = (session, past);
    Ok(())
}

/// Takes over the epoch that there is, or begins one, so that not everybody has to who comes first.
async fn begin_epoch(session: &Session, order: Option<Order>) -> Result<(), Failure> {
    if let Some(order) = order {
        session.link.epoch.set(order.epoch);
        return Ok(());
    }
    match session.renew(true).await {
        // It may have no room, and others to read from it may not mind.
        Ok(_) | Err(Failure::Refused(_)) => Ok(()),
        Err(failure) => Err(failure),
    }
}

fn read_order(value: Value) -> Result<Option<Order>, Failure> {
    let why =
        "something other than larder has written where larder keeps its order: give it another namespace";
    order(value).map_err(|_| Failure::Down(why.to_owned()))
}

/// Whether it still answers, and how it is.
pub(crate) async fn beat(session: &Session, past: &mut Past) -> Result<(), Failure> {
    if session.connection.is_spread() {
        look_around(session, past).await?;
        return fleet::say(session, "stay").await;
    }
    let mut batch = Batch::default();
    batch.read(redis::cmd("INFO"));
    let stay = fleet::stay(session, &mut batch);
    let mut answers = session.send(&batch).await?;
    let info = Info::read(answers.next());
    session.link.status.lock().ailment = info.ailment();
    // A connection may outlive what it is to: a primary is made a replica, a proxy leads to another server.
    let another =
        past.is_not(info.of("run_id")).then_some("it is another server than before, or was restarted");
    if let Some(why) = info.unfit(false).or(another) {
        session.link.lose(session.life, why);
        return Ok(());
    }
    // Who began to listen meanwhile says so by himself.
    stay.map_or(Ok(()), |stay| fleet::stayed(session, &mut answers, stay))
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
    let mut settled = past.is_not(run);
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
