//! What a second review of loads broke: places of the cap, batches, tags named late, leaders that are gone.

#![allow(clippy::unwrap_used)]

mod common;
use common::{Counted, Failure, MINUTE, SECOND, Subject, in_time, poll, settle, subjects};
use larder::testing::{Fault, Faulty, Op, Plain};
use larder::{
    Cache, Engine, Entry, Fence, Kind, Larder, Lifetime, Load, Loaded, ManualClock, Policy, Reply, Set,
    Stored, Strength, Target, Usage, Value,
};
use std::pin::Pin;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

const KEY: &str = "k";

/// Holds back what a test wants held back, as a backend far away does.
struct Held {
    cache: Plain,
    /// An invalidation is done when this opens.
    invalidation: Mutex<Option<oneshot::Receiver<()>>>,
    /// A write is done at once, and answered when this opens.
    written: Mutex<Option<oneshot::Receiver<()>>>,
    /// A fence is taken when this opens.
    fence: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Held {
    fn new(clock: &ManualClock) -> Arc<Self> {
        Arc::new(Self {
            cache: Plain::new(clock.clock()),
            invalidation: Mutex::default(),
            written: Mutex::default(),
            fence: Mutex::default(),
        })
    }

    fn cache(self: &Arc<Self>, clock: &ManualClock, flights: usize) -> Engine {
        Engine::builder().clock(clock.clock()).max_flights(flights).build(self.clone())
    }
}

fn hold(gate: &Mutex<Option<oneshot::Receiver<()>>>) -> oneshot::Sender<()> {
    let (open, opened) = oneshot::channel();
    *gate.lock().unwrap() = Some(opened);
    open
}

impl Cache for Held {
    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.cache.get(key, kind)
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.cache.ttl(key)
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        let reply = self.cache.set(key, value, options);
        let Some(opened) = self.written.lock().unwrap().take() else { return reply };
        Reply::Pending(Box::pin(async move {
            opened.await.unwrap();
            reply.await
        }))
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.cache.delete(key)
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        let Some(opened) = self.invalidation.lock().unwrap().take() else {
            return self.cache.invalidate(target, strength);
        };
        let Target::Tag(tag) = target else { panic!("a tag, in these tests") };
        let tag = tag.to_owned();
        Reply::Pending(Box::pin(async move {
            opened.await.unwrap();
            self.cache.invalidate(Target::Tag(&tag), strength).await
        }))
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        self.cache.expire(key, ttl)
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        self.cache.incr(key, delta, lifetime)
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        let Some(opened) = self.fence.lock().unwrap().take() else { return self.cache.fence(key) };
        let key = key.to_owned();
        Reply::Pending(Box::pin(async move {
            opened.await.unwrap();
            self.cache.fence(&key).await
        }))
    }

    fn release(&self, key: &str, fence: Fence) {
        self.cache.release(key, fence);
    }

    fn usage(&self) -> Usage {
        self.cache.usage()
    }
}

// G5: a cancelled leader failed at nothing; one of those who waited leads, not eight.
#[tokio::test]
async fn one_follower_leads_when_the_leader_is_cancelled() {
    for Subject { name, cache, .. } in subjects() {
        let c = cache.clone();
        let leader =
            tokio::spawn(async move { *c.get_or_load(KEY, MINUTE, std::future::pending::<u32>).await });
        settle().await;
        let counted = Arc::new(Counted::default());
        let followers: Vec<_> = (0..20)
            .map(|_| {
                let (cache, counted) = (cache.clone(), counted.clone());
                tokio::spawn(async move {
                    *cache.get_or_load(KEY, MINUTE, || async { counted.load().await }).await
                })
            })
            .collect();
        settle().await;
        leader.abort();
        for follower in followers {
            assert_eq!(in_time(follower).await.unwrap(), 7, "{name}");
        }
        assert_eq!(counted.all.load(SeqCst), 1, "{name}: loads");
    }
}

