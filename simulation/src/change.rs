//! Who changes the truth, and says so: through a node, or as a raw client of Redis.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use larder::{Error, Larder, Reply, Target};
use tokio::time::{sleep, timeout};

use crate::history::{At, Change, How, Outcome, Seen, Value};
use crate::node::{HANGS, Handles, Node, Setting, key, policy, read, tag};
use crate::store::Store;

/// The nodes that there are; `None` while one is dead.
pub(crate) type Nodes = Rc<RefCell<Vec<Option<Rc<Node>>>>>;

/// What is called once the truth has changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Call {
    Key,
    Delete,
    Set,
    Tag,
    Pattern,
    All,
    /// A raw client's.
    Raw,
}

const CALLS: [Call; 10] = [
    Call::Key,
    Call::Key,
    Call::Delete,
    Call::Set,
    Call::Set,
    Call::Tag,
    Call::Tag,
    Call::Pattern,
    Call::All,
    Call::Raw,
];

/// Changes for as long as nodes work.
pub(crate) async fn change_on(nodes: Nodes, store: Store, setting: Setting) {
    let plan = setting.plan.clone();
    while setting.world.time() < plan.lasts {
        sleep(Duration::from_millis(fastrand::u64(1..=plan.between_changes))).await;
        change(&nodes, &store, &setting).await;
    }
}

async fn change(nodes: &Nodes, store: &Store, setting: &Setting) {
    let (plan, world) = (&setting.plan, &setting.world);
    let (call, first) = (CALLS[fastrand::usize(0..CALLS.len())], fastrand::usize(0..plan.keys));
    let covered: Vec<usize> = match call {
        Call::Tag => (0..plan.keys).filter(|key| key % plan.tags == first % plan.tags).collect(),
        Call::Pattern | Call::All => (0..plan.keys).collect(),
        _ => vec![first],
    };
    let turns = world.turns(&covered).await;
    let number = fastrand::usize(0..plan.nodes);
    let node = nodes.borrow()[number].clone();
    let what = format!("{call:?}({first})");
    if call == Call::Raw {
        if store.answers() {
            let (keys, start) = (world.change(&covered), world.at());
            delete_raw(store, first);
            let (end, outcome) = (world.at(), Outcome::Done);
            let change = Change { node: None, life: 0, keys, what, start, end, outcome, acked: false };
            world.record(|history| history.changes.push(change));
        }
        return;
    }
    let Some(node) = node else { return };
    let (keys, start) = (world.change(&covered), world.at());
    let value = Value { key: first, version: keys[0].1, load: 0 };
    let (its, acked) = (setting.clone(), plan.asks && fastrand::bool());
    // Who has died, or is stopped, is waited for.
    let limit = if acked { 3 * HANGS } else { HANGS };
    let called = node
        .call(move |handles| async move {
            let done = timeout(limit, do_it(call, value, &handles.larder, &its, acked)).await;
            // When it returned, and not when somebody else has heard of it.
            (done, its.world.at())
        })
        .await;
    let (outcome, end) = match called {
        Some((Ok(Ok(())), end)) => (Outcome::Done, end),
        Some((Ok(Err(_)), end)) => (Outcome::Late(delivered(&node, setting).await), end),
        Some((Err(_), end)) => {
            world.record(|history| {
                history.troubles.push(format!("node {number}: {what} hangs since {:?}", start.time))
            });
            (Outcome::Late(None), end)
        }
        None => (Outcome::Late(None), At { number: u64::MAX, time: Duration::MAX }),
    };
    let life = node.life;
    let change = Change { node: Some(number), life, keys, what, start, end, outcome, acked };
    world.record(|history| history.changes.push(change));
    drop(turns);
    if plan.asks && outcome == Outcome::Done && fastrand::u8(0..3) == 0 {
        present_token(nodes, &node, first, setting).await;
    }
}

/// What the node knows, some node is to know, too.
async fn present_token(nodes: &Nodes, from: &Rc<Node>, key: usize, setting: &Setting) {
    let world = &setting.world;
    let taken = world.at();
    let token = from.call(async |handles: Handles| handles.larder.token().await).await;
    let number = fastrand::usize(0..setting.plan.nodes);
    let node = nodes.borrow()[number].clone();
    let (Some(Ok(token)), Some(node)) = (token, node) else { return };
    let (its, life) = (setting.clone(), node.life);
    let see = async move |handles: Handles| {
        if handles.larder.read_after(&token).await.is_ok() {
            let end = its.world.at();
            its.world.record(|history| history.seen.push(Seen { node: number, life, taken, end }));
            read(number, life, key, How::Get, &handles.larder, &its).await;
        }
    };
    // It may die, or be stopped.
    let _ = timeout(HANGS, node.call(see)).await;
}

/// With `acked`: once everybody has handled it.
async fn done<T: Send>(reply: Reply<'_, T>, acked: bool) -> Result<(), Error> {
    if acked { reply.acked().await } else { reply.await }.map(drop)
}

async fn do_it(
    call: Call,
    value: Value,
    larder: &Larder,
    setting: &Setting,
    acked: bool,
) -> Result<(), Error> {
    let plan = &setting.plan;
    let name = key(value.key);
    match call {
        Call::Key | Call::Raw => done(larder.invalidate(&*name), acked).await,
        Call::Delete => done(larder.delete(&*name), acked).await,
        Call::Set => done(larder.set(&*name, value, policy(value.key, plan)), acked).await,
        Call::Tag => done(larder.invalidate(Target::Tag(&tag(value.key, plan))), acked).await,
        Call::Pattern => done(larder.invalidate_pattern("k:*"), acked).await,
        Call::All => done(larder.clear(), acked).await,
    }
}

/// When what `node` could not deliver has been delivered; `None`: it died before.
async fn delivered(node: &Rc<Node>, setting: &Setting) -> Option<At> {
    let world = setting.world.clone();
    let delivered = move |Handles { redis, .. }: Handles| async move {
        loop {
            let connection = redis.connection();
            if connection.connected_for.is_some() && connection.queued == 0 {
                return world.at();
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    node.call(delivered).await
}

/// As somebody with redis-cli would.
fn delete_raw(store: &Store, number: usize) {
    for name in store.names() {
        if name.ends_with(format!(":k:{}", key(number)).as_bytes()) {
            store.server.run(&[b"DEL", &name]);
        }
    }
}
