//! The one thread that speaks with Redis, with a runtime of its own: whoever waits for it may wait anywhere.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use cache_core::{Error, ErrorKind};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::timeout;

use crate::failure::Failure;
use crate::keeper::keep;
use crate::link::{Link, Status};
use crate::settings::Settings;

/// Work for that thread. What it needs to send is not `Send` there, so it is made there.
type Job = Box<dyn FnOnce(Rc<Link>) -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// More operations than this at once are refused: Redis is slower than they come.
const IN_FLIGHT: usize = 65_536;

/// The way to the thread. It ends when this is dropped, once what is under way has been done.
#[derive(Debug)]
pub(crate) struct Io {
    jobs: mpsc::UnboundedSender<Job>,
    pub(crate) status: Arc<Mutex<Status>>,
    in_flight: Arc<AtomicUsize>,
}

/// One operation under way.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Io {
    /// Starts it.
    ///
    /// # Errors
    /// `Unavailable`: the system gives no thread.
    pub(crate) fn start(settings: Settings) -> Result<Self, Error> {
        let (jobs, inbox) = mpsc::unbounded_channel();
        let status = Arc::new(Mutex::new(Status::default()));
        let its = status.clone();
        let refused = |error: std::io::Error| {
            let message = "cannot start the thread that speaks with Redis: the system gives no more";
            Error::new(ErrorKind::Unavailable, message).with_source(error)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
        thread::Builder::new()
            .name("larder-redis".into())
            .spawn(move || LocalSet::new().block_on(&runtime, serve(inbox, settings, its)))
            .map_err(refused)?;
        Ok(Self { jobs, status, in_flight: Arc::default() })
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
        let (answer, receiver) = oneshot::channel();
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let under_way = UnderWay(self.in_flight.clone());
        let job: Job = Box::new(move |link| {
            Box::pin(async move {
                let _under_way = under_way;
                let work = work(link);
                let output = match limit {
                    Some(limit) => timeout(limit, work).await.unwrap_or_else(|_| Err(Failure::late(limit))),
                    None => work.await,
                };
                // Nobody may be waiting any more.
                let _ = answer.send(output);
            })
        });
        // Where the thread has gone, the receiver is told by the sender's drop.
        let _ = self.jobs.send(job);
        receiver
    }

    /// The count of operations under way.
    pub(crate) fn counter(&self) -> Arc<AtomicUsize> {
        self.in_flight.clone()
    }

    /// How many operations are under way.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Whether more is under way than Redis keeps up with.
    pub(crate) fn is_full(&self) -> bool {
        self.in_flight() >= IN_FLIGHT
    }
}

async fn serve(mut inbox: mpsc::UnboundedReceiver<Job>, settings: Settings, status: Arc<Mutex<Status>>) {
    let operation = settings.operation;
    let link = Rc::new(Link::new(settings, status));
    let keeper = tokio::task::spawn_local(keep(link.clone()));
    let mut under_way = JoinSet::new();
    while let Some(job) = inbox.recv().await {
        under_way.spawn_local(job(link.clone()));
        while under_way.try_join_next().is_some() {}
    }
    let _ = timeout(operation, async { while under_way.join_next().await.is_some() {} }).await;
    keeper.abort();
}
