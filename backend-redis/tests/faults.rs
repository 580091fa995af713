//! A Redis that is not well, and what it costs.

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backend_redis::Redis;
use cache_core::testing::Faulty;
use cache_core::{Cache, Engine, ErrorKind, Set, Strength, Target, Value, ttl};
use common::plain::{MINUTE, SOON, get, is_up, put};
use common::{Server, until, wait};

/// With every timeout at its default.
fn connect(url: &str) -> Redis {
    wait(Redis::connect(url)).expect("a handle, whether Redis is there or not")
}

/// Fifty loads, each of which brings its value, within a second.
fn fifty_loads(redis: &Redis) {
    let engine = Engine::new(redis.clone());
    let began = Instant::now();
    for load in 0..50 {
        let value = engine.get_or_compute(format!("load:{load}"), ttl::SHORT, || load);
        assert_eq!(*value, load);
    }
    assert!(began.elapsed() < Duration::from_secs(1), "fifty loads took {:?}", began.elapsed());
}

const UNREACHABLE: &str = "Redis is not reachable: ";

/// What explicit operations say, and how soon; and that `health()` says why.
fn every_operation_ends(redis: &Redis, why: &str) {
    let ends = |what: &str, kind: ErrorKind, error: Option<cache_core::Error>, began: Instant| {
        let error = error.unwrap_or_else(|| panic!("{what} succeeds without a Redis"));
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(began.elapsed() < Duration::from_secs(2), "{what} took {:?}", began.elapsed());
    };
    let now = Instant::now;
    let queued = ErrorKind::Queued;
    ends("get", ErrorKind::Unavailable, get(redis, "k").err(), now());
    ends("set", queued, put(redis, "k", "v").err(), now());
    ends("delete", queued, redis.delete("k").wait().err(), now());
    ends("incr", ErrorKind::Unavailable, redis.incr("n", 1, MINUTE).wait().err(), now());
    for target in [Target::Key("k"), Target::Tag("t"), Target::Pattern("k*"), Target::All] {
        ends("invalidate", queued, redis.invalidate(target, Strength::Remove).wait().err(), now());
    }
    let troubles = redis.troubles().wait().expect("words");
    assert!(troubles.iter().any(|trouble| trouble.starts_with(why)), "{troubles:?}");
    assert!(troubles.iter().any(|trouble| trouble.contains("for Redis, and")), "{troubles:?}");
}

/// What wraps a Redis hands on how its connection is.
#[test]
fn health_tells_how_the_connection_is() {
    let mut server = Server::start(&[]);
    let faulty = Arc::new(Faulty::new(connect(&server.url())));
    let engine = Engine::builder().namespace("campus").expect("a namespace").build(faulty);
    let remote = || engine.health().wait().expect("told").remote.expect("it has a connection");
    engine.set("k", 1_u8, ttl::SHORT).wait().expect("stored");
    let well = remote();
    assert!(well.connected_for.is_some() && well.trouble.is_none(), "{well:?}");
    assert_eq!((well.queued, well.reconnects), (0, 0));
    until("nothing is under way", SOON, || remote().in_flight == 0);

    server.signal("STOP");
    let read = engine.get::<u8>("k");
    assert_eq!(remote().in_flight, 1, "it is under way");
    drop(read);
    server.kill();
    until("it is noticed", SOON, || remote().connected_for.is_none());
    engine.invalidate("k").wait().expect_err("queued");
    let health = engine.health().wait().expect("told");
    let down = remote();
    assert!(!health.ok && down.trouble.is_some_and(|why| health.troubles[0].contains(&why)));
    assert_eq!((down.queued, down.reconnects), (1, 1));

    server.restart();
    until("in use", SOON, || remote().connected_for.is_some());
    assert_eq!((remote().queued, remote().reconnects), (0, 1));
    assert!(engine.health().wait().expect("told").uptime > remote().connected_for.expect("it stands"));
}

#[test]
fn absent_at_the_start_it_joins_when_it_comes() {
    let mut server = Server::start(&[]);
    server.kill();
    let redis = connect(&server.url());
    every_operation_ends(&redis, UNREACHABLE);
    fifty_loads(&redis);
    server.restart();
    until("in use", SOON, || is_up(&redis));
    put(&redis, "k", "v").expect("stored");
    assert_eq!(get(&redis, "k").expect("read").as_deref(), Some("v"));
    assert!(redis.troubles().wait().expect("words").is_empty());
}

