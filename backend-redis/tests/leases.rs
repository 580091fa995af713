//! One load for the fleet: handles stand for processes, and real processes for themselves.

mod common;

use std::future::Future;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use backend_redis::Redis;
use cache_core::{Cache, Ended, Engine, Lease, Policy, Target, ttl};
use common::{Server, until, wait};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const MS: Duration = Duration::from_millis(1);
const KEY: &str = "k";

/// One thread for all that are "processes"; nothing may take longer than this.
fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { timeout(60_000 * MS, test).await.expect("in time") })
}

fn engines<const N: usize>(server: &Server) -> [Engine; N] {
    std::array::from_fn(|_| Engine::builder().build(Arc::new(server.redis())))
}

/// A source that counts, is slow, and says which of its loads gave a value.
#[derive(Clone, Default)]
struct Source {
    loads: Arc<AtomicU32>,
    slow: Duration,
}

impl Source {
    fn slow(ms: u32) -> Self {
        Self { slow: ms * MS, ..Self::default() }
    }

    async fn read(self) -> u32 {
        let number = self.loads.fetch_add(1, Ordering::SeqCst) + 1;
        sleep(self.slow).await;
        number
    }

    async fn fail(self) -> Result<u32, String> {
        Err(format!("down: {}", self.read().await))
    }

    fn loads(&self) -> u32 {
        self.loads.load(Ordering::SeqCst)
    }

    /// Returns when so many have begun.
    async fn begun(&self, loads: u32) {
        while self.loads() < loads {
            sleep(5 * MS).await;
        }
    }
}

async fn get(engine: &Engine, key: &str, source: &Source) -> u32 {
    *engine.get_or_load(key, Policy::ttl(ttl::SHORT).in_caller(), || source.clone().read()).await
}

fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(work)
}

/// `get`, under way.
fn getting(engine: &Engine, key: &'static str, source: &Source) -> tokio::task::JoinHandle<u32> {
    let (engine, source) = (engine.clone(), source.clone());
    spawn(async move { get(&engine, key, &source).await })
}

/// How often the server was sent a command since its statistics were last reset.
fn calls(raw: &mut redis::Connection, command: &str) -> u64 {
    let info: String = redis::cmd("INFO").arg("commandstats").query(raw).expect("statistics");
    let line = info.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0)
}

#[test]
fn two_handles_load_once_and_wake_each_other() {
    let server = Server::start(&[]);
    let mut raw = server.raw();
    run(async {
        let engines: [Engine; 2] = engines(&server);
        // So that both know the epoch: all of the first calls look for it.
        for engine in &engines {
            engine.set("there", 1_u32, ttl::SHORT).await.expect("stored");
        }
        let mut waits = Vec::new();
        for key in ["a", "b", "c", "d", "e"] {
            redis::cmd("CONFIG").arg("RESETSTAT").exec(&mut raw).expect("reset");
            let (source, mut callers) = (Source::slow(700), JoinSet::new());
            let began = Instant::now();
            for engine in &engines {
                for _ in 0..200 {
                    let (engine, source) = (engine.clone(), source.clone());
                    callers.spawn(async move { get(&engine, key, &source).await });
                }
            }
            let values = callers.join_all().await;
            waits.push(began.elapsed() - source.slow);
            assert!(values.iter().all(|value| *value == 1), "{values:?}");
            assert_eq!((values.len(), source.loads()), (400, 1), "one load for both");
            // One handle asks for the lease, publishes, and may extend its claim; the other asks at each look, four
            // times a second.
            let scripts = calls(&mut raw, "evalsha");
            assert!(scripts <= 20, "{scripts} scripts for 400 callers");
            assert_eq!(calls(&mut raw, "publish"), 1, "those who wait are told");
        }
        // A machine that is busy wakes them late.
        assert!(waits.iter().any(|wait| *wait < 100 * MS), "after the load ended: {waits:?}");
    });
}

#[test]
fn a_failing_source_is_asked_by_few_and_nobody_hangs() {
    let server = Server::start(&[]);
    run(async {
        let engines: [Engine; 4] = engines(&server);
        let (source, mut callers) = (Source::slow(300), JoinSet::new());
        let began = Instant::now();
        for engine in &engines {
            for _ in 0..50 {
                let (engine, source) = (engine.clone(), source.clone());
                callers.spawn(async move {
                    let policy = Policy::ttl(ttl::SHORT).in_caller();
                    engine.try_get_or_load_shared::<u32, _, _, _>(KEY, policy, || source.fail()).await
                });
            }
        }
        for result in callers.join_all().await {
            assert!(result.expect_err("it fails").starts_with("down"));
        }
        // Two in a row: the first one's, and those of the others beside each other.
        assert!(began.elapsed() < 5 * source.slow, "{:?}", began.elapsed());
        assert!(source.loads() <= 4, "{} loads", source.loads());
        assert_eq!(get(&engines[0], KEY, &Source::default()).await, 1, "nothing is left of it");
    });
}

