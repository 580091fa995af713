//! What others do behind larder's back: raw clients, other processes, a Redis that forgets.

mod common;

use std::time::Duration;

use backend_redis::Redis;
use cache_core::{Cache, ErrorKind, Fence, Kind, Set, Stored, Strength, Target};
use common::plain::{self, MINUTE, names, run, text};
use common::{Server, wait};

fn put(redis: &Redis, key: &str, value: &str, bears: &[&str], fence: Option<Fence>) -> Stored {
    plain::put_tagged(redis, key, value, bears, fence).expect("answered")
}

fn get(redis: &Redis, key: &str) -> Option<String> {
    plain::get(redis, key).expect("readable")
}

/// The one name in Redis that ends in `end`.
fn name(raw: &mut redis::Connection, end: &str) -> String {
    let names = names(raw, &format!("*{end}"));
    assert_eq!(names.len(), 1, "{names:?}");
    names.into_iter().next().expect("one")
}

#[test]
fn a_plain_delete_or_set_by_anyone_voids_what_is_being_loaded() {
    let server = Server::start(&[]);
    let (redis, mut client) = (server.redis(), server.raw());
    for there_before in [false, true] {
        for what in ["DEL", "SET", "UNLINK", "DEL and SET"] {
            redis.delete("k").wait().expect("deleted");
            if there_before {
                put(&redis, "k", "before", &[], None);
            }
            let fence = redis.fence("k").wait().expect("a fence");
            let name = name(&mut client, ":k");
            if what != "SET" {
                run(&mut client, &[what.split(' ').next().expect("a word"), &name]);
            }
            if what.ends_with("SET") {
                run(&mut client, &["SET", &name, "theirs"]);
            }
            assert_eq!(put(&redis, "k", "late", &[], Some(fence)), Stored::Fenced, "{what}, {there_before}");
            redis.release("k", fence);
            assert_eq!(get(&redis, "k"), None, "{what}: what others write is not ours to read");
        }
    }
}

#[test]
fn a_raw_client_reads_and_changes_counters() {
    let server = Server::start(&[]);
    let (redis, mut client) = (server.redis(), server.raw());
    redis.incr("hits", 41, MINUTE).wait().expect("added");
    let name = name(&mut client, "k:hits");
    assert_eq!(run(&mut client, &["INCR", &name]), redis::Value::Int(42));
    assert_eq!(redis.incr("hits", 1, MINUTE).wait().expect("added"), 43);
    run(&mut client, &["SET", &name, "007", "KEEPTTL"]);
    let error = redis.incr("hits", 1, MINUTE).wait().expect_err("no integer as Redis writes it");
    assert_eq!(error.kind(), ErrorKind::NotAnInteger);
    run(&mut client, &["DEL", &name]);
    run(&mut client, &["RPUSH", &name, "a list"]);
    assert_eq!(get(&redis, "hits"), None);
    assert_eq!(put(&redis, "hits", "ours", &[], None), Stored::Yes);
    assert_eq!(get(&redis, "hits").as_deref(), Some("ours"));
}

