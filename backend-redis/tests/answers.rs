//! What a Redis may answer instead of what was asked: each is told in words, costs loads nothing, and ends when it ends.

mod common;
#[path = "common/fake.rs"]
mod fake;

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backend_redis::Redis;
use cache_core::{Cache, Engine, ErrorKind, Set, Strength, Target, Value, ttl};
use common::plain::{MINUTE, SOON, get, is_up, put};
use common::{Server, handle_at, until, wait};
use fake::Fake;

/// The health of a cache over it, in words.
fn health(redis: &Redis) -> String {
    let health = Engine::new(redis.clone()).health().wait().expect("told");
    assert_eq!(health.ok, health.troubles.is_empty());
    health.troubles.join("\n")
}

/// Fifty loads within a second, each of which brings its value.
fn loads_go_on(redis: &Redis) {
    let (engine, began) = (Engine::new(redis.clone()), Instant::now());
    for load in 0..50 {
        assert_eq!(*engine.get_or_compute(format!("load:{load}"), ttl::SHORT, || load), load);
    }
    assert!(began.elapsed() < Duration::from_secs(1), "fifty loads took {:?}", began.elapsed());
}

/// Redis answers `only` these commands (or all) with `error` for a while: `health()` says `words`.
fn for_a_while(error: &'static str, only: &'static [&'static str], words: &[&str]) {
    let server = Server::start(&[]);
    let (fake, url) = Fake::start(&server);
    let redis = handle_at(&url);
    put(&redis, "k", "old").expect("stored");
    fake.says(error, only);
    let _ = redis.invalidate(Target::Key("k"), Strength::Remove).wait().expect_err("queued");
    until("health says why", SOON, || words.iter().all(|word| health(&redis).contains(word)));
    let told = format!("{}\n{}", health(&redis), get(&redis, "k").expect_err("down"));
    assert!(!told.contains("Refused(") && !told.contains("Lost("), "in words: {told}");
    loads_go_on(&redis);
    assert_eq!(get(&redis, "k").expect_err("down").kind(), ErrorKind::Unavailable);
    fake.says_nothing();
    until("in use again", SOON, || is_up(&redis));
    assert_eq!((get(&redis, "k").expect("read"), &*health(&redis)), (None, ""), "delivered, and well");
}

#[test]
fn loading() {
    for_a_while(
        "LOADING Redis is loading the dataset in memory",
        &[],
        &["LOADING", "reads its data from disk"],
    );
}

#[test]
fn readonly() {
    let error = "READONLY You can't write against a read only replica.";
    for_a_while(error, &["SET", "UNLINK", "EVALSHA"], &["READONLY", "connect to its primary"]);
}

#[test]
fn moved() {
    for_a_while("MOVED 3999 127.0.0.1:6381", &["GET", "UNLINK", "MGET"], &["MOVED: 3999", "Redis Cluster"]);
}

#[test]
fn ask() {
    for_a_while("ASK 3999 127.0.0.1:6381", &["GET", "UNLINK", "MGET"], &["ASK", "Redis Cluster"]);
}

#[test]
fn noscript() {
    let server = Server::start(&[]);
    let (fake, url) = Fake::start(&server);
    let redis = handle_at(&url);
    assert_eq!(redis.incr("n", 1, MINUTE).wait().expect("added"), 1);
    redis::cmd("SCRIPT").arg("FLUSH").exec(&mut server.raw()).expect("lost");
    assert_eq!(redis.incr("n", 1, MINUTE).wait().expect("added"), 2, "its source is sent again");
    // One that never takes the script is an error, not a loop.
    fake.says("NOSCRIPT No matching script. Please use EVAL.", &["EVALSHA"]);
    let error = redis.incr("n", 1, MINUTE).wait().expect_err("never there");
    assert!(error.to_string().contains("NOSCRIPT"), "{error}");
    fake.says_nothing();
    assert_eq!(redis.incr("n", 1, MINUTE).wait().expect("added"), 3);
}

#[test]
fn a_wrong_password() {
    let server = Server::start(&["--requirepass", "right-one"]);
    for (login, words) in [("?pass=hunter2", "refuses the user and password"), ("", "NOAUTH")] {
        let redis = handle_at(&format!("{}{login}", server.url()));
        is_refused(&redis, words);
        loads_go_on(&redis);
    }
}

/// It is there, and says no: so it is not called unreachable, by `health()` or an error, and what to do is said.
fn is_refused(redis: &Redis, words: &str) {
    let health = health(redis);
    assert!(health.starts_with("Redis refuses the connection: ") && health.contains(words), "{health}");
    assert!(health.contains("REDIS_PASSWORD") || health.contains("ACL SETUSER"), "{health}");
    let error = get(redis, "k").expect_err("nobody is let in").to_string();
    assert!(error.contains("Redis refuses the connection (") && error.contains(words), "{error}");
    assert!(!format!("{health} {error}").contains("hunter2"), "{health} {error}");
}

/// One who may log in, and not read what everything begins with.
#[test]
fn a_user_without_rights() {
    let server = Server::start(&[]);
    let rules = ["ACL", "SETUSER", "none", "on", ">hunter2", "~other:*", "+@all"];
    redis::cmd(rules[0]).arg(&rules[1..]).exec(&mut server.raw()).expect("a user");
    let redis = handle_at(&format!("{}?user=none&pass=hunter2", server.url()));
    is_refused(&redis, "NOPERM");
    loads_go_on(&redis);
}

#[test]
fn a_database_that_it_does_not_have() {
    let server = Server::start(&[]);
    let redis = handle_at(&format!("{}?db=99", server.url()));
    let health = health(&redis);
    assert!(health.starts_with("Redis refuses the connection: ") && health.contains("REDIS_DB"), "{health}");
}

/// Redis itself lets anybody in then, by the protocol that is spoken.
#[test]
fn a_password_for_a_redis_without_one() {
    let server = Server::start(&[]);
    let redis = handle_at(&format!("{}?pass=hunter2", server.url()));
    put(&redis, "k", "v").expect("stored");
}

#[test]
fn what_is_queued_is_said() {
    let redis = wait(Redis::connect("unix:///nowhere/redis.sock")).expect("a handle");
    let says = |error: cache_core::Error, words: &[&str]| {
        assert_eq!(error.kind(), ErrorKind::Queued);
        assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
    };
    says(put(&redis, "k", "v").expect_err("down"), &["the value is not stored", "is queued"]);
    let incr = redis.set("n", Value::new(Arc::new(1_i64)), Set::new(MINUTE)).wait();
    says(incr.expect_err("down"), &["the value is not stored", "is queued"]);
    let strike = |target| redis.invalidate(target, Strength::Remove).wait().expect_err("down");
    says(strike(Target::Key("user:1")), &["invalidate key \"user:1\": ", "it is queued"]);
    says(strike(Target::All), &["invalidate everything: ", "it is queued"]);
    assert!(health(&redis).contains("1 invalidation waits"), "{}", health(&redis));
    let exists = Engine::new(redis.clone()).exists("k").wait().expect_err("down");
    assert!(exists.to_string().contains("exists \"k\""), "{exists}");
}

/// For a moment, until it has been delivered otherwise.
#[test]
fn why_nothing_is_read_is_said_in_words() {
    let server = Server::start(&[]);
    let (fake, url) = Fake::start(&server);
    let redis = handle_at(&url);
    fake.says("ODD it does not like it", &["UNLINK"]);
    let why = || {
        until("in use", SOON, || is_up(&redis));
        redis.invalidate(Target::Key("k"), Strength::Remove).wait().expect_err("queued");
        get(&redis, "k").err().map(|error| error.to_string())
    };
    let said = (0..20).find_map(|_| why().filter(|why| why.contains("could not be delivered")));
    let said = said.expect("it is not read while that waits");
    assert!(said.contains("could not be delivered: ODD: it does not like it"), "{said}");
}

/// Before the first connection stands, nothing is well yet.
#[test]
fn a_connection_that_is_being_made_is_a_trouble() {
    let ask = || std::future::pending::<Result<backend_redis::Credentials, String>>();
    let redis = wait(Redis::builder("unix:///nowhere/redis.sock").credentials(ask).connect());
    let within = redis.expect("a handle").within("school").expect("a namespace");
    let connection = within.connection();
    assert_eq!((connection.connected_for, connection.reconnects), (None, 0));
    assert!(connection.trouble.is_some_and(|why| why.contains("being made")));
    assert!(health(&within).contains("is being made"), "{}", health(&within));
}

#[test]
fn not_a_redis_at_all() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("redis://{}/", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let redis = handle_at(&url);
    assert!(health(&redis).contains("does not answer as a Redis does"), "{}", health(&redis));
    assert!(!health(&redis).contains(['\n', '\r']), "on one line: {}", health(&redis));
    loads_go_on(&redis);
}

#[test]
fn a_replica() {
    let server = Server::start(&[]);
    redis::cmd("REPLICAOF").arg("127.0.0.1").arg("1").exec(&mut server.raw()).expect("it obeys");
    let redis = server.redis();
    assert!(health(&redis).contains("it is a replica"), "{}", health(&redis));
    redis::cmd("REPLICAOF").arg("NO").arg("ONE").exec(&mut server.raw()).expect("it obeys");
    until("in use", SOON, || is_up(&redis));
}

#[test]
fn full_without_eviction() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let redis = server.redis();
    let full = |memory: &str| {
        redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(memory).exec(&mut server.raw()).expect("set");
    };
    put(&redis, "k", "old").expect("stored");
    full("1");
    let error = put(&redis, "k", "new").expect_err("no room");
    assert!(error.to_string().contains("maxmemory"), "it says what to do: {error}");
    assert_eq!(get(&redis, "k").expect("read"), None, "a failed set invalidates");
    until("seen", SOON, || health(&redis).contains("Redis is full"));
    full("0");
    until("well again", SOON, || health(&redis).is_empty());
    put(&redis, "k", "new").expect("stored");
}