#[test]
fn a_stale_value_is_served_while_another_process_refreshes() {
    let server = Server::start(&[]);
    let mut raw = server.raw();
    run(async {
        let [one, other] = engines(&server);
        let policy = || Policy::ttl(100 * MS).swr(ttl::SHORT);
        one.set(KEY, 0_u32, policy()).await.expect("stored");
        sleep(150 * MS).await;
        let source = Source::slow(600);
        let load = async |engine: &Engine| {
            // It may run on a thread that has no timer.
            let (source, here) = (source.clone(), tokio::runtime::Handle::current());
            let read = || async move { here.spawn(source.read()).await.expect("no panic") };
            *engine.get_or_load(KEY, policy(), read).await
        };
        assert_eq!(load(&one).await, 0, "refreshed in the background");
        source.begun(1).await;
        redis::cmd("CONFIG").arg("RESETSTAT").exec(&mut raw).expect("reset");
        let (began, mut reads) = (Instant::now(), 0);
        while began.elapsed() < 400 * MS {
            assert_eq!(load(&other).await, 0, "served stale, and at once");
            reads += 1;
        }
        let asked = calls(&mut raw, "evalsha");
        assert!(asked <= 4 && reads > 20, "the lease was asked for {asked} times by {reads} reads");
        let fresh = async {
            while other.get::<u32>(KEY).await.expect("read").is_none_or(|value| *value != 1) {
                sleep(5 * MS).await;
            }
        };
        timeout(5000 * MS, fresh).await.expect("it is replaced");
        assert_eq!(source.loads(), 1);
    });
}

#[test]
fn a_stale_value_stands_in_when_another_process_has_failed() {
    let server = Server::start(&[]);
    run(async {
        let [one, other] = engines(&server);
        let policy = || Policy::ttl(100 * MS).sie(ttl::SHORT).in_caller();
        one.set(KEY, 0_u32, policy()).await.expect("stored");
        sleep(150 * MS).await;
        // Long enough for the second to ask meanwhile, on a machine that stalls, too.
        let source = Source::slow(800);
        let load = |engine: &Engine| {
            let (engine, source) = (engine.clone(), source.clone());
            spawn(
                async move { engine.try_get_or_load(KEY, policy(), || source.fail()).await.map(|value| *value) },
            )
        };
        let first = load(&one);
        source.begun(1).await;
        let second = load(&other);
        assert_eq!((first.await.expect("done"), second.await.expect("done")), (Ok(0), Ok(0)));
        assert_eq!(load(&other).await.expect("done"), Ok(0), "throttled, as if it had failed there");
        assert_eq!(source.loads(), 1);
    });
}

/// Invalidated by a raw client, or by larder, while another process loads: what it loaded is not stored, and those who
/// waited load anew.
#[test]
fn what_is_invalidated_during_a_foreign_load_is_loaded_anew() {
    let server = Server::start(&[]);
    let mut raw = server.raw();
    let targets = [
        None,
        Some(Target::Key(KEY)),
        Some(Target::Tag("t")),
        Some(Target::Pattern("k*")),
        Some(Target::All),
    ];
    run(async {
        let [one, other] = engines(&server);
        let get = |engine: &Engine, source: &Source| {
            let (engine, source) = (engine.clone(), source.clone());
            let policy = Policy::ttl(ttl::SHORT).tags(["t"]).in_caller();
            spawn(async move { *engine.get_or_load(KEY, policy, || source.read()).await })
        };
        for target in targets {
            one.clear().await.expect("cleared");
            let (old, new) = (Source::slow(1500), Source::slow(10));
            let first = get(&one, &old);
            old.begun(1).await;
            let waiting = get(&other, &new);
            sleep(100 * MS).await;
            assert_eq!(new.loads(), 0, "it waits");
            match target {
                Some(target) => one.invalidate(target).await.expect("invalidated"),
                None => {
                    let names: Vec<String> =
                        redis::cmd("KEYS").arg("larder:*:k:k").query(&mut raw).expect("names");
                    assert_eq!(redis::cmd("DEL").arg(&names).query(&mut raw), Ok(names.len()));
                }
            }
            let later = get(&other, &new);
            // A tag may be named only when the load is done, so that one is waited for.
            if !matches!(target, Some(Target::Tag(_))) {
                timeout(1000 * MS, new.begun(1)).await.expect("it does not wait for what was invalidated");
            }
            assert_eq!((waiting.await.expect("done"), later.await.expect("done")), (1, 1), "{target:?}");
            assert_eq!(first.await.expect("done"), 1);
            let found = one.get::<u32>(KEY).await.expect("read");
            assert!(found.is_some() && new.loads() == 1, "{target:?}: {found:?} after {} loads", new.loads());
            // The old source's value was 1 as well: it would live on if it had been stored last.
            other.delete(KEY).await.expect("deleted");
            let again = get(&other, &new).await.expect("done");
            assert_eq!((again, get(&one, &old).await.expect("done")), (2, 2), "{target:?}");
        }
    });
}