// G5: the leader found something that its followers cannot use; one of them loads.
#[tokio::test]
async fn one_follower_leads_when_what_the_leader_found_is_too_old_for_them() {
    let clock = ManualClock::new();
    let cache = Larder::builder()
        .clock(clock.clock())
        .backend(Faulty::new(Plain::new(clock.clock())).script([Fault::late(Op::Get, 40)]))
        .build();
    cache.set(KEY, 1_u32, MINUTE).await.unwrap();
    clock.advance(10 * SECOND);
    let c = cache.clone();
    // Minds its age, so it looks into the cache as the leader of a flight, which takes its time.
    let minds = Policy::ttl(MINUTE).max_age(MINUTE);
    let mut leader = Box::pin(async move { *c.get_or_load(KEY, minds, async || 2_u32).await });
    assert!(!poll(&mut leader));
    let counted = Arc::new(Counted::default());
    let followers: Vec<_> = (0..20)
        .map(|_| {
            let (cache, counted) = (cache.clone(), counted.clone());
            let policy = Policy::ttl(MINUTE).max_age(SECOND).in_caller();
            tokio::spawn(
                async move { *cache.get_or_load(KEY, policy, || async { counted.load().await }).await },
            )
        })
        .collect();
    settle().await;
    assert_eq!(in_time(leader).await, 1);
    for follower in followers {
        assert_eq!(in_time(follower).await.unwrap(), 7);
    }
    assert_eq!(counted.all.load(SeqCst), 1, "loads");
}

// A load beside the flights holds a place of the cap; what its loader loads must not wait for one.
#[tokio::test]
async fn a_load_inside_a_load_that_is_no_flight_takes_no_place() {
    let cache = Larder::builder().max_loads(1).max_flights(0).build();
    let inner = cache.clone();
    let outer = cache.get_or_load(KEY, MINUTE, || async move {
        *inner.get_or_load("inner", MINUTE, async || 2_u32).await
    });
    assert_eq!(*in_time(outer).await, 2, "uncoalesced");
    let cache = Larder::builder().max_loads(1).build();
    for key in ["", "good"] {
        let inner = cache.clone();
        let outer = cache.get_or_load(key, MINUTE, || async move {
            *inner.get_or_load("one", MINUTE, async || 2_u32).await
        });
        assert_eq!(*in_time(outer).await, 2, "{key:?}");
        let inner = cache.clone();
        let outer = cache.load_many([key], MINUTE, |_: Vec<_>| {
            let inner = inner.clone();
            async move {
                let value = *inner.get_or_load("many", MINUTE, async || 2_u32).await;
                Ok::<_, Failure>([(key, value)])
            }
        });
        assert_eq!(in_time(outer).await.unwrap()[0].as_deref(), Some(&2), "{key:?}");
    }
}

// G5: who takes over from a leader that is not polled any more must not wait for that leader's place.
#[tokio::test]
async fn a_leader_that_is_never_polled_again_gives_up_its_place() {
    for batch in [false, true] {
        let clock = ManualClock::new();
        let cache =
            Larder::builder().clock(clock.clock()).max_loads(1).backend(Plain::new(clock.clock())).build();
        let (c, key) = (cache.clone(), KEY);
        let mut forgotten: Pin<Box<dyn Future<Output = ()>>> = if batch {
            Box::pin(async move {
                let load = |_: Vec<_>| std::future::pending::<Result<Vec<(&str, u32)>, Failure>>();
                let _ = c.load_many([key], MINUTE, load).await;
            })
        } else {
            Box::pin(async move { drop(c.get_or_load(key, MINUTE, std::future::pending::<u32>).await) })
        };
        while cache.stats().loads == 0 {
            assert!(!poll(&mut forgotten));
        }
        let c = cache.clone();
        let follower = tokio::spawn(async move { *c.get_or_load(KEY, MINUTE, async || 2_u32).await });
        settle().await;
        for _ in 0..6 {
            clock.advance(SECOND / 2);
            settle().await;
        }
        assert_eq!(in_time(follower).await.unwrap(), 2, "batch: {batch}");
        drop(forgotten);
        // And a place that was given up is not given back twice.
        let counted = Arc::new(Counted::default());
        let loads = ["a", "b", "c"].map(|key| {
            let (cache, counted) = (cache.clone(), counted.clone());
            tokio::spawn(
                async move { *cache.get_or_load(key, MINUTE, || async { counted.load().await }).await },
            )
        });
        for load in loads {
            in_time(load).await.unwrap();
        }
        assert_eq!(counted.most.load(SeqCst), 1, "batch: {batch}");
    }
}

