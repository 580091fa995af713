//! Leases as the engine uses them: engines that stand for processes, over one store that says who loads.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_core::testing::Plain;
use cache_core::{
    Cache, Ended, Engine, Entry, Fence, Kind, Lease, Lifetime, Loaded, ManualClock, Policy, Reply, Set,
    Stored, Strength, Target, Timeout, Usage, Value,
};
use tokio::sync::oneshot::{self, Sender};
use tokio::task::JoinHandle;

const KEY: &str = "k";
const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// What all processes share.
struct Store {
    plain: Plain,
    /// Who loads a key, by which lease, and who waits.
    claims: Mutex<HashMap<String, Claim>>,
    /// How the lease was asked for.
    asked: Mutex<Vec<bool>>,
    /// What another process publishes when next a lease is asked for, just before it is given.
    just_published: Mutex<Option<u32>>,
}

struct Claim {
    holder: usize,
    lease: u64,
    waiting: Vec<Sender<Ended>>,
}

impl Store {
    /// Wakes who waits for `key`, though nothing is over.
    fn wake(&self) {
        let mut claims = self.claims.lock().expect("locked");
        claims
            .values_mut()
            .flat_map(|claim| claim.waiting.drain(..))
            .for_each(|one| tell(one, Ended::Somehow));
    }

    fn waiting(&self) -> usize {
        let claims = self.claims.lock().expect("locked");
        claims.values().flat_map(|claim| &claim.waiting).filter(|one| !one.is_closed()).count()
    }

    fn asked(&self) -> Vec<bool> {
        std::mem::take(&mut *self.asked.lock().expect("locked"))
    }
}

fn tell(one: Sender<Ended>, ended: Ended) {
    // He may have gone.
    let _ = one.send(ended);
}

/// The store as one of them sees it.
struct Process(Arc<Store>, usize);

impl Cache for Process {
    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.0.plain.get(key, kind)
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.0.plain.ttl(key)
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        self.0.plain.set(key, value, options)
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.0.plain.delete(key)
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        self.0.plain.invalidate(target, strength)
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        self.0.plain.expire(key, ttl)
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        self.0.plain.incr(key, delta, lifetime)
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        self.0.plain.fence(key)
    }

    fn lease(&self, key: &str, retrying: bool) -> Reply<'_, Lease> {
        self.0.asked.lock().expect("locked").push(retrying);
        let mut claims = self.0.claims.lock().expect("locked");
        if let Some(claim) = claims.get_mut(key).filter(|claim| claim.holder != self.1 && !retrying) {
            let (waiter, told) = oneshot::channel();
            claim.waiting.push(waiter);
            return Reply::ready(Lease::Theirs(Box::pin(async { told.await.unwrap_or(Ended::Somehow) })));
        }
        let published = self.0.just_published.lock().expect("locked").take();
        if let Some(value) = published {
            let set = Set::new(Lifetime { fresh: MINUTE, total: MINUTE });
            self.0.plain.set(key, Value::new(Arc::new(value)), set).wait().expect("plain");
        }
        let fence = self.0.plain.fence(key).wait().expect("plain");
        let claim = Claim { holder: self.1, lease: fence.lease, waiting: Vec::new() };
        claims.entry(key.to_owned()).or_insert(claim);
        Reply::ready(if published.is_some() { Lease::LookAgain(fence) } else { Lease::Mine(fence) })
    }

    fn settle(&self, key: &str, fence: Fence, ended: Ended) {
        let mut claims = self.0.claims.lock().expect("locked");
        if claims.get(key).is_some_and(|claim| claim.lease == fence.lease)
            && let Some(claim) = claims.remove(key)
        {
            claim.waiting.into_iter().for_each(|one| tell(one, ended));
        }
    }

    fn usage(&self) -> Usage {
        self.0.plain.usage()
    }
}

/// Two processes, and what they share.
fn fleet(clock: &ManualClock) -> (Arc<Store>, [Engine; 2]) {
    let plain = Plain::new(clock.clock());
    let store = Arc::new(Store {
        plain,
        claims: Mutex::default(),
        asked: Mutex::default(),
        just_published: Mutex::default(),
    });
    let engine =
        |number| Engine::builder().clock(clock.clock()).build(Arc::new(Process(store.clone(), number)));
    (store.clone(), [engine(0), engine(1)])
}

/// A source whose loads end when they are told what to come to.
#[derive(Clone, Default)]
struct Source(Arc<Mutex<Vec<Sender<Read>>>>, Arc<AtomicU32>);

type Read = Result<u32, &'static str>;

impl Source {
    async fn read(self) -> Read {
        self.1.fetch_add(1, Ordering::SeqCst);
        let (sender, told) = oneshot::channel();
        self.0.lock().expect("locked").push(sender);
        told.await.expect("told")
    }

