//! The one thread that speaks with Redis, with a runtime of its own: whoever waits for it may wait anywhere.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cache_core::{Error, ErrorKind, Listeners, Stored};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinSet, LocalSet, yield_now};
use tokio::time::{sleep, timeout};

use crate::connect::keeper::keep;
use crate::connect::settings::Settings;
use crate::io::failure::{Failure, within};
use crate::io::link::{Link, Status};
use crate::operation::fleet::{self, Seen};
use crate::operation::lease::Leases;
use crate::operation::read::Found;
use crate::operation::turn::{Turn, Waiter};
use crate::operation::write::Parcel;

/// Work for that thread. What it needs to send is not `Send` there, so it is made there.
type Job = Box<dyn FnOnce(Rc<Link>) -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// What that thread is asked for.
enum Call {
    /// What one round trip does as a rule: it goes along with others.
    Read(Box<str>, Waiter<Found>),
    Set(Parcel, Waiter<Stored>),
    /// Whatever else: it gets a task of its own.
    Job(Job),
}

/// More operations than this at once are refused: Redis is slower than they come. Invalidations are not refused; twice as
/// many become one of everything.
const IN_FLIGHT: usize = 65_536;
/// So many are looked at in one go.
const CALLS: usize = 1024;
/// Where calls come one by one, the thread stays awake for so long after each: to be woken, by the call and by Redis,
/// takes longer than a Redis that is near.
const AWAKE: Duration = Duration::from_micros(100);
/// So many have to come one by one before that; and again, once it was in vain.
const ALONE: u32 = 32;
/// So long it goes on for nobody, if Redis does not get what is queued.
const LINGER: Duration = Duration::from_secs(300);

/// The way to the thread. It ends when this is dropped, once what is under way has been done and what is queued has been
/// delivered.
#[derive(Debug)]
pub(crate) struct Io {
    calls: mpsc::UnboundedSender<Call>,
    pub(crate) common: Common,
}

/// What that thread shares with all others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Common {
    pub(crate) status: Arc<Mutex<Status>>,
    pub(crate) listeners: Arc<Listeners>,
    /// Who would listen, and is not told.
    pub(crate) untold: Arc<Listeners>,
    pub(crate) seen: Seen,
    pub(crate) leases: Arc<Leases>,
    in_flight: Arc<AtomicUsize>,
}

/// Operations under way, as many as it says.
struct UnderWay(Arc<AtomicUsize>, usize);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

