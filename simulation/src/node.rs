//! One process: a [`Larder`] of two tiers, and who reads through it. It can be paused, and killed.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use larder::{Error, Larder, Memory, Policy, Redis, Tiered};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, LocalSet, spawn_local};
use tokio::time::{sleep, timeout};

use crate::history::{How, Read, Value};
use crate::network::Network;
use crate::plan::Plan;
use crate::switch::{self, Switch};
use crate::time::NodeTime;
use crate::world::{SourceFailed, World};

/// What nothing may take longer than, on a node that runs.
pub const HANGS: Duration = Duration::from_secs(20);

/// What a node is made of, and works with.
#[derive(Clone)]
pub struct Setting {
    /// The run's plan.
    pub plan: Rc<Plan>,
    /// The ways to the server.
    pub network: Network,
    /// The truth, and the record.
    pub world: World,
    /// What is broken on purpose.
    pub switch: Option<Switch>,
}

/// The two handles of a process.
#[derive(Clone)]
pub struct Handles {
    /// What the program uses.
    pub larder: Larder,
    /// What stands behind it.
    pub redis: Redis,
}

type Job = Box<dyn FnOnce(Handles) -> Pin<Box<dyn Future<Output = ()>>>>;

/// See the module.
pub struct Node {
    /// Which life of its place it is.
    pub life: u64,
    /// Its clock.
    pub time: NodeTime,
    jobs: mpsc::UnboundedSender<Job>,
    gate: Rc<Gate>,
    task: AbortHandle,
}

impl Node {
    /// Begins to run.
    pub fn start(number: usize, life: u64, setting: &Setting) -> Self {
        let skew = setting.plan.skew;
        let time = NodeTime::new(fastrand::u64(1000 - skew..=1000 + skew));
        let (jobs, inbox) = mpsc::unbounded_channel();
        let set = LocalSet::new();
        set.spawn_local(live(number, life, time.clone(), setting.clone(), inbox));
        let gate = Rc::<Gate>::default();
        let task = spawn_local(Gated { set, gate: gate.clone() }).abort_handle();
        Self { life, time, jobs, gate, task }
    }

    /// Does something in it; `None`: it died meanwhile.
    pub async fn call<T: 'static, F: Future<Output = T>>(
        &self,
        job: impl FnOnce(Handles) -> F + 'static,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        let sent = self.jobs.send(Box::new(move |handles| {
            Box::pin(async move {
                let _ = reply.send(job(handles).await);
            })
        }));
        sent.ok()?;
        answer.await.ok()
    }

    /// Stops it, or lets it go on.
    pub fn pause(&self, paused: bool) {
        self.gate.paused.set(paused);
        if let Some(waker) = self.gate.waker.take() {
            waker.wake();
        }
    }

    /// It is no more.
    pub fn kill(&self) {
        self.task.abort();
    }
}

/// Whether a process may run.
#[derive(Default)]
struct Gate {
    paused: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

struct Gated {
    set: LocalSet,
    gate: Rc<Gate>,
}

impl Future for Gated {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.gate.waker.replace(Some(cx.waker().clone()));
        if self.gate.paused.get() {
            return Poll::Pending;
        }
        Pin::new(&mut self.set).poll(cx)
    }
}

/// What a process does as long as it lives.
async fn live(
    number: usize,
    life: u64,
    time: NodeTime,
    setting: Setting,
    mut inbox: mpsc::UnboundedReceiver<Job>,
) {
    let handles = match handles(number, &time, &setting).await {
        Ok(handles) => handles,
        Err(error) => {
            return setting.world.record(|history| history.troubles.push(format!("node {number}: {error}")));
        }
    };
    for _ in 0..setting.plan.readers {
        spawn_local(read_on(number, life, handles.larder.clone(), setting.clone()));
    }
    while let Some(job) = inbox.recv().await {
        spawn_local(job(handles.clone()));
    }
}

async fn handles(number: usize, time: &NodeTime, setting: &Setting) -> Result<Handles, Error> {
    let plan = &setting.plan;
    let redis = Redis::builder("redis://server/").namespace("n").simulated(setting.network.dialer(number));
    let redis = redis.connect().await?;
    let memory = Memory::builder().capacity(switch::capacity(setting.switch, plan.capacity));
    let memory = memory.clock(time.clock()).build();
    let (near, far) = switch::break_tiers(setting.switch, Arc::new(memory), Arc::new(redis.clone()));
    let tiers = Tiered::builder(near, far).clock(time.clock()).cut_off_ttl(plan.cut_off_ttl).build();
    let whole = switch::break_whole(setting.switch, tiers);
    let larder = Larder::builder().clock(time.clock()).backend(whole).build();
    Ok(Handles { larder, redis })
}

/// The name of a key.
pub fn key(number: usize) -> String {
    format!("k:{number}")
}

/// The name of the tag of a key.
pub fn tag(key: usize, plan: &Plan) -> String {
    format!("t:{}", key % plan.tags)
}

/// How a key is stored.
pub fn policy(key: usize, plan: &Plan) -> Policy {
    Policy::ttl(plan.ttl).swr(plan.swr).tags([tag(key, plan)])
}

/// Reads for as long as nodes work.
async fn read_on(node: usize, life: u64, larder: Larder, setting: Setting) {
    let Setting { plan, world, .. } = &setting;
    while world.time() < plan.lasts {
        sleep(Duration::from_millis(fastrand::u64(0..=plan.rest))).await;
        let (key, how) =
            (fastrand::usize(0..plan.keys), [How::Get, How::Lookup, How::Load][fastrand::usize(0..3)]);
        read(node, life, key, how, &larder, &setting).await;
    }
}

/// Reads once, and records it.
pub async fn read(node: usize, life: u64, number: usize, how: How, larder: &Larder, setting: &Setting) {
    let Setting { plan, world, .. } = setting;
    let (start, name) = (world.at(), key(number));
    let got = async {
        match how {
            How::Get => larder.get::<Value>(&*name).await.ok().flatten().map(|value| *value),
            How::Lookup => larder.lookup::<Value>(&*name).await.ok().flatten().map(|hit| *hit.value),
            How::Load => {
                let (world, loads) = (world.clone(), plan.loads);
                let load = move || {
                    let world = world.clone();
                    async move { world.load(node, number, loads).await }
                };
                let loaded: Result<Arc<Value>, SourceFailed> =
                    larder.try_get_or_load(&*name, policy(number, plan), load).await;
                loaded.ok().map(|value| *value)
            }
        }
    };
    let got = timeout(HANGS, got).await;
    let end = world.at();
    world.record(|history| match got {
        Ok(got) => history.reads.push(Read { node, life, key: number, how, start, end, got }),
        Err(_) => {
            history.troubles.push(format!("node {node}: {how:?} of {name} hangs since {:?}", start.time))
        }
    });
}
