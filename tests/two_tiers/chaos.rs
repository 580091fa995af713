//! Nodes, writers and a Redis that is meddled with: nobody is served what was invalidated, here at once, elsewhere when the
//! word of it must have come.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use larder::{Larder, Policy, Target};

use crate::common::plain::{SOON, names, run};
use crate::common::{Server, until};
use crate::node;

const KEYS: usize = 4;
const TAGS: [&str; KEYS] = ["t:0", "t:1", "t:2", "t:3"];
/// By then a node that is connected has handled a notice, on a busy machine too; one that is not believes its memory for
/// five seconds since it last was.
const BOUND: Duration = Duration::from_secs(8);

/// What was invalidated, and when that had returned: on each node, the least version that may be served.
#[derive(Default)]
struct Truth {
    source: [AtomicU64; KEYS],
    /// By node, for those that invalidated it themselves.
    here: [[AtomicU64; KEYS]; 3],
    all: Mutex<Vec<(Instant, usize, u64)>>,
}

impl Truth {
    fn least(&self, node: usize, at: usize) -> u64 {
        let own = self.here[node][at].load(Ordering::SeqCst);
        let all = self.all.lock().expect("locked");
        let old = all.iter().filter(|(when, key, _)| *key == at && when.elapsed() > BOUND);
        old.map(|(.., version)| *version).max().unwrap_or(0).max(own)
    }
}

fn read(cache: &Larder, truth: &Truth, node: usize, broken: &Mutex<Vec<String>>) -> bool {
    let at = fastrand::usize(..KEYS);
    let (key, least, mut loaded) = (format!("k:{at}"), truth.least(node, at), false);
    let policy = Policy::ttl(Duration::from_secs(20)).tags(["all", TAGS[at]]).in_caller();
    let value = cache.get_or_compute(&key, policy, || {
        loaded = true;
        let version = truth.source[at].load(Ordering::SeqCst);
        std::thread::sleep(Duration::from_micros(fastrand::u64(..2000)));
        version
    });
    if *value < least {
        broken
            .lock()
            .expect("locked")
            .push(format!("node {node}: {key}: {value} after {least}, loaded {loaded}"));
    }
    !loaded
}

fn write(cache: &Larder, truth: &Truth, node: usize) {
    let at = fastrand::usize(..KEYS);
    let version = truth.source[at].fetch_add(1, Ordering::SeqCst) + 1;
    let key = format!("k:{at}");
    let target = match fastrand::u8(..6) {
        0 => Target::Key(&key),
        1 => Target::Tag(TAGS[at]),
        2 => Target::Tag("all"),
        3 => Target::Pattern("k:*"),
        4 => Target::Pattern(&key),
        _ => Target::All,
    };
    let done = cache.invalidate(target).wait();
    // Also what is queued is void here at once.
    truth.here[node][at].fetch_max(version, Ordering::SeqCst);
    if done.is_err() {
        until("delivered", SOON, || cache.health().wait().is_ok_and(|health| health.troubles.is_empty()));
    }
    truth.all.lock().expect("locked").push((Instant::now(), at, version));
}

fn meddle(server: &Server) {
    let mut client = server.raw();
    let all = names(&mut client, "larder:*");
    match fastrand::u8(..8) {
        0 => drop(run(&mut client, &["FLUSHALL"])),
        1 => drop(run(&mut client, &["SCRIPT", "FLUSH"])),
        2 => drop(run(&mut client, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])),
        3 => {
            server.signal("STOP");
            std::thread::sleep(Duration::from_millis(50));
            server.signal("CONT");
        }
        _ => {
            if let Some(name) = all.get(fastrand::usize(..all.len().max(1))) {
                run(&mut client, &["DEL", name]);
            }
        }
    }
}

#[test]
fn under_chaos_nothing_invalidated_is_served() {
    let server = Server::start(&[]);
    let nodes = [node(&server), node(&server), node(&server)];
    let (truth, over, broken) = (Truth::default(), AtomicBool::new(false), Mutex::default());
    let hits = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for reader in 0..6 {
            let (cache, truth, over, broken, hits) = (&nodes[reader % 3], &truth, &over, &broken, &hits);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    hits.fetch_add(u64::from(read(cache, truth, reader % 3, broken)), Ordering::Relaxed);
                    std::thread::sleep(Duration::from_micros(200));
                }
            });
        }
        for (at, cache) in nodes.iter().enumerate().take(2) {
            let (truth, over) = (&truth, &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    write(cache, truth, at);
                    std::thread::sleep(Duration::from_micros(fastrand::u64(..20_000)));
                }
            });
        }
        let (server, over, hits) = (&server, &over, &hits);
        scope.spawn(move || {
            let began = Instant::now();
            // On a busy machine for longer, until it shows something.
            let shows = || hits.load(Ordering::Relaxed) > 1000 || began.elapsed() > Duration::from_secs(90);
            while began.elapsed() < Duration::from_secs(20) || !shows() {
                std::thread::sleep(Duration::from_millis(fastrand::u64(5..200)));
                meddle(server);
            }
            over.store(true, Ordering::Relaxed);
        });
    });
    let broken = broken.into_inner().expect("locked");
    assert!(broken.is_empty(), "{} stale reads: {:?}", broken.len(), &broken[..broken.len().min(5)]);
    assert!(hits.load(Ordering::Relaxed) > 1000, "{hits:?} hits: this shows nothing");
}