impl Io {
    /// Starts it.
    ///
    /// # Errors
    /// `Unavailable`: the system gives no thread.
    pub(crate) fn start(settings: Settings) -> Result<Self, Error> {
        let (calls, inbox) = mpsc::unbounded_channel();
        let common = Common::default();
        common.status.lock().trouble = Some("the first connection is being made".to_owned());
        let its = common.clone();
        let refused = |error: std::io::Error| {
            let message = "cannot start the thread that speaks with Redis: the system gives no more";
            Error::new(ErrorKind::Unavailable, message).with_source(error)
        };
        if !settings.have_a_thread() {
            tokio::task::spawn_local(serve(inbox, settings, its));
            return Ok(Self { calls, common });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
        thread::Builder::new()
            .name("larder-redis".into())
            .spawn(move || LocalSet::new().block_on(&runtime, serve(inbox, settings, its)))
            .map_err(refused)?;
        Ok(Self { calls, common })
    }

    /// Does `work` there, under way from now on; what comes of it. It is given up after `limit`.
    pub(crate) fn run<T, F>(
        &self,
        limit: Option<Duration>,
        work: impl FnOnce(Rc<Link>) -> F + Send + 'static,
    ) -> oneshot::Receiver<Result<T, Failure>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + 'static,
    {
        let in_flight = self.common.in_flight.clone();
        self.call(move |waiter| {
            Call::Job(Box::new(move |link| {
                Box::pin(async move {
                    let _under_way = UnderWay(in_flight, 1);
                    let output = within(limit, work(link)).await;
                    // Nobody may be waiting any more.
                    let _ = waiter.send(output);
                })
            }))
        })
    }

    /// Reads what stands under `key`.
    pub(crate) fn read(&self, key: Box<str>) -> oneshot::Receiver<Result<Found, Failure>> {
        self.call(|waiter| Call::Read(key, waiter))
    }

    /// Stores a parcel that is [plain](Parcel::is_plain). What cannot be stored is queued as an invalidation.
    pub(crate) fn set(&self, parcel: Parcel) -> oneshot::Receiver<Result<Stored, Failure>> {
        self.call(|waiter| Call::Set(parcel, waiter))
    }

    fn call<T>(&self, call: impl FnOnce(Waiter<T>) -> Call) -> oneshot::Receiver<Result<T, Failure>> {
        let (waiter, receiver) = oneshot::channel();
        self.common.in_flight.fetch_add(1, Ordering::Relaxed);
        // Where the thread has gone, the receiver is told by the waiter's drop.
        let _ = self.calls.send(call(waiter));
        receiver
    }

    /// The count of operations under way.
    pub(crate) fn counter(&self) -> Arc<AtomicUsize> {
        self.common.in_flight.clone()
    }

    /// How many operations are under way.
    pub(crate) fn in_flight(&self) -> usize {
        self.common.in_flight.load(Ordering::Relaxed)
    }

    /// Whether more is under way than Redis keeps up with.
    pub(crate) fn is_full(&self) -> bool {
        self.in_flight() >= IN_FLIGHT
    }

    /// Whether that is so though nothing but invalidations was let in.
    pub(crate) fn is_flooded(&self) -> bool {
        self.in_flight() >= 2 * IN_FLIGHT
    }
}

/// Goes round, without sleeping, until there is a call; whether one came in time.
async fn stay_awake(inbox: &mpsc::UnboundedReceiver<Call>) -> bool {
    let began = Instant::now();
    while inbox.is_empty() {
        if began.elapsed() >= AWAKE {
            return false;
        }
        // What Redis answers meanwhile is seen to.
        yield_now().await;
    }
    true
}

async fn serve(mut inbox: mpsc::UnboundedReceiver<Call>, settings: Settings, common: Common) {
    let may_stay_awake = settings.have_a_thread();
    let link = Rc::new(Link::new(settings, common.clone()));
    let keeper = tokio::task::spawn_local(keep(link.clone()));
    let (mut under_way, mut called, mut alone) = (JoinSet::new(), Vec::new(), 0);
    while inbox.recv_many(&mut called, CALLS).await > 0 {
        if link.node.is_used() {
            // Before what is called now: whatever comes of that is waited for.
            under_way.spawn_local(fleet::come_back(link.clone()));
        }
        alone = if called.len() == 1 { alone + 1 } else { 0 };
        let mut turn = Turn::default();
        let mut send = |turn: &mut Turn, then: Option<Job>| {
            if turn.len() > 0 {
                let (turn, link) = (mem::take(turn), link.clone());
                let those = UnderWay(common.in_flight.clone(), turn.len());
                under_way.spawn_local(async move {
                    turn.run(link).await;
                    drop(those);
                });
            }
            if let Some(job) = then {
                under_way.spawn_local(job(link.clone()));
            }
        };
        // Tasks begin in the order in which they are spawned, and so does what they send.
        for call in called.drain(..) {
            match call {
                Call::Read(key, waiter) => turn.read(&link, key, waiter),
                Call::Set(parcel, waiter) => turn.set(parcel, waiter),
                Call::Job(job) => send(&mut turn, Some(job)),
            }
            if turn.is_full() {
                send(&mut turn, None);
            }
        }
        send(&mut turn, None);
        while under_way.try_join_next().is_some() {}
        if alone >= ALONE && may_stay_awake && !stay_awake(&inbox).await {
            alone = 0;
        }
    }
    let _ = timeout(LINGER, async {
        while under_way.join_next().await.is_some() {}
        // The keeper delivers it.
        while link.queue.borrow().len() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    keeper.abort();
    fleet::leave(&link).await;
}