/// A loads x and wants y, B loads y and wants x; and each of them may run one load at a time.
#[test]
fn loads_that_wait_for_each_other_in_a_circle_end() {
    let server = Server::start(&[]);
    run(async {
        let engines: [Engine; 2] =
            std::array::from_fn(|_| Engine::builder().max_loads(1).build(Arc::new(server.redis())));
        let source = Source::slow(200);
        let nested = |engine: &Engine, outer: &'static str, inner: &'static str| {
            let (engine, source) = (engine.clone(), source.clone());
            spawn(async move {
                let policy = || Policy::ttl(ttl::SHORT).in_caller();
                let load = || async {
                    source.clone().read().await;
                    *engine.get_or_load(inner, policy(), || source.clone().read()).await
                };
                *engine.get_or_load(outer, policy(), load).await
            })
        };
        let began = Instant::now();
        let mut all = Vec::new();
        for _ in 0..20 {
            all.extend([nested(&engines[0], "x", "y"), nested(&engines[1], "y", "x")]);
            all.extend([getting(&engines[0], "z", &source), getting(&engines[1], "z", &source)]);
        }
        for one in all {
            one.await.expect("done");
        }
        assert!(began.elapsed() < 5000 * MS, "{:?}", began.elapsed());
    });
}

#[test]
fn a_lease_that_nobody_takes_or_needs_is_given_back() {
    let server = Server::start(&[]);
    let (one, other) = (server.redis(), server.redis());
    let mine = |redis: &Redis| match redis.lease(KEY, false).wait().expect("asked") {
        Lease::Mine(fence) => Some(fence),
        _ => None,
    };
    // Dropped before it is answered, most of the time.
    for _ in 0..20 {
        drop(one.lease(KEY, false));
    }
    let began = Instant::now();
    let fence = loop {
        match mine(&other) {
            Some(fence) => break fence,
            None => assert!(began.elapsed() < 1000 * MS, "long before it would end by itself"),
        }
    };
    assert!(mine(&one).is_none());
    let second = mine(&other).expect("its own callers are its own affair");
    other.settle(KEY, fence, Ended::Failed);
    assert!(mine(&one).is_none(), "the second one loads");
    let theirs = || match one.lease(KEY, false).wait().expect("asked") {
        Lease::Theirs(ended) => ended,
        _ => panic!("not its own"),
    };
    // Until it hears, so that it does hear.
    wait(theirs());
    let mut held = (&other, second);
    for (ended, next) in [(Ended::Failed, &other), (Ended::Unshared, &other), (Ended::Somehow, &one)] {
        let waits = theirs();
        held.0.settle(KEY, held.1, ended);
        assert_eq!(wait(waits), ended);
        held = (next, mine(next).expect("free at once"));
    }
}

/// While Redis is away, everybody loads; also who waits.
#[test]
fn who_waits_loads_when_redis_dies() {
    let mut server = Server::start(&[]);
    run(async {
        let [one, other] = engines(&server);
        let (slow, fast) = (Source::slow(3000), Source::default());
        let first = getting(&one, KEY, &slow);
        slow.begun(1).await;
        let waiting = getting(&other, KEY, &fast);
        sleep(200 * MS).await;
        assert_eq!(fast.loads(), 0);
        server.kill();
        assert_eq!(timeout(2500 * MS, waiting).await.expect("soon").expect("done"), 1);
        first.abort();
    });
}

/// This very program, as one process of a fleet; it does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn process(server: &Server, callers: u32, slow: u32) -> Process {
    let child = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "one_process", "--ignored", "--nocapture"])
        .env("LARDER_FLEET", format!("{} {callers} {slow}", server.url()))
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn();
    Process(child.expect("started"))
}