/// What has more time than it was given is not served: its invalidation may be long forgotten, and its source changed.
#[test]
fn a_life_that_somebody_made_longer_is_over() {
    let server = Server::start(&[]);
    let (redis, mut client) = (server.redis(), server.raw());
    let ways: [&[&str]; 2] = [&["PERSIST"], &["PEXPIRE", "600000"]];
    for way in ways {
        let mut longer = |end: &str| {
            let name = name(&mut client, end);
            let command: Vec<&str> = [&way[..1], &[&*name], &way[1..]].concat();
            assert_eq!(run(&mut client, &command), redis::Value::Int(1), "{way:?}");
        };
        for key in ["plain", "tagged", "loading"] {
            put(&redis, key, "value", if key == "tagged" { &["t"] } else { &[] }, None);
            let fence = (key == "loading").then(|| redis.fence(key).wait().expect("a fence"));
            if fence.is_none() {
                assert_eq!(get(&redis, key).as_deref(), Some("value"));
                longer(&format!(":k:{key}"));
            } else {
                // For its loads it is kept for ten minutes, and may be.
                let mut client = server.raw();
                let name = name(&mut client, ":k:loading");
                run(&mut client, &["PERSIST", &name]);
            }
            assert_eq!(get(&redis, key), None, "{key} after {way:?}");
            assert_eq!(redis.ttl(key).wait().expect("readable"), None, "{key} after {way:?}");
            assert!(!redis.expire(key, MINUTE.fresh).wait().expect("answered"), "{key} after {way:?}");
            if let Some(fence) = fence {
                assert_eq!(put(&redis, key, "late", &[], Some(fence)), Stored::Fenced);
            }
            let set = Set { if_absent: true, ..Set::new(MINUTE) };
            let stored = redis.set(key, text("new"), set).wait().expect("answered");
            assert_eq!(stored, Stored::Yes, "{key} after {way:?}");
            assert_eq!(get(&redis, key).as_deref(), Some("new"));
            assert!(redis.delete(key).wait().expect("deleted"));
        }
        assert_eq!(redis.incr("n", 7, MINUTE).wait().expect("added"), 7);
        longer(":k:n");
        let count = |redis: &Redis| redis.get("n", Kind::of::<i64>()).wait().expect("readable").is_some();
        assert!(!count(&redis), "{way:?}");
        assert_eq!(redis.incr("n", 1, MINUTE).wait().expect("added"), 1, "{way:?}: it begins anew");
        assert!(count(&redis));
        // Also once its header is gone, which was not made longer.
        longer(":k:n");
        let header = name(&mut client, ":c:n");
        run(&mut client, &["DEL", &header]);
        assert!(!count(&redis), "{way:?}");
        redis.delete("n").wait().expect("deleted");
    }
}

/// Everything of one process against loads of the other.
#[test]
fn late_loaders_of_another_process_lose() {
    let server = Server::start(&[]);
    let (one, other) = (server.redis(), server.redis());
    let targets = [Target::Key("k:1"), Target::Tag("t"), Target::Pattern("k:*"), Target::All];
    for target in targets {
        for there_before in [false, true] {
            one.delete("k:1").wait().expect("deleted");
            if there_before {
                put(&one, "k:1", "before", &["t"], None);
            }
            assert_eq!(get(&other, "k:1").is_some(), there_before);
            let fence = other.fence("k:1").wait().expect("a fence");
            one.invalidate(target, Strength::Remove).wait().expect("invalidated");
            assert_eq!((get(&other, "k:1"), get(&one, "k:1")), (None, None), "{target:?}");
            assert_eq!(put(&other, "k:1", "late", &["t"], Some(fence)), Stored::Fenced, "{target:?}");
            other.release("k:1", fence);
            assert_eq!((get(&other, "k:1"), get(&one, "k:1")), (None, None), "{target:?}");
            let fence = other.fence("k:1").wait().expect("a fence");
            assert_eq!(put(&other, "k:1", "new", &["t"], Some(fence)), Stored::Yes, "{target:?}");
            assert_eq!(get(&one, "k:1").as_deref(), Some("new"), "{target:?}");
        }
    }
}

#[test]
fn clear_of_a_namespace_touches_no_other_and_is_swept() {
    let server = Server::start(&[]);
    let with = |namespace: &str| wait(server.builder().namespace(namespace).connect()).expect("a handle");
    let all = [with("a"), with("ab"), with("a*"), with("")];
    for (number, redis) in all.iter().enumerate() {
        put(redis, "k", &number.to_string(), &["t"], None);
        redis.incr("n", 1, MINUTE).wait().expect("added");
    }
    all[2].invalidate(Target::All, Strength::Remove).wait().expect("cleared");
    all[0].invalidate(Target::Pattern("*"), Strength::Remove).wait().expect("cleared");
    all[3].invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
    let found: Vec<_> = all.iter().map(|redis| get(redis, "k")).collect();
    assert_eq!(found, [None, Some("1".to_owned()), None, None]);
    let count = |redis: &Redis| redis.incr("n", 0, MINUTE).wait().expect("added");
    assert_eq!([count(&all[0]), count(&all[1]), count(&all[2]), count(&all[3])], [0, 1, 0, 1]);
    let mut client = server.raw();
    common::until("the old epoch is swept", Duration::from_secs(5), || {
        let left: Vec<String> = redis::cmd("KEYS").arg("larder:a\\*:*:t").query(&mut client).expect("names");
        left.is_empty()
    });
}

