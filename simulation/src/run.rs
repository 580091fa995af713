//! Runs a plan, from its beginning until the world is quiet again.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::{LocalSet, spawn_local};
use tokio::time::{sleep, timeout};

use crate::change::{Nodes, change_on};
use crate::history::{History, How, Pause};
use crate::network::Network;
use crate::node::{HANGS, Handles, Node, Setting, read};
use crate::plan::{Fault, Plan};
use crate::server::Server;
use crate::store::Store;
use crate::switch::{self, Switch};
use crate::world::World;

/// How long after the last fault everything must be well again: Redis that came back is in use within ten seconds.
const QUIET: Duration = Duration::from_secs(12);

/// How long a node waits for what is under way when it closes.
const CLOSES: Duration = Duration::from_millis(500);

/// What a run was, and what came of it.
#[derive(Debug)]
pub struct Ran {
    /// Its plan.
    pub plan: Plan,
    /// What happened.
    pub history: History,
    /// How many names the server had in the end.
    pub names: usize,
}

/// Runs `plan`, with something broken or not. The same plan always runs in the same way.
pub fn run(plan: &Plan, switch: Option<Switch>) -> Ran {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime needs nothing but memory");
    fastrand::seed(plan.seed);
    LocalSet::new().block_on(&runtime, run_here(plan.clone(), switch))
}

async fn run_here(plan: Plan, switch: Option<Switch>) -> Ran {
    let server = Server::new(plan.seed);
    switch::break_server(switch, &server);
    let store = Store::new(server);
    let world = World::new(plan.keys);
    let network = Network::new(plan.nodes, plan.delay, store.clone());
    let setting = Setting { plan: Rc::new(plan.clone()), network, world: world.clone(), switch };
    let nodes: Nodes = Rc::new(RefCell::new(Vec::new()));
    for number in 0..plan.nodes {
        let node = Node::start(number, 0, &setting);
        nodes.borrow_mut().push(Some(Rc::new(node)));
    }
    for _ in 0..plan.writers {
        spawn_local(change_on(nodes.clone(), store.clone(), setting.clone()));
    }
    for (at, fault) in plan.faults.clone() {
        let (nodes, store, setting) = (nodes.clone(), store.clone(), setting.clone());
        spawn_local(async move {
            sleep(at).await;
            suffer(fault, &nodes, &store, &setting).await;
        });
    }
    let last = plan.faults.iter().map(|(at, fault)| *at + fault.lasts()).max().unwrap_or_default();
    sleep(plan.lasts.max(last) + QUIET).await;
    look_again(&nodes, &setting).await;
    let names = store.names().len();
    Ran { plan, history: world.into_history(), names }
}

/// Each node reads everything once more, and says how it is.
async fn look_again(nodes: &Nodes, setting: &Setting) {
    let all: Vec<_> = nodes.borrow().iter().cloned().enumerate().collect();
    for (number, node) in all {
        let trouble = |what: String| setting.world.record(|history| history.troubles.push(what));
        let Some(node) = node else {
            trouble(format!("node {number} has not come back"));
            continue;
        };
        let (its, life) = (setting.clone(), node.life);
        let looked = node.call(move |handles| async move {
            for key in 0..its.plan.keys {
                for how in [How::Get, How::Load, How::Lookup] {
                    read(number, life, key, how, &handles.larder, &its).await;
                }
            }
            let connection = handles.redis.connection();
            let entries = handles.larder.stats().entries;
            (connection, entries)
        });
        let Some((connection, entries)) = looked.await else {
            trouble(format!("node {number} has not begun"));
            continue;
        };
        if connection.connected_for.is_none() || connection.queued > 0 || connection.untold.is_some() {
            trouble(format!("node {number} is not well in the end: {connection:?}"));
        }
        setting.world.record(|history| history.held.push(entries));
    }
}

async fn suffer(fault: Fault, nodes: &Nodes, store: &Store, setting: &Setting) {
    let Setting { network, world, .. } = setting;
    let now = world.time();
    world.record(|history| history.faults.push((now, format!("{fault:?}"))));
    let node = |number: usize| nodes.borrow()[number].clone();
    match fault {
        Fault::Cut(number) => network.cut(number),
        Fault::Block(number, way, time) => {
            network.block(number, way, true);
            sleep(time).await;
            network.block(number, way, false);
        }
        Fault::Slow(number, by, time) => {
            network.slow_down(number, by);
            sleep(time).await;
            network.slow_down(number, Duration::ZERO);
        }
        Fault::PauseNode(number, time) => {
            let Some(node) = node(number) else { return };
            let from = world.time();
            node.pause(true);
            sleep(time).await;
            node.pause(false);
            world.record(|history| history.pauses.push(Pause { node: number, from, until: from + time }));
        }
        Fault::KillNode(number, time) => {
            let Some(node) = nodes.borrow_mut()[number].take() else { return };
            node.kill();
            network.cut(number);
            sleep(time).await;
            let another = Rc::new(Node::start(number, node.life + 1, setting));
            nodes.borrow_mut()[number] = Some(another);
        }
        Fault::Close(number) => {
            let Some(node) = node(number) else { return };
            // It may die, or be stopped.
            let _ = timeout(HANGS, node.call(async |its: Handles| its.larder.close(CLOSES).await)).await;
        }
        Fault::Jump(number, by) => node(number).into_iter().for_each(|node| node.time.jump(by)),
        _ => drop(store.suffer(fault)),
    }
}
