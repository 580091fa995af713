//! A proxy in between: how often something goes to Redis and comes back, what becomes of operations whose connection it
//! cuts, and of commands that it delivers late.

mod common;
#[path = "common/proxy.rs"]
mod proxy;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use backend_redis::Redis;
use cache_core::{Cache, ErrorKind, Kind, Listener, Set, Strength, Target, Value};
use common::plain::{MINUTE, SOON};
use common::{Server, handle_at, until, wait};
use proxy::Proxy;

fn text() -> Value {
    Value::new(Arc::new("value".to_owned()))
}

fn there(redis: &Redis, key: &str) -> bool {
    redis.get(key, Kind::of::<String>()).wait().expect("read").is_some()
}

#[test]
fn a_hit_is_one_round_trip() {
    let server = Server::start(&[]);
    let (proxy, url) = Proxy::start(&server);
    let redis = handle_at(&url);
    let tags: Vec<Box<str>> = vec!["a".into(), "b".into()];
    redis.set("plain", text(), Set::new(MINUTE)).wait().expect("stored");
    redis.set("tagged", text(), Set { tags: &tags, ..Set::new(MINUTE) }).wait().expect("stored");
    // A script that Redis does not know yet is sent in two more.
    redis.incr("n", 1, MINUTE).wait().expect("added");
    redis.delete("nothing").wait().expect("deleted");

    assert_eq!(proxy.trips(|| assert!(there(&redis, "plain"))), 1, "a hit without tags");
    assert_eq!(proxy.trips(|| assert!(there(&redis, "tagged"))), 1, "a hit with tags seen before");
    assert_eq!(proxy.trips(|| assert!(!there(&redis, "nothing"))), 1, "a miss");
    let set = || {
        redis.set("plain", text(), Set::new(MINUTE)).wait().expect("stored");
    };
    assert_eq!(proxy.trips(set), 1, "a set without tags");
    let delete = || {
        redis.delete("plain").wait().expect("deleted");
    };
    assert_eq!(proxy.trips(delete), 1, "a deletion");
    let strike = || redis.invalidate(Target::Key("plain"), Strength::Remove).wait().expect("removed");
    assert_eq!(proxy.trips(strike), 1, "an invalidated key");
    let add = || {
        redis.incr("n", 1, MINUTE).wait().expect("added");
    };
    assert_eq!(proxy.trips(add), 1, "an addition");

    let stranger = handle_at(&url);
    assert!(!there(&stranger, "nothing"), "so that it knows the epoch");
    let before = proxy.trips.load(Ordering::SeqCst);
    assert!(there(&stranger, "tagged"));
    assert!(proxy.trips.load(Ordering::SeqCst) - before >= 2, "its tags were not seen here before");
}

#[test]
fn what_is_in_flight_when_the_connection_is_cut_is_answered() {
    let server = Server::start(&[]);
    let (proxy, url) = Proxy::start(&server);
    let redis = wait(Redis::connect(&url)).expect("a handle");
    redis.set("k", text(), Set::new(MINUTE)).wait().expect("stored");
    for cut in [true, false] {
        proxy.mute.store(true, Ordering::SeqCst);
        let replies: Vec<_> = (0..100).map(|_| redis.incr("n", 1, MINUTE)).collect();
        let began = Instant::now();
        if cut {
            proxy.cut();
        }
        for reply in replies {
            reply.wait().expect_err("nothing came back");
        }
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        proxy.mute.store(false, Ordering::SeqCst);
        let up =
            || redis.connection().connected_for.is_some() && redis.incr("other", 1, MINUTE).wait().is_ok();
        until("in use", Duration::from_secs(10), up);
    }
    // Nobody knows whether those were done; that none was done twice, everybody does.
    let count = redis.incr("n", 0, MINUTE).wait().expect("added");
    assert!(count <= 200, "{count} of 200 additions");
}

