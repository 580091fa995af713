//! Streams between nodes and the server, on which everything takes its time, and which break.
//!
//! Each direction of each connection keeps its order, as TCP does; different connections know nothing of each other.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_core::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{Instant, sleep, sleep_until};

use crate::store::Store;

/// How many bytes may be under way in one direction.
const ROOM: usize = 256 << 10;

/// How long a packet takes, at least and at most.
#[derive(Clone, Copy, Debug)]
pub struct Delay(pub Duration, pub Duration);

impl Delay {
    fn draw(self) -> Duration {
        let (least, most) = (self.0.as_micros() as u64, self.1.as_micros() as u64);
        Duration::from_micros(fastrand::u64(least..=most.max(least)))
    }
}

/// What is wrong with the ways between one node and the server.
#[derive(Debug, Default)]
struct Ways {
    /// Nothing arrives for now: from the node, at the node.
    blocked: [AtomicBool; 2],
    /// In microseconds, on top of what each packet takes.
    slower: AtomicU64,
    open: Mutex<Vec<AbortHandle>>,
}

/// A node that wants a connection.
type Wish = (usize, oneshot::Sender<io::Result<DuplexStream>>);

/// See the module.
#[derive(Clone)]
pub struct Network {
    wishes: mpsc::UnboundedSender<Wish>,
    ways: Arc<Vec<Ways>>,
}

impl Network {
    /// One between `nodes` nodes and a server.
    pub fn new(nodes: usize, delay: Delay, store: Store) -> Self {
        let (wishes, mut inbox) = mpsc::unbounded_channel::<Wish>();
        let ways: Arc<Vec<Ways>> = Arc::new((0..nodes).map(|_| Ways::default()).collect());
        let its = ways.clone();
        spawn_local(async move {
            while let Some((node, reply)) = inbox.recv().await {
                let (ways, store) = (its.clone(), store.clone());
                spawn_local(async move {
                    sleep(delay.draw()).await;
                    let _ = reply.send(open(&ways, node, delay, store).await);
                });
            }
        });
        Self { wishes, ways }
    }

    /// What `node` connects by.
    pub fn dialer(&self, node: usize) -> Arc<backend_redis::Dialer> {
        let wishes = self.wishes.clone();
        Arc::new(move |_| -> BoxFuture<'static, io::Result<DuplexStream>> {
            let wishes = wishes.clone();
            Box::pin(async move {
                let (reply, answer) = oneshot::channel();
                let _ = wishes.send((node, reply));
                answer.await.unwrap_or_else(|_| Err(io::ErrorKind::ConnectionRefused.into()))
            })
        })
    }

    /// Cuts all connections of `node`: what was under way is lost.
    pub fn cut(&self, node: usize) {
        let open = std::mem::take(&mut *self.ways[node].open.lock().expect("nobody panics with it"));
        open.into_iter().for_each(|pump| pump.abort());
    }

    /// From now on nothing that `node` sends (0), or is sent (1), arrives; or again it does, and what waited, too.
    pub fn block(&self, node: usize, way: usize, blocked: bool) {
        self.ways[node].blocked[way].store(blocked, Ordering::Relaxed);
    }

    /// Each packet from and to `node` takes so much longer.
    pub fn slow_down(&self, node: usize, by: Duration) {
        self.ways[node].slower.store(by.as_micros() as u64, Ordering::Relaxed);
    }
}

async fn open(ways: &Arc<Vec<Ways>>, node: usize, delay: Delay, store: Store) -> io::Result<DuplexStream> {
    let its = &ways[node];
    if its.blocked.iter().any(|blocked| blocked.load(Ordering::Relaxed)) {
        // Nobody answers, not even with a refusal.
        sleep(Duration::from_secs(3600)).await;
    }
    if !store.is_there() {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    let ((near, node_end), (far, server_end)) = (duplex(ROOM), duplex(ROOM));
    let ((from_node, to_node), (from_server, to_server)) = (split(node_end), split(server_end));
    let mut pumps = Vec::new();
    for (way, from, to) in [(0, from_node, to_server), (1, from_server, to_node)] {
        pumps.push(pump(ways.clone(), node, way, delay, from, to));
    }
    let both = spawn_local(async move {
        let second = pumps.pop().expect("there are two");
        let first = pumps.pop().expect("there are two");
        // One end that closes closes the other.
        tokio::select! { biased; () = first => {}, () = second => {} }
    });
    let mut open = its.open.lock().expect("nobody panics with it");
    open.retain(|pump| !pump.is_finished());
    open.push(both.abort_handle());
    spawn_local(async move { store.server.serve(far).await });
    Ok(near)
}

/// Carries one direction.
async fn pump(
    ways: Arc<Vec<Ways>>,
    node: usize,
    way: usize,
    delay: Delay,
    mut from: ReadHalf<DuplexStream>,
    mut to: WriteHalf<DuplexStream>,
) {
    let (sender, mut packets) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let take = async {
        let mut last = Instant::now();
        let mut buffer = vec![0; 16 << 10];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let slower = Duration::from_micros(ways[node].slower.load(Ordering::Relaxed));
            last = last.max(Instant::now() + delay.draw() + slower);
            if sender.send((last, buffer[..length].to_vec())).is_err() {
                return;
            }
        }
        // What was sent before the end arrives before it.
        drop(sender);
        std::future::pending::<()>().await;
    };
    let bring = async {
        while let Some((at, bytes)) = packets.recv().await {
            sleep_until(at).await;
            while ways[node].blocked[way].load(Ordering::Relaxed) {
                // Sent again and again, as TCP does, until the way is free or somebody gives up.
                sleep(Duration::from_millis(100)).await;
            }
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::select! { biased; () = take => {}, () = bring => {} }
}