/// It evicts what it likes, entries, marks and the order: nothing that was invalidated comes back.
#[test]
fn full_with_eviction() {
    let server = Server::start(&["--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru"]);
    let redis = server.redis();
    let (bears, big) = ([Box::<str>::from("t")], "x".repeat(2_000));
    let evicted = || {
        let info: String = redis::cmd("INFO").arg("stats").query(&mut server.raw()).expect("told");
        let line = info.lines().find_map(|line| line.strip_prefix("evicted_keys:"));
        line.and_then(|number| number.parse::<u64>().ok()).expect("a number")
    };
    let began = Instant::now();
    let mut round = 0_u64;
    while evicted() < 2_000 {
        assert!(began.elapsed() < Duration::from_secs(60), "it evicts too little");
        let value = Value::new(Arc::new(format!("{round}")));
        redis.set("tagged", value, Set { tags: &bears, ..Set::new(MINUTE) }).wait().expect("stored");
        redis.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
        for filler in 0..100 {
            put(&redis, &format!("filler:{round}:{filler}"), &big).expect("stored");
        }
        assert_eq!(get(&redis, "tagged").expect("read"), None, "round {round}");
        round += 1;
    }
    put(&redis, "k", "v").expect("stored");
    assert_eq!((get(&redis, "k").expect("read").as_deref(), &*health(&redis)), (Some("v"), ""));
}

