//! What a review of notices, marks and two tiers tried to break.

mod common;
#[path = "common/fake.rs"]
mod fake;
#[cfg(feature = "cluster")]
#[path = "common/nodes.rs"]
mod nodes;
#[path = "common/proxy.rs"]
mod proxy;

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backend_redis::Redis;
use cache_core::{Cache, Engine, Listener, Named, Notices, Policy, Set, Strength, Target, ttl};
use common::plain::{MINUTE, SOON, get, is_up, put, put_tagged, run as raw_run, tags, text};
use common::{Server, handle_at, until};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

const MS: Duration = Duration::from_millis(1);

/// Remembers what it is told.
#[derive(Default)]
struct Ear {
    changed: Mutex<Vec<Named>>,
    stands: Mutex<Option<bool>>,
}

impl Listener for Ear {
    fn changed(&self, target: Target<'_>, _: Strength) {
        self.changed.lock().expect("locked").push(target.into());
    }

    fn replaced(&self, key: &str) -> bool {
        self.changed(Target::Key(key), Strength::Remove);
        false
    }

    fn cut_off(&self, _: Duration) {
        *self.stands.lock().expect("locked") = Some(false);
    }

    fn restored(&self) {
        *self.stands.lock().expect("locked") = Some(true);
    }
}

impl Ear {
    fn new(redis: &Redis) -> Arc<Self> {
        let ear = Arc::new(Self::default());
        let listener: Arc<dyn Listener> = ear.clone();
        assert_eq!(redis.listen(Arc::downgrade(&listener)), Notices::Given);
        ear
    }

    fn to(redis: &Redis) -> Arc<Self> {
        let ear = Self::new(redis);
        ear.until_it_stands();
        ear
    }

    fn until_it_stands(&self) {
        until("the channel stands", SOON, || self.stands() == Some(true));
    }

    fn stands(&self) -> Option<bool> {
        *self.stands.lock().expect("locked")
    }

    /// What it has been told so far, once `other` has said something that comes last.
    fn told_before(&self, other: &Redis, last: &str) -> Vec<String> {
        put(other, last, "v").expect("stored");
        let end = Target::Key(last).to_string();
        let told = || {
            let told = self.changed.lock().expect("locked");
            told.iter().map(|it| it.target().to_string()).collect::<Vec<_>>()
        };
        until("told of the last", SOON, || told().contains(&end));
        let mut told = told();
        told.retain(|it| *it != end);
        self.changed.lock().expect("locked").clear();
        told
    }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { timeout(30_000 * MS, test).await.expect("in time") })
}

/// One that is told of what others change from now on.
fn engine(server: &Server) -> Engine {
    let redis = server.redis();
    let engine = Engine::builder().build(Arc::new(redis));
    let mut raw = server.raw();
    until("told", SOON, || {
        let list: String = redis::cmd("CLIENT").arg("LIST").query(&mut raw).expect("listed");
        list.contains("flags=tB") || list.contains("flags=Bt")
    });
    std::thread::sleep(100 * MS);
    engine
}

/// A load of `key` with the tag `t`, which ends when it is let go; the number of the load.
async fn load(engine: Engine, key: &'static str, loads: Arc<AtomicU32>, go: Arc<Notify>) -> u32 {
    let load = || {
        let (loads, go) = (loads.clone(), go.clone());
        async move {
            let number = loads.fetch_add(1, Ordering::SeqCst) + 1;
            if number == 1 {
                go.notified().await;
            }
            number
        }
    };
    *engine.get_or_load(key, Policy::ttl(ttl::SHORT).tags(["t"]).in_caller(), load).await
}

async fn begun(loads: &AtomicU32) {
    while loads.load(Ordering::SeqCst) == 0 {
        sleep(5 * MS).await;
    }
}

