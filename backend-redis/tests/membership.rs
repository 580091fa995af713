//! What a node is to the others: who waits for it, for how long, and what it may not believe after that.

mod common;
#[path = "common/proxy.rs"]
mod proxy;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backend_redis::Redis;
use cache_core::{Cache, Lease, Listener, Named, Notices, Strength, Target};
use common::plain::{SOON, names, put, run};
use common::{Server, handle_at, until};
use proxy::Proxy;

/// Remembers what it is told, and for how long it may believe that.
#[derive(Default)]
struct Ear {
    changed: Mutex<Vec<Named>>,
    assured: Mutex<Vec<Duration>>,
    stands: Mutex<bool>,
}

impl Listener for Ear {
    fn changed(&self, target: Target<'_>, _: Strength) {
        self.changed.lock().expect("locked").push(target.into());
    }

    fn assured(&self, left: Duration) {
        self.assured.lock().expect("locked").push(left);
    }

    fn cut_off(&self, _: Duration) {
        *self.stands.lock().expect("locked") = false;
    }

    fn restored(&self) {
        *self.stands.lock().expect("locked") = true;
    }
}

impl Ear {
    /// Listens to `redis`; returns when the channel stands.
    fn to(redis: &Redis) -> Arc<Self> {
        let ear = Arc::new(Self::default());
        let listener: Arc<dyn Listener> = ear.clone();
        assert_eq!(redis.listen(Arc::downgrade(&listener)), Notices::Given);
        until("the channel stands", SOON, || *ear.stands.lock().expect("locked"));
        ear
    }

    fn is_told(&self, key: &str) -> bool {
        self.changed.lock().expect("locked").contains(&Named::Key(key.into()))
    }

    /// What it was told since this was called last.
    fn assured(&self) -> Vec<Duration> {
        std::mem::take(&mut self.assured.lock().expect("locked"))
    }
}

/// Where it loads the key itself, it first has to look what has changed: until then it has not handled the word of it.
#[test]
fn what_a_node_still_looks_at_is_not_acknowledged() {
    let server = Server::start(&[]);
    let (proxy, url) = Proxy::start(&server);
    let (redis, other) = (handle_at(&url), server.redis());
    let ear = Ear::to(&redis);
    // Nobody was there before.
    let fleet = names(&mut server.raw(), "*:fleet").remove(0);
    run(&mut server.raw(), &["HDEL", &fleet, "n:before"]);
    let lease = redis.lease("k", false).wait().expect("asked");
    assert!(matches!(lease, Lease::Mine(_)), "nobody else loads");
    // What is told of that has been looked at: the answer comes behind that of the look.
    put(&other, "last", "v").expect("stored");
    until("told", SOON, || ear.is_told("last"));
    redis.ttl("k").wait().expect("answered");
    ear.changed.lock().expect("locked").clear();
    proxy.late.store(200, Ordering::SeqCst);
    other.invalidate(Target::Key("k"), Strength::Remove).wait().expect("removed");
    other.acknowledged().wait().expect("acknowledged");
    assert!(ear.is_told("k"));
}

/// The lease runs from when Redis was asked for it, or later: by what the node knows, from when it asked.
#[test]
fn a_node_believes_its_memory_from_when_it_asked_for_its_lease() {
    const LATE: Duration = Duration::from_millis(300);
    let server = Server::start(&[]);
    let (proxy, url) = Proxy::start(&server);
    proxy.late.store(LATE.as_millis() as usize, Ordering::SeqCst);
    let redis = handle_at(&url);
    let ear = Ear::to(&redis);
    let mut assured = Vec::new();
    until("the lease is renewed", SOON, || {
        assured.extend(ear.assured().into_iter().filter(|left| !left.is_zero()));
        assured.len() > 1
    });
    // Two seconds, as who listens believes nothing while it is cut off.
    assert!(assured.iter().all(|left| *left <= Duration::from_secs(2) - LATE), "{assured:?}");
}

/// Nobody waits for it any more.
#[test]
fn who_has_left_believes_nothing() {
    let server = Server::start(&[]);
    let redis = server.redis();
    let ear = Ear::to(&redis);
    until("it is believed", SOON, || ear.assured().iter().any(|left| !left.is_zero()));
    redis.close(SOON).wait().expect("closed");
    let assured = ear.assured();
    assert!(assured.contains(&Duration::ZERO), "{assured:?}");
}

/// Who has died is waited for by all who ask together, and not by each.
#[test]
fn who_waits_to_be_acknowledged_waits_with_others() {
    let server = Server::start(&[]);
    let redis = server.redis();
    let _ear = Ear::to(&redis);
    let mut raw = server.raw();
    let fleet = names(&mut raw, "*:fleet").remove(0);
    run(&mut raw, &["HDEL", &fleet, "n:before"]);
    let clock: u64 = redis::cmd("HGET").arg(&fleet).arg("clock").query(&mut raw).expect("a clock");
    run(&mut raw, &["HSET", &fleet, "n:dead", &format!("{} 0", clock + 3000)]);
    run(&mut raw, &["CONFIG", "RESETSTAT"]);
    let asking: Vec<_> = (0..200).map(|_| redis.acknowledged()).collect();
    for handled in asking {
        handled.wait().expect("acknowledged");
    }
    let info: String = redis::cmd("INFO").arg("commandstats").query(&mut raw).expect("statistics");
    let calls = info.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")?.split(',').next());
    let calls: u32 = calls.expect("scripts ran").parse().expect("a number");
    assert!((10..1000).contains(&calls), "{calls} looks for 200 who wait");
}