/// What is large is slow: it does not get to take the connection from everybody.
#[test]
fn a_value_that_is_too_large_is_refused_and_the_old_one_is_gone() {
    let server = Server::start(&[]);
    let redis = server.redis();
    put(&redis, "small", "v").expect("stored");
    put(&redis, "large", "old").expect("stored");
    // No run of it can be made smaller.
    let large: String = (0..17 << 20).map(|_| fastrand::alphanumeric()).collect();
    let error = put(&redis, "large", &large).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("max_value") && error.to_string().contains("\"large\""), "{error}");
    assert_eq!(get(&redis, "large").expect("read"), None, "the old value must not stay in its place");
    assert_eq!(get(&redis, "small").expect("read").as_deref(), Some("v"));
    assert_eq!(redis.connection().reconnects, 0);
    // Who wants it raises the limit; a load has its value in any case.
    let engine = Engine::new(redis);
    assert_eq!(engine.get_or_compute("large", ttl::SHORT, || large.clone()).len(), large.len());
    let raised = server.builder().max_value(32 << 20);
    let raised = wait(raised.connect()).expect("a handle");
    put(&raised, "large", &large).expect("stored");
    assert_eq!(get(&raised, "large").expect("read").map(|value| value.len()), Some(large.len()));

    let tiny = wait(server.builder().max_value(100).connect()).expect("a handle");
    put(&tiny, "k", &"v".repeat(10)).expect("stored");
    assert_eq!(put(&tiny, "k", &large[..200]).expect_err("refused").kind(), ErrorKind::TooLarge);
    tiny.incr("n", 1, MINUTE).wait().expect("a counter is small");
}