/// G5: one load per key per process. What a load of another key publishes makes the mark of a tag; Redis tells that as if
/// the tag had been struck, to this process and to all others, and all loads of that tag are detached.
#[test]
fn a_tag_that_is_borne_for_the_first_time_does_not_part_other_loads() {
    let server = Server::start(&[]);
    let engine = engine(&server);
    run(async {
        let (loads, go) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let first = tokio::spawn(load(engine.clone(), "slow", loads.clone(), go.clone()));
        begun(&loads).await;
        let quick = Policy::ttl(ttl::SHORT).tags(["t"]).in_caller();
        engine.get_or_load("quick", quick, || async { 0_u32 }).await;
        sleep(200 * MS).await;
        let second = tokio::spawn(load(engine.clone(), "slow", loads.clone(), go.clone()));
        sleep(300 * MS).await;
        go.notify_one();
        first.await.expect("loaded");
        second.await.expect("loaded");
        assert_eq!(loads.load(Ordering::SeqCst), 1, "nobody invalidated anything");
    });
}

/// G2: a tag is struck that has no mark (yet): nobody is told.
#[test]
fn a_tag_without_a_mark_that_is_struck_is_told() {
    let server = Server::start(&[]);
    let (redis, other) = (server.redis(), server.redis());
    let ear = Ear::to(&redis);
    other.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
    assert_eq!(ear.told_before(&other, "last"), ["tag \"t\""]);
}

/// What that comes to: who asks after the tag was struck elsewhere joins a load that began before.
#[test]
fn a_load_that_bears_a_struck_tag_is_not_joined() {
    let server = Server::start(&[]);
    let (engine, other) = (engine(&server), server.redis());
    run(async {
        let (loads, go) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let first = tokio::spawn(load(engine.clone(), "k", loads.clone(), go.clone()));
        begun(&loads).await;
        other.invalidate(Target::Tag("t"), Strength::Remove).await.expect("struck");
        sleep(500 * MS).await;
        let second = tokio::spawn(load(engine.clone(), "k", loads.clone(), go.clone()));
        sleep(300 * MS).await;
        go.notify_one();
        assert_eq!(first.await.expect("loaded"), 1);
        assert_eq!(second.await.expect("loaded"), 2, "half a second after the tag was struck");
    });
}

/// Two caches over one handle: the second is not told, so it is capped; but what it sets the first is not told either.
#[test]
fn what_another_user_of_the_handle_sets_is_told() {
    let server = Server::start(&[]);
    let (redis, other) = (server.redis(), server.redis());
    put(&redis, "k", "old").expect("stored");
    let ear = Ear::to(&redis);
    let direct = redis.clone();
    put(&direct, "k", "new").expect("stored");
    assert_eq!(ear.told_before(&other, "last"), ["key \"k\""], "a copy would stay for its whole life");
}

/// G1: called first, not waited for; then invalidated; then read.
fn a_set_that_is_done_again(bears: &[&str]) {
    let server = Server::start(&[]);
    let (redis, other, mut raw) = (server.redis(), server.redis(), server.raw());
    put_tagged(&redis, "warm", "v", &["t"], None).expect("stored");
    for round in 0..5 {
        // So that this process thinks of an epoch that is over.
        other.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
        raw_run(&mut raw, &["CLIENT", "PAUSE", "400", "WRITE"]);
        let bears = tags(bears);
        let read = redis.get("x", cache_core::Kind::of::<String>());
        // A job of its own between the two: they do not go in one turn.
        drop(redis.close(Duration::ZERO));
        let set = redis.set("k", text("old"), Set { tags: &bears, ..Set::new(MINUTE) });
        // The first answer names the new epoch.
        std::thread::sleep(150 * MS);
        redis.invalidate(Target::Key("k"), Strength::Remove).wait().expect("removed");
        let _ = (set.wait(), read.wait());
        assert_eq!(get(&redis, "k").expect("read"), None, "round {round}: set before it was invalidated");
    }
}

#[test]
fn a_plain_set_in_an_epoch_that_is_over_does_not_come_after_an_invalidation() {
    a_set_that_is_done_again(&[]);
}

#[test]
fn a_tagged_set_in_an_epoch_that_is_over_does_not_come_after_an_invalidation() {
    a_set_that_is_done_again(&["t"]);
}

