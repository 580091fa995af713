//! Sentinels: the master is found through them, and followed.
#![cfg(feature = "sentinel")]

mod common;
#[path = "common/service.rs"]
mod service;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use backend_redis::Redis;
use cache_core::{Cache, Engine, ErrorKind, Listener, Strength, Target, ttl};
use common::plain::{SOON, put, there};
use common::{until, wait};
use service::Service;

fn works(redis: &Redis) -> bool {
    put(redis, "probe", "v").is_ok() && there(redis, "probe").is_ok_and(|there| there)
}

#[test]
fn a_master_that_dies_is_followed_and_what_it_lost_is_not_served() {
    let mut service = Service::start();
    let redis = service.redis();
    until("in use", SOON, || works(&redis));
    put(&redis, "k", "v").expect("stored");
    until("the replica has it", SOON, || service.info(1).contains("db0:keys="));
    // From now on the replica hears nothing: what the master acknowledges, it will have lost.
    redis::cmd("WAIT").arg(1).arg(5_000).exec(&mut service.raw(0)).expect("replicated");
    service.nodes[1].signal("STOP");
    redis::cmd("CLIENT").arg(&["KILL", "TYPE", "replica"]).exec(&mut service.raw(0)).expect("cut off");
    redis.invalidate(Target::Key("k"), Strength::Remove).wait().expect("acknowledged");
    service.nodes[0].kill();
    service.nodes[1].signal("CONT");
    let engine = Engine::new(redis.clone());
    for load in 0..50 {
        assert_eq!(*engine.get_or_compute(format!("load:{load}"), ttl::SHORT, || load), load);
    }
    until("in use again", SOON, || works(&redis));
    assert!(common::is_told(&redis, &service.redis()));
    assert!(!there(&redis, "k").expect("read"), "the replica still had it");
    assert!(service.info(1).contains("role:master"));
    assert!(redis.troubles().wait().expect("words").is_empty());
    // The old master comes back as a replica, and is not used.
    service.nodes[0].restart();
    until("the old master follows", Duration::from_secs(30), || service.info(0).contains("role:slave"));
    until("in use", SOON, || works(&redis));
    assert!(redis.troubles().wait().expect("words").is_empty());
}

#[test]
fn a_master_that_is_replaced_while_it_lives_is_left() {
    let service = Service::start();
    let redis = service.redis();
    until("in use", SOON, || works(&redis));
    redis::cmd("SENTINEL").arg("FAILOVER").arg("main").exec(&mut service.sentinels[0].raw()).expect("begun");
    until("the replica leads", Duration::from_secs(30), || service.info(1).contains("role:master"));
    until("in use again", SOON, || works(&redis) && clients_of(&service, 1));
}

/// Whether larder's connection is at this node.
fn clients_of(service: &Service, node: usize) -> bool {
    let clients: String = redis::cmd("CLIENT").arg("LIST").query(&mut service.raw(node)).expect("told");
    // The test's own comes by the socket, and the sentinels' are called so.
    let larder = |line: &&str| {
        line.contains(&format!("laddr=127.0.0.1:{} ", service.ports[node]))
            && !line.contains("name=sentinel")
            && line.contains("flags=N")
    };
    clients.lines().any(|line| larder(&line))
}

#[test]
fn what_is_wrong_with_sentinels_is_told() {
    let service = Service::start();
    let urls: Vec<&str> = service.urls.iter().map(String::as_str).collect();
    let trouble = |redis: &Redis| {
        assert!(redis.connection().connected_for.is_none());
        redis.troubles().wait().expect("words").concat()
    };
    let connect = |builder: backend_redis::RedisBuilder| wait(builder.connect()).expect("a handle");
    let unknown = connect(Redis::sentinel(&urls, "other").password("secret"));
    assert!(
        trouble(&unknown).contains("\"other\"") && trouble(&unknown).contains("No such master"),
        "{unknown:?}"
    );
    let unlocked = connect(Redis::sentinel(&urls, "main").password("hunter2"));
    assert!(trouble(&unlocked).contains("refuses the user and password"), "{}", trouble(&unlocked));
    assert!(!trouble(&unlocked).contains("hunter2"));
    let no_sentinel = format!("redis://:secret@127.0.0.1:{}/", service.ports[0]);
    let none = connect(Redis::sentinel(&[&no_sentinel], "main").password("secret"));
    assert!(trouble(&none).contains("the sentinel 127.0.0.1"), "{}", trouble(&none));
    let sentinel = connect(Redis::builder(urls[0]));
    assert!(trouble(&sentinel).contains("it is a sentinel"), "{}", trouble(&sentinel));
    let error = wait(Redis::sentinel(&[], "main").connect()).expect_err("nobody to ask");
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    // One that answers is enough.
    let some = ["redis://127.0.0.1:1/", urls[2]];
    until("in use", SOON, || works(&connect(Redis::sentinel(&some, "main").password("secret"))));
}

#[test]
fn readonly_makes_it_ask_again() {
    let service = Service::start();
    let redis = service.redis();
    until("in use", SOON, || works(&redis));
    let before = redis.connection().reconnects;
    // Demoted by hand: its clients are not told.
    redis::cmd("REPLICAOF").arg("127.0.0.1").arg("1").exec(&mut service.raw(0)).expect("it obeys");
    let _ = put(&redis, "k", "v").expect_err("READONLY");
    assert!(redis.connection().reconnects > before);
    // The sentinels set that right, one way or the other; they give it some 20 s.
    until("in use again", Duration::from_secs(60), || works(&redis));
}

/// Remembers whether the channel stands.
#[derive(Default)]
struct Ear(Mutex<Option<bool>>);

impl Ear {
    fn stands(&self) -> Option<bool> {
        *self.0.lock().expect("locked")
    }
}

impl Listener for Ear {
    fn changed(&self, _: Target<'_>, _: Strength) {}

    fn cut_off(&self, _: Duration) {
        *self.0.lock().expect("locked") = Some(false);
    }

    fn restored(&self) {
        *self.0.lock().expect("locked") = Some(true);
    }
}

/// As where this process alone is cut off, from all of them: that it is takes no longer to be noticed than where there are no
/// sentinels, however long one may take to be connected to.
#[test]
fn sentinels_that_do_not_answer_delay_nothing() {
    let service = Service::failing_over_after(Duration::from_secs(60));
    let urls: Vec<&str> = service.urls.iter().map(String::as_str).collect();
    let builder = Redis::sentinel(&urls, "main").password("secret").connect_timeout(SOON);
    let redis = wait(builder.connect()).expect("a handle");
    let ear = Arc::new(Ear::default());
    let listener: Arc<dyn Listener> = ear.clone();
    redis.listen(Arc::downgrade(&listener));
    until("it stands", SOON, || ear.stands() == Some(true));
    service.sentinels.iter().for_each(|sentinel| sentinel.signal("STOP"));
    // Until one of them has been asked.
    std::thread::sleep(Duration::from_millis(1500));
    service.nodes[0].signal("STOP");
    let began = Instant::now();
    until("noticed", 2 * SOON, || ear.stands() == Some(false));
    let took = began.elapsed();
    service.sentinels.iter().chain(&service.nodes).for_each(|server| server.signal("CONT"));
    // 1.5 seconds, and a busy machine's.
    assert!(took < SOON / 2, "{took:?}");
}