    fn end(&self, result: Read) {
        self.0.lock().expect("locked").remove(0).send(result).expect("a load waits");
    }

    fn loads(&self) -> u32 {
        self.1.load(Ordering::SeqCst)
    }
}

/// Lets everybody go on until nobody can.
async fn turns() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

type Got = JoinHandle<Read>;

async fn load(engine: &Engine, policy: Policy, source: &Source) -> Got {
    let (engine, source) = (engine.clone(), source.clone());
    let got = tokio::spawn(async move {
        engine.try_get_or_load(KEY, policy.in_caller(), || source.read()).await.map(|value| *value)
    });
    turns().await;
    got
}

async fn done(got: Got) -> Read {
    assert!(got.is_finished(), "it waits");
    got.await.expect("no panic")
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(test);
}

#[test]
fn one_process_loads_and_the_others_get_what_it_publishes() {
    run(async {
        let clock = ManualClock::new();
        let (store, [one, other]) = fleet(&clock);
        let (first, second) = (Source::default(), Source::default());
        let leading = load(&one, Policy::ttl(MINUTE), &first).await;
        let waiting = [
            load(&other, Policy::ttl(MINUTE), &second).await,
            load(&other, Policy::ttl(MINUTE), &second).await,
        ];
        assert_eq!((store.waiting(), store.asked()), (1, vec![false, false]), "one of them waits for all");
        store.wake();
        turns().await;
        assert_eq!((store.waiting(), second.loads()), (1, 0), "it looked, and waits again");
        first.end(Ok(7));
        turns().await;
        assert_eq!(done(leading).await, Ok(7));
        for got in waiting {
            assert_eq!(done(got).await, Ok(7));
        }
        assert_eq!((second.loads(), other.stats().coalesced), (0, 2));
    });
}

/// What those who wait do depends on how the load ended.
#[test]
fn how_a_load_ended_says_who_loads_next() {
    run(async {
        for how in ["failed", "unshared", "cancelled", "invalidated"] {
            let clock = ManualClock::new();
            let (store, [one, other]) = fleet(&clock);
            let (first, second) = (Source::default(), Source::default());
            let leading = match how {
                "unshared" => {
                    let (one, source) = (one.clone(), first.clone());
                    let skip = async move |_| source.read().await.map(Loaded::skip);
                    let got = tokio::spawn(async move {
                        one.load_with(KEY, Policy::ttl(MINUTE).in_caller(), skip).await.map(|value| *value)
                    });
                    turns().await;
                    got
                }
                _ => load(&one, Policy::ttl(MINUTE), &first).await,
            };
            let waiting = load(&other, Policy::ttl(MINUTE), &second).await;
            assert_eq!(store.asked(), [false, false]);
            match how {
                "failed" => first.end(Err("down")),
                "cancelled" => leading.abort(),
                "invalidated" => {
                    one.delete(KEY).await.expect("deleted");
                    first.end(Ok(1));
                }
                _ => first.end(Ok(1)),
            }
            turns().await;
            let in_vain = matches!(how, "failed" | "unshared");
            assert_eq!((store.asked(), second.loads()), (vec![in_vain], 1), "{how}");
            second.end(Ok(2));
            turns().await;
            assert_eq!(done(waiting).await, Ok(2), "{how}");
        }
    });
}

#[test]
fn who_waits_minds_its_limits() {
    run(async {
        let clock = ManualClock::new();
        let (store, [one, other]) = fleet(&clock);
        let (first, second) = (Source::default(), Source::default());
        let stale = || Policy::ttl(SECOND).sie(MINUTE);
        one.set(KEY, 0_u32, stale()).await.expect("stored");
        clock.advance(SECOND);
        let leading = load(&one, stale(), &first).await;

        let soft = load(&other, stale().soft_timeout(SECOND), &second).await;
        let hard = {
            let other = other.clone();
            let policy = Policy::ttl(MINUTE).hard_timeout(2 * SECOND).in_caller();
            tokio::spawn(async move {
                let load =
                    other.try_get_or_load("other", policy, std::future::pending::<Result<u32, Timeout>>);
                load.await.map(|value| *value)
            })
        };
        let _held = Process(store.clone(), 0).lease("other", false).wait().expect("granted");
        turns().await;
        clock.advance(SECOND);
        turns().await;
        assert_eq!(done(soft).await, Ok(0), "what is stale, at its soft timeout");
        assert!(!hard.is_finished());
        clock.advance(SECOND);
        turns().await;
        assert!(hard.is_finished());
        assert_eq!(hard.await.expect("no panic").expect_err("given up").after(), 2 * SECOND);

        let patient = load(&other, stale(), &second).await;
        clock.advance(59 * SECOND);
        turns().await;
        assert_eq!(second.loads(), 0, "another one loads");
        clock.advance(2 * SECOND);
        turns().await;
        assert_eq!(second.loads(), 1, "it may not make progress");
        second.end(Ok(2));
        turns().await;
        assert_eq!(done(patient).await, Ok(2));
        first.end(Ok(1));
        turns().await;
        assert_eq!(done(leading).await, Ok(1));
        let got = other.get::<u32>(KEY).await.expect("read");
        assert_eq!(got.as_deref(), Some(&2), "the load that began later is not overwritten");
    });
}