/// What Redis refuses for good stands in the queue for ever, and nothing is read any more: no `clear` takes its place.
#[test]
fn what_is_not_allowed_does_not_lock_the_process_out() {
    let server = Server::start(&[]);
    raw_run(&mut server.raw(), &["ACL", "SETUSER", "few", "on", ">pw", "~*", "&*", "+@all", "-scan"]);
    let redis = handle_at(&format!("{}?user=few&pass=pw", server.url()));
    put(&redis, "k", "v").expect("stored");
    redis.invalidate(Target::Pattern("k*"), Strength::Remove).wait().expect_err("it may not look for them");
    // It was removed otherwise.
    until("it is used again", SOON, || is_up(&redis) && get(&redis, "k").is_ok_and(|value| value.is_none()));
}

/// A server that could not be asked to tell for a moment is never asked again.
#[test]
fn a_redis_that_is_busy_when_it_is_asked_to_tell_is_asked_again() {
    let server = Server::start(&[]);
    let (fake, url) = fake::Fake::start(&server);
    let redis = handle_at(&url);
    put(&redis, "k", "v").expect("stored");
    fake.says("BUSY Redis is busy running a script", &["CLIENT"]);
    let ear = Ear::new(&redis);
    std::thread::sleep(300 * MS);
    fake.says_nothing();
    ear.until_it_stands();
}

#[test]
fn the_rights_in_the_guide_and_one_more_suffice_to_be_told() {
    with_the_rights_of_the_guide(&["+client|tracking"]);
}

fn with_the_rights_of_the_guide(more: &[&str]) {
    let server = Server::start(&[]);
    let rights = "+get +mget +set +pttl +unlink +scan +evalsha +script|load +append +getrange +setrange +strlen +incrby \
        +pexpire +time +hget +hset +hdel +hmget +hgetall +hincrby +zadd +zcard +zrange +zremrangebyrank +zscore +publish +subscribe +unsubscribe +info +client|id \
        +client|kill +hello +auth +select +ping";
    let mut command =
        vec!["ACL", "SETUSER", "campus", "on", ">pw", "resetkeys", "~larder:*", "~load-larder:*"];
    command.extend(["resetchannels", "&larder:*", "nocommands"]);
    command.extend(rights.split_ascii_whitespace());
    command.extend(more);
    raw_run(&mut server.raw(), &command);
    let redis = handle_at(&format!("{}?user=campus&pass=pw", server.url()));
    put_tagged(&redis, "k", "v", &["t"], None).expect("stored");
    redis.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
    redis.incr("n", 1, MINUTE).wait().expect("added");
    redis.expire("n", Duration::from_secs(5)).wait().expect("done");
    redis.invalidate(Target::Pattern("k*"), Strength::MarkStale).wait().expect("marked");
    redis.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
    Ear::to(&redis);
}

/// G4: a set that is refused is an invalidation, which is under way when the handle is dropped, or the cache is closed.
fn a_refused_set(gone: impl Fn(Redis)) {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let (other, mut raw) = (server.redis(), server.raw());
    for round in 0..5 {
        let redis = server.redis();
        raw_run(&mut raw, &["CONFIG", "SET", "maxmemory", "0"]);
        put(&redis, "k", "old").expect("stored");
        raw_run(&mut raw, &["CONFIG", "SET", "maxmemory", "1"]);
        drop(redis.set("k", text("new"), Set::new(MINUTE)));
        gone(redis);
        std::thread::sleep(200 * MS);
        assert_eq!(get(&other, "k").expect("read"), None, "round {round}: the old value stays");
    }
}

#[test]
fn a_refused_set_invalidates_though_the_handle_is_dropped() {
    a_refused_set(drop);
}

/// `close` says that nothing is left, and the process ends.
#[test]
fn close_waits_for_what_a_refused_set_invalidates() {
    a_refused_set(|redis| {
        assert_eq!(redis.close(Duration::from_secs(5)).wait().expect("closed"), 0);
        drop(redis);
    });
}

fn tiered(redis: &Redis) -> cache_core::Tiered {
    let near = cache_core::testing::Plain::new(cache_core::Clock::default());
    cache_core::Tiered::builder(Arc::new(near), Arc::new(redis.clone())).build()
}