/// Loads go on without being stored: nobody would notice but by the bill of the database.
#[test]
fn a_type_that_the_codec_refuses_is_named_once() {
    let server = Server::start(&[]);
    let redis = server.redis();
    let engine = Engine::new(redis.clone());
    for number in 0..3 {
        assert_eq!(engine.get_or_compute(format!("k:{number}"), ttl::SHORT, || vec![()]).len(), 1);
    }
    until("counted", SOON, || engine.stats().errors >= 3);
    let health = engine.health().wait().expect("told");
    assert!(!health.ok && health.troubles.len() == 1, "{health:?}");
    let said = &health.troubles[0];
    assert!(said.contains("`alloc::vec::Vec<()>`") && said.contains("use the codec `json`"), "{said}");
}

/// It is told for as long as it is so.
#[test]
fn a_type_of_which_values_are_taken_again_is_named_no_more() {
    let server = Server::start(&[]);
    let redis = server.redis();
    let set = |path: &[u8]| {
        let path = Value::new(Arc::new(PathBuf::from(OsStr::from_bytes(path))));
        redis.set("k", path, Set::new(MINUTE)).wait()
    };
    assert_eq!(set(b"no text: \xff").expect_err("serde writes it as text").kind(), ErrorKind::Codec);
    assert!(health(&redis).contains("PathBuf"), "{}", health(&redis));
    set(b"a text").expect("stored");
    assert_eq!(health(&redis), "");
}

/// A user who may not run scripts: what he may do works, and health says what does not, for as long as it is tried.
#[test]
fn what_redis_refuses_is_told() {
    let server = Server::start(&[]);
    let rules = ["ACL", "SETUSER", "few", "on", ">pw", "~*", "&*", "+@all", "-evalsha"];
    redis::cmd(rules[0]).arg(&rules[1..]).exec(&mut server.raw()).expect("a user");
    let redis = handle_at(&format!("{}?user=few&pass=pw", server.url()));
    // Somebody has to begin, which needs one.
    put(&server.redis(), "k", "v").expect("may do everything");
    assert_eq!(get(&redis, "k").expect("needs none").as_deref(), Some("v"));
    assert_eq!(health(&redis), "");
    let error = redis.incr("n", 1, MINUTE).wait().expect_err("needs one");
    assert!(error.to_string().contains("NOPERM"), "{error}");
    let said = health(&redis);
    assert!(said.contains("refuses what it is asked to do: NOPERM") && said.contains("ACL"), "{said}");
}