#[test]
fn killed_and_restarted_empty() {
    let mut server = Server::start(&[]);
    let redis = connect(&server.url());
    put(&redis, "k", "old").expect("stored");
    server.kill();
    fifty_loads(&redis);
    every_operation_ends(&redis, UNREACHABLE);
    server.restart();
    until("in use", SOON, || is_up(&redis));
    assert_eq!(get(&redis, "k").expect("read"), None);
    put(&redis, "k", "new").expect("stored");
    assert_eq!(get(&redis, "k").expect("read").as_deref(), Some("new"));
    assert!(redis.connection().reconnects >= 1);
}

#[test]
fn paused_it_costs_half_a_second_once() {
    let server = Server::start(&[]);
    let redis = connect(&server.url());
    put(&redis, "k", "old").expect("stored");
    server.signal("STOP");
    fifty_loads(&redis);
    every_operation_ends(&redis, UNREACHABLE);
    server.signal("CONT");
    until("in use", SOON, || is_up(&redis));
    assert_eq!(get(&redis, "k").expect("read"), None, "it was invalidated meanwhile");
}

/// What was sent to a Redis that stood still may be done after all, when it goes on: but not after what came later.
#[test]
fn a_write_that_was_given_up_does_not_come_back() {
    let server = Server::start(&[]);
    for round in 0..5 {
        let redis = connect(&server.url());
        let key = format!("k:{round}");
        put(&redis, &key, "first").expect("stored");
        server.signal("STOP");
        let error = put(&redis, &key, "given up").expect_err("Redis stands still");
        assert_eq!(error.kind(), ErrorKind::Queued);
        let error = redis.invalidate(Target::Key(&key), Strength::Remove).wait().expect_err("queued");
        assert_eq!(error.kind(), ErrorKind::Queued);
        server.signal("CONT");
        until("in use", SOON, || is_up(&redis));
        for _ in 0..20 {
            assert_eq!(get(&redis, &key).expect("read"), None, "round {round}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// G4: another process that can still reach Redis sees the queued invalidations once they are delivered, in order.
#[test]
fn what_is_queued_is_delivered_before_anything_is_read() {
    let server = Server::start(&[]);
    let redis = connect(&server.url());
    let bears: Vec<Box<str>> = vec!["t".into()];
    for key in ["by:key", "by:tag", "by:pattern:1", "stays"] {
        let tags = if key == "by:tag" { &bears[..] } else { &[] };
        let set = Set { tags, ..Set::new(MINUTE) };
        redis.set(key, Value::new(Arc::new(key.to_owned())), set).wait().expect("stored");
    }
    server.signal("STOP");
    for target in [Target::Key("by:key"), Target::Tag("t"), Target::Pattern("by:pattern:*")] {
        // Recorded when it is called: the reply may be dropped.
        drop(redis.invalidate(target, Strength::Remove));
    }
    until("all are queued", SOON, || redis.connection().queued == 3);
    assert_eq!(redis.close(Duration::from_millis(50)).wait().expect("told"), 3, "not delivered yet");
    server.signal("CONT");
    assert_eq!(redis.close(SOON).wait().expect("told"), 0, "all delivered");
    let other = connect(&server.url());
    for reader in [&redis, &other] {
        for key in ["by:key", "by:tag", "by:pattern:1"] {
            assert_eq!(get(reader, key).expect("read"), None, "{key}");
        }
        assert_eq!(get(reader, "stays").expect("read").as_deref(), Some("stays"));
    }
}

#[test]
fn a_queue_that_overflows_invalidates_everything() {
    let server = Server::start(&[]);
    let redis = wait(Redis::builder(&server.url()).max_queued(3).connect()).expect("a handle");
    put(&redis, "bystander", "v").expect("stored");
    put(&redis, "k:0", "v").expect("stored");
    server.signal("STOP");
    for key in 0..10 {
        let _ = redis.invalidate(Target::Key(&format!("k:{key}")), Strength::Remove).wait();
    }
    assert!(redis.connection().queued <= 3, "{:?}", redis.connection());
    server.signal("CONT");
    until("in use", SOON, || is_up(&redis));
    assert_eq!((get(&redis, "k:0").expect("read"), get(&redis, "bystander").expect("read")), (None, None));
}

/// What a server reads from its disk may be older than what it has acknowledged.
#[test]
fn restarted_with_an_old_snapshot_nothing_comes_back() {
    let mut server = Server::start(&[]);
    let (redis, bears) = (connect(&server.url()), [Box::<str>::from("t")]);
    put(&redis, "by:key", "old").expect("stored");
    let set = Set { tags: &bears, ..Set::new(MINUTE) };
    redis.set("by:tag", Value::new(Arc::new("old".to_owned())), set).wait().expect("stored");
    redis::cmd("SAVE").exec(&mut server.raw()).expect("saved");
    redis.invalidate(Target::Key("by:key"), Strength::Remove).wait().expect("removed");
    redis.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
    server.kill();
    server.restart();
    let keys: u64 = redis::cmd("DBSIZE").query(&mut server.raw()).expect("told");
    assert!(keys > 0, "it has read the snapshot");
    // Nobody who was there before: whoever comes first sees to it.
    drop(redis);
    let other = connect(&server.url());
    until("in use", SOON, || is_up(&other));
    assert_eq!((get(&other, "by:key").expect("read"), get(&other, "by:tag").expect("read")), (None, None));
    put(&other, "k", "new").expect("stored");
    let third = connect(&server.url());
    assert_eq!(get(&third, "k").expect("read").as_deref(), Some("new"), "that is done once");
}

#[test]
fn a_wrong_password_is_told_and_never_shown() {
    let server = Server::start(&["--requirepass", "right-one"]);
    let redis = connect(&format!("{}?pass=hunter2", server.url()));
    every_operation_ends(&redis, "Redis refuses the connection: ");
    fifty_loads(&redis);
    let error = get(&redis, "k").expect_err("refused");
    let shown = format!("{error} {error:?} {redis:?} {:?}", redis.troubles().wait());
    assert!(!shown.contains("hunter2"), "{shown}");
    let builder = Redis::builder(&format!("{}?pass=hunter2", server.url()));
    assert!(!format!("{builder:?}").contains("hunter2"));
    let error = wait(Redis::connect("redis://u:hunter2@[broken")).expect_err("no URL");
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let right = connect(&format!("{}?pass=right-one", server.url()));
    put(&right, "k", "v").expect("stored");
}

#[test]
fn what_is_no_redis_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut buffer = [0; 512];
            let _ = stream.read(&mut buffer);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let redis = connect(&format!("redis://127.0.0.1:{port}/"));
    every_operation_ends(&redis, UNREACHABLE);
    fifty_loads(&redis);
}

/// `maxmemory` with noeviction: what cannot be stored is told, and what is to go, goes.
#[test]
fn full_it_can_still_be_invalidated() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let redis = server.redis();
    let bears: Vec<Box<str>> = vec!["t".into()];
    let set = Set { tags: &bears, ..Set::new(MINUTE) };
    redis.set("tagged", Value::new(Arc::new("v".to_owned())), set).wait().expect("stored");
    put(&redis, "k", "v").expect("stored");
    let full = |memory: &str| {
        redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(memory).exec(&mut server.raw()).expect("set");
    };
    full("1");
    assert_eq!(put(&redis, "k", "new").expect_err("full").kind(), ErrorKind::Unavailable);
    assert_eq!(get(&redis, "k").expect("read"), None, "a failed set invalidates");
    redis.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
    full("0");
    assert_eq!(get(&redis, "tagged").expect("read"), None);
}

/// What was said to be queued, or was not waited for, is delivered though the handle is dropped; in a process that lives.
#[test]
fn what_is_queued_outlives_the_handle() {
    let server = Server::start(&[]);
    let other = server.redis();
    for queued in [true, false] {
        let redis = connect(&server.url());
        for key in ["k:1", "k:2"] {
            put(&redis, key, "old").expect("stored");
        }
        server.signal("STOP");
        if queued {
            // So that nothing is sent any more.
            get(&redis, "k:1").expect_err("it stands still");
        }
        for target in [Target::Key("k:1"), Target::Pattern("*:2")] {
            drop(redis.invalidate(target, Strength::Remove));
        }
        drop(redis);
        // Longer than any operation may take.
        std::thread::sleep(Duration::from_millis(2500));
        server.signal("CONT");
        until("delivered", SOON, || {
            ["k:1", "k:2"].iter().all(|key| get(&other, key).is_ok_and(|it| it.is_none()))
        });
    }
}

/// What came back is in use within ten seconds, also where patterns wait, and others have many keys.
#[test]
fn patterns_in_the_queue_do_not_keep_redis_from_being_used() {
    let server = Server::start(&[]);
    let redis = connect(&server.url());
    let fill = "for i = 1, 200000 do redis.call('SET', 'x:' .. i, '') end";
    redis::cmd("EVAL").arg(fill).arg(0).exec(&mut server.raw()).expect("filled");
    for key in ["user:149:name", "k"] {
        until("stored", SOON, || put(&redis, key, "old").is_ok());
    }
    server.signal("STOP");
    for number in 0..150 {
        drop(redis.invalidate(Target::Pattern(&format!("user:{number}:*")), Strength::Remove));
    }
    until("queued", SOON, || redis.connection().queued == 150);
    server.signal("CONT");
    until("in use", SOON, || is_up(&redis));
    assert_eq!(redis.connection().queued, 0);
    assert_eq!(get(&redis, "user:149:name").expect("read"), None);
    put(&redis, "k", "new").expect("stored");
}