// A synchronous caller on the runtime's thread follows a synchronous leader, who waits for a place that a task of this
// runtime holds.
#[test]
fn a_synchronous_caller_does_not_wait_for_a_leader_without_a_place() {
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let cache = Larder::builder().max_loads(1).build();
            let (go, gone) = oneshot::channel::<()>();
            let c = cache.clone();
            let load = || async move { gone.await.unwrap() };
            let holder = tokio::spawn(async move { c.get_or_load("a", MINUTE, load).await });
            settle().await;
            let c = cache.clone();
            let leader = std::thread::spawn(move || *c.get_or_compute(KEY, MINUTE, || 1_u32));
            while cache.health().await.unwrap().in_flight < 2 {
                tokio::task::yield_now().await;
            }
            std::thread::sleep(Duration::from_millis(50));
            let value = *cache.get_or_compute(KEY, MINUTE, || 2_u32);
            go.send(()).unwrap();
            holder.await.unwrap();
            leader.join().unwrap();
            done.send(value).unwrap();
        });
    });
    assert_eq!(wait.recv_timeout(Duration::from_secs(8)), Ok(2), "it hangs");
}

fn tagged(cache: &Engine, value: u32, finish: oneshot::Receiver<()>) -> tokio::task::JoinHandle<u32> {
    let cache = cache.clone();
    tokio::spawn(async move {
        let load = move |_: Load<u32>| async move {
            finish.await.unwrap();
            Ok::<_, Failure>(Loaded::new(value).tags(["late"]))
        };
        *cache.load_with(KEY, MINUTE, load).await.unwrap()
    })
}

// G1: a tag that was named while its invalidation was on its way: published before, and still in flight after.
#[tokio::test]
async fn nobody_joins_a_load_whose_tag_was_named_during_the_invalidation() {
    let clock = ManualClock::new();
    let held = Held::new(&clock);
    let cache = held.cache(&clock, 100);
    let (answer, invalidate) = (hold(&held.written), hold(&held.invalidation));
    let (finish, finished) = oneshot::channel();
    let leader = tagged(&cache, 1, finished);
    settle().await;
    let c = cache.clone();
    let invalidation = tokio::spawn(async move { c.invalidate_tag("late").await });
    settle().await;
    finish.send(()).unwrap();
    settle().await;
    invalidate.send(()).unwrap();
    in_time(invalidation).await.unwrap().unwrap();
    let (finish, finished) = oneshot::channel();
    finish.send(()).unwrap();
    let after = tagged(&cache, 2, finished);
    settle().await;
    answer.send(()).unwrap();
    assert_eq!(in_time(leader).await.unwrap(), 1);
    assert_eq!(in_time(after).await.unwrap(), 2, "G1: began to load before the invalidation");
}

// G1: the same where the cache cannot say that the fence was broken.
#[tokio::test]
async fn trouble_of_the_cache_does_not_hide_that_a_late_tag_was_invalidated() {
    for op in [Op::Fence, Op::Set] {
        let clock = ManualClock::new();
        let faulty = Faulty::new(Plain::new(clock.clock())).script([Fault::error_on(op)]);
        let cache = Larder::builder().clock(clock.clock()).backend(faulty).build();
        let (finish, finished) = oneshot::channel();
        let leader = tagged(&cache, 1, finished);
        settle().await;
        cache.invalidate_tag("late").await.unwrap();
        let (done, finished) = oneshot::channel();
        done.send(()).unwrap();
        let after = tagged(&cache, 2, finished);
        settle().await;
        finish.send(()).unwrap();
        assert_eq!(in_time(leader).await.unwrap(), 1);
        assert_eq!(in_time(after).await.unwrap(), 2, "{op:?}: G1");
    }
}

// G5: what is not for the cache is for the followers all the same, also where it has tags.
#[tokio::test]
async fn a_skipped_value_with_tags_is_shared() {
    for Subject { name, cache, .. } in subjects() {
        let counted = Arc::new(Counted::default());
        let callers: Vec<_> = (0..20)
            .map(|_| {
                let (cache, counted) = (cache.clone(), counted.clone());
                let load = move |_: Load<u32>| async move {
                    Ok::<_, Failure>(Loaded::skip(counted.load().await).tags(["late"]))
                };
                tokio::spawn(async move { *cache.load_with(KEY, MINUTE, load).await.unwrap() })
            })
            .collect();
        for caller in callers {
            assert_eq!(in_time(caller).await.unwrap(), 7, "{name}");
        }
        assert_eq!(counted.all.load(SeqCst), 1, "{name}: loads");
    }
}