#[test]
fn a_stale_value_is_served_meanwhile_and_stands_in_for_a_failure() {
    run(async {
        let clock = ManualClock::new();
        let (store, [one, other]) = fleet(&clock);
        let (first, second) = (Source::default(), Source::default());
        let policy = |swr| Policy::ttl(SECOND).swr(swr).sie(MINUTE);
        one.set(KEY, 0_u32, policy(SECOND)).await.expect("stored");
        clock.advance(SECOND);
        let leading = load(&one, policy(Duration::ZERO), &first).await;
        store.asked();
        for _ in 0..10 {
            assert_eq!(done(load(&other, policy(SECOND), &second).await).await, Ok(0), "at once");
        }
        assert_eq!(store.asked(), [false], "not at every read");
        clock.advance(SECOND / 2);
        assert_eq!(done(load(&other, policy(SECOND), &second).await).await, Ok(0));
        assert_eq!(store.asked(), [false]);
        clock.advance(SECOND);
        let waiting = load(&other, policy(SECOND), &second).await;
        assert_eq!(store.waiting(), 1, "it may only stand in for a failure by now");
        first.end(Err("down"));
        turns().await;
        assert_eq!((done(leading).await, done(waiting).await), (Ok(0), Ok(0)));
        assert_eq!(done(load(&other, policy(SECOND), &second).await).await, Ok(0), "and is not tried again");
        assert_eq!(second.loads(), 0);
    });
}

/// A load inside a load waits for others briefly: they may wait for the outer one.
#[test]
fn loads_in_a_circle_of_processes_end() {
    run(async {
        let clock = ManualClock::new();
        let (_store, engines) = fleet(&clock);
        let nested = |engine: &Engine, outer: &'static str, inner: &'static str| {
            let engine = engine.clone();
            tokio::spawn(async move {
                let policy = || Policy::ttl(MINUTE).in_caller();
                let load = || async {
                    turns().await;
                    *engine.get_or_load(inner, policy(), || async { 1_u32 }).await
                };
                *engine.get_or_load(outer, policy(), load).await
            })
        };
        let both = [nested(&engines[0], "x", "y"), nested(&engines[1], "y", "x")];
        for _ in 0..5 {
            turns().await;
        }
        assert!(both.iter().all(|load| !load.is_finished()), "each waits for the other");
        clock.advance(SECOND);
        for _ in 0..5 {
            turns().await;
        }
        for load in both {
            assert!(load.is_finished());
            assert_eq!(load.await.expect("no panic"), 1);
        }
    });
}

/// The one who loads elsewhere needs the thread that a synchronous caller holds.
#[cfg(feature = "tokio")]
#[test]
fn a_synchronous_caller_does_not_wait_for_its_own_thread() {
    run(async {
        let plain = Plain::default();
        let store = Arc::new(Store {
            plain,
            claims: Mutex::default(),
            asked: Mutex::default(),
            just_published: Mutex::default(),
        });
        let [one, other] =
            [0, 1].map(|number| Engine::builder().build(Arc::new(Process(store.clone(), number))));
        let first = Source::default();
        let leading = load(&one, Policy::ttl(MINUTE), &first).await;
        let began = std::time::Instant::now();
        assert_eq!(*other.get_or_compute(KEY, MINUTE, || 2_u32), 2);
        assert!(began.elapsed() < 10 * SECOND, "{:?}", began.elapsed());
        first.end(Ok(1));
        assert_eq!(leading.await.expect("no panic"), Ok(1));
    });
}

/// Between the look of the one and its asking for the lease, the other's load has ended.
#[test]
fn what_is_published_just_before_the_lease_is_given_is_not_loaded_again() {
    run(async {
        let clock = ManualClock::new();
        let (store, [one, _]) = fleet(&clock);
        let source = Source::default();
        *store.just_published.lock().expect("locked") = Some(7);
        let got = load(&one, Policy::ttl(MINUTE), &source).await;
        assert_eq!(done(got).await, Ok(7));
        assert_eq!(source.loads(), 0);
        assert!(store.claims.lock().expect("locked").is_empty(), "its lease is given back");
    });
}