/// What was given up may be done after all: but not after what came later.
#[test]
fn a_write_that_was_given_up_and_arrives_late_is_not_done() {
    let server = Server::start(&[]);
    let (proxy, url) = Proxy::start(&server);
    let redis = wait(Redis::connect(&url)).expect("a handle");
    redis.set("k", text(), Set::new(MINUTE)).wait().expect("stored");
    proxy.hold_after(0);
    let error = redis.set("k", text(), Set::new(MINUTE)).wait().expect_err("it is held");
    assert_eq!(error.kind(), ErrorKind::Queued);
    let reader = server.redis();
    until("the failed set has become an invalidation", Duration::from_secs(10), || !there(&reader, "k"));
    proxy.let_go();
    for _ in 0..50 {
        assert!(!there(&reader, "k"), "it was done after it had been invalidated");
        thread::sleep(Duration::from_millis(4));
    }
}

/// A tag that is struck after a load has looked, and before it stores.
#[test]
fn a_tag_struck_in_the_middle_of_a_publication_covers_it() {
    let server = Server::start(&[]);
    let (proxy, url) = Proxy::start(&server);
    let slow = handle_at(&url);
    let (other, tags) = (server.redis(), vec![Box::<str>::from("t")]);
    let set = |fence| Set { tags: &tags, fence, ..Set::new(MINUTE) };
    for tag_is_known in [true, false] {
        // Also so that Redis has every script.
        let fence = slow.fence("k").wait().expect("a fence");
        slow.set("k", text(), set(Some(fence))).wait().expect("stored");
        other.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
        if !tag_is_known {
            other.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
        }
        let fence = slow.fence("k").wait().expect("a fence");
        // The look-up passes, the publication does not.
        proxy.hold_after(1);
        let published = slow.set("k", text(), set(Some(fence)));
        until("it is held", Duration::from_secs(10), || proxy.holds());
        other.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
        proxy.let_go();
        published.wait().expect("answered");
        assert!(!there(&other, "k"), "published after it was struck; known: {tag_is_known}");
    }
}

/// Keeps copies, and remembers for how long it was first told that they are to be believed.
#[derive(Default)]
struct Believer {
    belief: Mutex<Duration>,
    assured: Mutex<Option<Duration>>,
}

impl Listener for Believer {
    fn changed(&self, _: Target<'_>, _: Strength) {}

    fn belief(&self) -> Duration {
        *self.belief.lock().expect("locked")
    }

    fn assured(&self, left: Duration) {
        self.assured.lock().expect("locked").get_or_insert(left);
    }

    fn cut_off(&self, _: Duration) {}

    fn restored(&self) {}
}

/// Others wait for as long as was asked for, and not for who came since.
#[test]
fn a_lease_that_was_asked_for_before_is_none_for_a_longer_belief() {
    let server = Server::start(&[]);
    let (proxy, url) = Proxy::start(&server);
    let redis = wait(Redis::builder(&url).response_timeout(SOON).connect()).expect("a handle");
    let believer = Arc::new(Believer::default());
    let listener: Arc<dyn Listener> = believer.clone();
    redis.listen(Arc::downgrade(&listener));
    let mut raw = server.raw();
    let mut record =
        || redis::cmd("HGETALL").arg("load-larder::{:order}:fleet").query::<Vec<String>>(&mut raw);
    until("known", SOON, || record().is_ok_and(|record| !record.is_empty()));
    thread::sleep(Duration::from_millis(300));
    proxy.slow.store(true, Ordering::SeqCst);
    // Until a lease has been asked for of which the answer waits: one that was just under way, or the next.
    let (before, began) = (record(), Instant::now());
    while record() == before && began.elapsed() < Duration::from_secs(3) {
        thread::sleep(Duration::from_millis(10));
    }
    *believer.belief.lock().expect("locked") = Duration::from_secs(100);
    believer.assured.lock().expect("locked").take();
    proxy.slow.store(false, Ordering::SeqCst);
    let assured = || *believer.assured.lock().expect("locked");
    until("answered", SOON, || assured().is_some());
    assert!(assured() < Some(Duration::from_secs(10)), "{:?}", assured());
}