// G1: invalidated after the stale value was found and before the fence was taken.
#[tokio::test]
async fn not_modified_does_not_bring_back_what_was_invalidated_before_the_fence() {
    let slow = Policy::ttl(SECOND).swr(MINUTE).refresh_ahead(0.5);
    for policy in [Policy::ttl(SECOND).sie(MINUTE), slow] {
        for flights in [100, 0] {
            let clock = ManualClock::new();
            let held = Held::new(&clock);
            let cache = held.cache(&clock, flights);
            cache.set(KEY, 1_u32, &policy).await.unwrap();
            clock.advance(2 * SECOND);
            let fence = hold(&held.fence);
            let (c, p) = (cache.clone(), policy.clone());
            let load = tokio::spawn(async move {
                let load = async |load: Load<u32>| {
                    Ok::<_, Failure>(match load.stale() {
                        Some(old) => old.not_modified(),
                        None => Loaded::new(2_u32),
                    })
                };
                *c.load_with(KEY, p, load).await.unwrap()
            });
            settle().await;
            cache.invalidate(KEY).await.unwrap();
            fence.send(()).unwrap();
            in_time(load).await.unwrap();
            settle().await;
            assert_ne!(cache.get::<u32>(KEY).await.unwrap().as_deref(), Some(&1), "G1: set before it");
        }
    }
}

// Design 6.4: while a key is throttled its stale value is there for all at once, not for one after the other.
#[tokio::test]
async fn a_throttled_key_does_not_make_its_callers_queue() {
    const CALLERS: u64 = 50;
    let clock = ManualClock::new();
    let faulty = Arc::new(Faulty::new(Plain::new(clock.clock())));
    let cache = Engine::builder().clock(clock.clock()).build(faulty.clone());
    let policy = Policy::ttl(SECOND).sie(MINUTE);
    cache.set(KEY, 1_u32, &policy).await.unwrap();
    clock.advance(2 * SECOND);
    let down = async || Err::<u32, _>(Failure::Source);
    assert_eq!(cache.try_get_or_load(KEY, &policy, down).await.as_deref(), Ok(&1));
    let before = faulty.calls(Op::Get);
    faulty.switch(Fault::late(Op::Get, 1));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (cache, policy) = (cache.clone(), policy.clone());
            tokio::spawn(async move { cache.try_get_or_load(KEY, policy, down).await.map(|value| *value) })
        })
        .collect();
    for caller in callers {
        assert_eq!(in_time(caller).await.unwrap(), Ok(1));
    }
    assert_eq!(cache.stats().loads, 1);
    let reads = faulty.calls(Op::Get) - before;
    assert!(reads <= 2 * CALLERS, "{reads} reads for {CALLERS} callers");
}

// A load that waits for a place, and is never polled again, is told of the next free one in vain.
#[tokio::test]
async fn a_forgotten_load_in_the_queue_for_a_place_keeps_nobody_waiting() {
    let clock = ManualClock::new();
    let cache =
        Larder::builder().clock(clock.clock()).max_loads(1).backend(Plain::new(clock.clock())).build();
    let (go, gone) = oneshot::channel::<()>();
    let c = cache.clone();
    let load = || async move { gone.await.unwrap() };
    let first = tokio::spawn(async move { c.get_or_load("first", MINUTE, load).await });
    settle().await;
    let c = cache.clone();
    let mut forgotten = Box::pin(async move { c.get_or_load("forgotten", MINUTE, async || 1_u32).await });
    assert!(!poll(&mut forgotten));
    let c = cache.clone();
    let last = tokio::spawn(async move { *c.get_or_load("last", MINUTE, async || 2_u32).await });
    settle().await;
    go.send(()).unwrap();
    in_time(first).await.unwrap();
    settle().await;
    clock.advance(SECOND);
    assert_eq!(in_time(last).await.unwrap(), 2);
}

// A load's future can be sent, whatever its error is.
#[test]
fn an_error_that_cannot_be_sent_does_not_hold_its_load_back() {
    fn sendable(_: impl Send) {}
    type Local = std::rc::Rc<()>;
    let cache = Larder::memory(10);
    sendable(
        cache.load_many([KEY], MINUTE, async |_: Vec<&str>| Err::<Vec<(&str, u32)>, Local>(Local::default())),
    );
}