/// Whatever Redis loses, nothing old comes back.
#[test]
fn lost_marks_and_orders_bring_nothing_back() {
    let server = Server::start(&[]);
    let (redis, mut client) = (server.redis(), server.raw());
    let all: [&[&str]; 6] = [
        &["*:t:t"],
        &["*:order}"],
        &["*:order}:recent"],
        &["*:order}:recent", "*:t:t"],
        &["*:order}", "*:t:t"],
        &["*:order}*", "*:t:t"],
    ];
    for lost in all {
        put(&redis, "k", "old", &["t"], None);
        let fence = redis.fence("other").wait().expect("a fence");
        redis.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
        for pattern in lost {
            let names: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut client).expect("names");
            assert!(!names.is_empty(), "{pattern}");
            names.iter().for_each(|name| drop(run(&mut client, &["DEL", name])));
        }
        assert_eq!(get(&redis, "k"), None, "{lost:?}: struck before it was lost");
        // Makes a mark again, and is refused itself.
        let stored = put(&redis, "other", "late", &["t"], Some(fence));
        assert_eq!((stored, get(&redis, "k")), (Stored::Fenced, None), "{lost:?}");
        redis.release("other", fence);
        put(&redis, "new", "new", &["t"], None);
        assert_eq!((get(&redis, "new").as_deref(), get(&redis, "k")), (Some("new"), None), "{lost:?}");
        redis.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
        assert_eq!(get(&redis, "new"), None, "{lost:?}");
    }
    put(&redis, "k", "old", &["t"], None);
    run(&mut client, &["FLUSHALL"]);
    assert_eq!(get(&redis, "k"), None);
    put(&redis, "k", "new", &["t"], None);
    assert_eq!(get(&redis, "k").as_deref(), Some("new"));
}

#[test]
fn scripts_that_redis_has_lost_are_sent_again() {
    let server = Server::start(&[]);
    let (redis, mut client) = (server.redis(), server.raw());
    for round in 0..3 {
        run(&mut client, &["SCRIPT", "FLUSH"]);
        assert_eq!(redis.incr("n", 1, MINUTE).wait().expect("added"), round + 1);
        run(&mut client, &["SCRIPT", "FLUSH"]);
        let fence = redis.fence("k").wait().expect("a fence");
        run(&mut client, &["SCRIPT", "FLUSH"]);
        assert_eq!(put(&redis, "k", "value", &["a", "b"], Some(fence)), Stored::Yes);
        run(&mut client, &["SCRIPT", "FLUSH"]);
        redis.invalidate(Target::Tag("b"), Strength::Remove).wait().expect("struck");
        assert_eq!(get(&redis, "k"), None);
    }
}

/// The matcher that decides is Redis' own; larder's, which decides in memory, must say the same.
#[test]
fn patterns_match_what_redis_matches() {
    let server = Server::start(&[]);
    let (redis, mut client) = (server.redis(), server.raw());
    let letters = ['a', 'b', '*', '?', '[', ']', '^', '-', '\\', ':'];
    let word = |most: usize| -> String {
        (0..fastrand::usize(1..=most)).map(|_| letters[fastrand::usize(..letters.len())]).collect()
    };
    for _ in 0..300 {
        let (pattern, keys) = (word(6), [word(4), word(4), word(4)]);
        for key in &keys {
            put(&redis, key, key, &[], None);
        }
        run(&mut client, &["FLUSHDB"]);
        keys.iter().for_each(|key| drop(run(&mut client, &["SET", key, ""])));
        let theirs: Vec<String> = redis::cmd("KEYS").arg(&pattern).query(&mut client).expect("names");
        for key in &keys {
            put(&redis, key, key, &[], None);
        }
        redis.invalidate(Target::Pattern(&pattern), Strength::Remove).wait().expect("struck");
        let ours = cache_core::Pattern::new(&pattern).expect("a pattern");
        for key in &keys {
            let matches = theirs.contains(key);
            assert_eq!(ours.matches(key), matches, "{pattern:?} over {key:?} in memory");
            assert_eq!(get(&redis, key).is_none(), matches, "{pattern:?} over {key:?}");
        }
    }
}