fn read(cache: &dyn Cache, key: &str) -> Option<(String, cache_core::Tier)> {
    let entry = cache.get(key, cache_core::Kind::of::<String>()).wait().ok()??;
    Some((entry.value.downcast::<String>().expect("a text").to_string(), entry.tier))
}

fn fill(cache: &dyn Cache, key: &str, value: &str, bears: &[&str]) {
    let bears = tags(bears);
    if let Ok(cache_core::Lease::Mine(fence)) = cache.lease(key, false).wait() {
        let _ =
            cache.set(key, text(value), Set { tags: &bears, fence: Some(fence), ..Set::new(MINUTE) }).wait();
        cache.settle(key, fence, cache_core::Ended::Somehow);
    }
}

/// What a load brings is kept in memory: the next reader does not ask Redis.
#[test]
fn what_is_loaded_is_in_memory() {
    let server = Server::start(&[]);
    let redis = server.redis();
    let cache = tiered(&redis);
    std::thread::sleep(500 * MS);
    let mut near = 0;
    for round in 0..20 {
        let key = format!("k:{round}");
        fill(&cache, &key, "v", &[]);
        std::thread::sleep(20 * MS);
        near += u32::from(read(&cache, &key).is_some_and(|(_, tier)| tier == cache_core::Tier::L1));
    }
    assert_eq!(near, 20, "of 20");
}