#[test]
#[ignore = "run by other tests, as a process of its own"]
fn one_process() {
    let told = std::env::var("LARDER_FLEET").expect("told by its parent");
    let [url, callers, slow] = told.split(' ').collect::<Vec<_>>()[..] else { panic!("{told}") };
    let [callers, slow]: [u32; 2] = [callers, slow].map(|number| number.parse().expect("a number"));
    run(async {
        let builder = Redis::builder(url).response_timeout(10_000 * MS).operation_timeout(20_000 * MS);
        let engine = Engine::builder().build(Arc::new(builder.connect().await.expect("a handle")));
        engine.incr("ready", 1).await.expect("added");
        while engine.get::<i64>("go").await.expect("read").is_none() {
            sleep(10 * MS).await;
        }
        let mut all = JoinSet::new();
        for _ in 0..callers {
            let engine = engine.clone();
            all.spawn(async move {
                let load = || async {
                    let number = engine.incr("loads", 1).await.expect("added");
                    sleep(slow * MS).await;
                    number.to_string()
                };
                let value = engine.get_or_load(KEY, Policy::ttl(ttl::SHORT).in_caller(), load).await;
                engine.incr(format!("got:{value}"), 1).await.expect("added");
            });
        }
        all.join_all().await;
    });
}

fn count(engine: &Engine, key: &str) -> i64 {
    engine.get::<i64>(key).wait().expect("read").map_or(0, |count| *count)
}

#[test]
fn four_processes_load_once() {
    let server = Server::start(&[]);
    let [engine] = engines(&server);
    let mut fleet: Vec<Process> = (0..4).map(|_| process(&server, 250, 1000)).collect();
    until("all are there", 20_000 * MS, || count(&engine, "ready") == 4);
    engine.set("go", 1_i64, ttl::SHORT).wait().expect("stored");
    for process in &mut fleet {
        assert!(process.0.wait().expect("ended").success());
    }
    assert_eq!((count(&engine, "loads"), count(&engine, "got:1")), (1, 1000));
}

#[test]
fn a_process_that_is_killed_is_replaced() {
    let server = Server::start(&[]);
    let [engine] = engines(&server);
    engine.set("go", 1_i64, ttl::SHORT).wait().expect("stored");
    let mut process = process(&server, 10, 60_000);
    until("it loads", 20_000 * MS, || count(&engine, "loads") == 1);
    // Long enough to be extended.
    std::thread::sleep(3000 * MS);
    let source = Source::default();
    run(async {
        let waiting = getting(&engine, KEY, &source);
        sleep(500 * MS).await;
        assert_eq!(source.loads(), 0, "its holder lives");
        process.0.kill().expect("killed");
        let began = Instant::now();
        waiting.await.expect("done");
        assert!(began.elapsed() < 3500 * MS && source.loads() == 1, "{:?}", began.elapsed());
    });
}

/// Between the look of the one and its asking for the lease, the other has published.
#[test]
fn who_is_given_a_lease_where_something_fresh_stands_is_told_so() {
    let server = Server::start(&[]);
    let (one, other) = (server.redis(), server.redis());
    let leased = || one.lease(KEY, false).wait().expect("asked");
    let give_back = |lease| match lease {
        Lease::Mine(fence) => (one.settle(KEY, fence, Ended::Failed), false).1,
        Lease::LookAgain(fence) => (one.settle(KEY, fence, Ended::Failed), true).1,
        Lease::Theirs(_) => panic!("nobody else loads"),
    };
    assert!(!give_back(leased()), "there is nothing");
    let put = || {
        let set = cache_core::Set::new(cache_core::Lifetime { fresh: 60_000 * MS, total: 120_000 * MS });
        other.set(KEY, cache_core::Value::new(Arc::new(1_u32)), set).wait().expect("stored");
    };
    put();
    assert!(give_back(leased()));
    other.invalidate(Target::Key(KEY), cache_core::Strength::MarkStale).wait().expect("marked");
    assert!(!give_back(leased()), "it is stale");
    other
        .incr("n", 1, cache_core::Lifetime { fresh: 60_000 * MS, total: 60_000 * MS })
        .wait()
        .expect("added");
    assert!(matches!(one.lease("n", false).wait().expect("asked"), Lease::LookAgain(_)), "a counter");
    // What asks for no lease is given its fence whatever stands there.
    put();
    one.fence(KEY).wait().expect("a fence");
}