/// After all is quiet, memory has nothing that Redis does not have.
#[test]
fn under_chaos_memory_has_nothing_that_redis_has_not() {
    let server = Server::start(&[]);
    let mut raw = server.raw();
    let handles = [server.redis(), server.redis()];
    let caches = handles.each_ref().map(tiered);
    let judge = server.redis();
    std::thread::sleep(500 * MS);
    let count = AtomicU32::new(0);
    for round in 0..60_u32 {
        std::thread::scope(|scope| {
            for seed in 0..6_u32 {
                let (cache, count) = (&caches[(seed % 2) as usize], &count);
                scope.spawn(move || {
                    let mut state = round.wrapping_mul(7919).wrapping_add(seed * 104_729 + 1);
                    let mut next = || {
                        state ^= state << 13;
                        state ^= state >> 17;
                        state ^= state << 5;
                        state
                    };
                    for _ in 0..40 {
                        let key = format!("k:{}", next() % 3);
                        let value = count.fetch_add(1, Ordering::SeqCst).to_string();
                        let bears: &[&str] = if next() % 2 == 0 { &["t"] } else { &[] };
                        match next() % 24 {
                            0..=9 => drop(read(cache, &key)),
                            10..=11 => drop(cache.set(&key, text(&value), Set::new(MINUTE)).wait()),
                            12 => drop(cache.set(&key, text(&value), Set::new(MINUTE))),
                            13..=16 => fill(cache, &key, &value, bears),
                            17 => drop(cache.invalidate(Target::Key(&key), Strength::Remove).wait()),
                            18 => drop(cache.invalidate(Target::Key(&key), Strength::Remove)),
                            19 => drop(cache.invalidate(Target::Tag("t"), Strength::Remove).wait()),
                            20 => drop(cache.delete(&key).wait()),
                            21 => drop(cache.invalidate(Target::Pattern("k:*"), Strength::Remove).wait()),
                            22 => drop(cache.expire(&key, Duration::from_secs(30)).wait()),
                            _ if next() % 8 == 0 => {
                                drop(cache.invalidate(Target::All, Strength::Remove).wait())
                            }
                            _ => {}
                        }
                    }
                });
            }
            if round % 6 == 5 {
                std::thread::sleep(5 * MS);
                raw_run(&mut raw, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
            }
        });
        until("in use", SOON, || handles.iter().all(is_up) && is_up(&judge) && get(&judge, "x").is_ok());
        until("done", SOON, || handles.iter().all(|it| it.connection().in_flight == 0));
        std::thread::sleep(60 * MS);
        for key in ["k:0", "k:1", "k:2"] {
            for cache in &caches {
                let (here, there) = (read(cache, key), get(&judge, key).expect("read"));
                if let Some((here, cache_core::Tier::L1)) = here {
                    assert_eq!(Some(here), there, "round {round}, {key}");
                }
            }
        }
    }
}

/// The same as for keys: whoever listens after another has gone is told that the channel stands.
#[test]
fn who_listens_after_another_has_gone_is_told_that_the_channel_stands() {
    let server = Server::start(&[]);
    let redis = server.redis();
    drop(Ear::to(&redis));
    // Or it believes itself cut off for ever.
    Ear::to(&redis);
}

/// G1 within one process: a cache of two tiers, and the same handle used beside it.
#[test]
fn a_copy_does_not_outlive_a_set_through_the_same_handle() {
    let server = Server::start(&[]);
    let redis = server.redis();
    let cache = tiered(&redis);
    std::thread::sleep(500 * MS);
    put(&redis, "k", "old").expect("stored");
    let _ = (read(&cache, "k"), read(&cache, "k"));
    put(&redis, "k", "new").expect("stored");
    std::thread::sleep(6000 * MS);
    assert_eq!(read(&cache, "k").map(|(value, _)| value).as_deref(), Some("new"), "six seconds later");
}

/// What is forgotten counts as struck, also where its mark is made anew. (Holds; more than 4096 strikes are tried nowhere else.)
#[test]
fn what_the_recent_strikes_have_forgotten_stays_struck() {
    let server = Server::start(&[]);
    let (redis, mut raw) = (server.redis(), server.raw());
    put_tagged(&redis, "old", "v", &["t"], None).expect("stored");
    redis.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
    let struck: Vec<_> = (0..4200)
        .map(|number| redis.invalidate(Target::Tag(&format!("other:{number}")), Strength::Remove))
        .collect();
    struck.into_iter().for_each(|it| it.wait().expect("struck"));
    let mark = common::plain::names(&mut raw, "*:t:t").remove(0);
    raw_run(&mut raw, &["UNLINK", &mark]);
    put_tagged(&redis, "new", "v", &["t"], None).expect("stored");
    assert_eq!(get(&redis, "old").expect("read"), None);
}

/// Holds; without it, `link.tell` after an own strike could be left out and no test would notice.
#[test]
fn what_is_struck_here_is_told_though_nobody_waits() {
    let server = Server::start(&[]);
    let (redis, other) = (server.redis(), server.redis());
    put(&redis, "k", "v").expect("stored");
    let ear = Ear::to(&redis);
    drop(redis.invalidate(Target::Key("k"), Strength::Remove));
    until("done", SOON, || get(&other, "k").expect("read").is_none());
    assert_eq!(ear.told_before(&other, "last"), ["key \"k\""]);
}

/// A Redis that is full and may not evict: what a load brings is kept in memory alone, and nothing stands in Redis that could
/// be removed. A tag that is struck is told all the same, each time, and sooner than that copy ends by itself.
#[test]
fn in_a_full_redis_nothing_that_bears_a_struck_tag_is_served() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let handles = [server.redis(), server.redis()];
    let [here, there] = handles.each_ref().map(tiered);
    std::thread::sleep(500 * MS);
    raw_run(&mut server.raw(), &["CONFIG", "SET", "maxmemory", "1"]);
    for round in 0..3 {
        fill(&here, "k", "old", &["t"]);
        assert!(read(&here, "k").is_some(), "round {round}: it is kept here");
        there.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
        until("dropped", 2000 * MS, || read(&here, "k").is_none());
    }
}

/// The same Redis: what is invalidated after a tag was struck is queued, and the process is locked out.
#[test]
fn in_a_full_redis_a_key_can_be_invalidated_after_a_tag() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let redis = server.redis();
    put_tagged(&redis, "k", "v", &["t"], None).expect("stored");
    raw_run(&mut server.raw(), &["CONFIG", "SET", "maxmemory", "1"]);
    redis.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
    redis.invalidate(Target::Key("k"), Strength::Remove).wait().expect("there is nothing");
}
