//! Operations that share round trips: each has its own answer, and they are done in the order in which they were called.

mod common;

use std::time::Duration;

use backend_redis::Redis;
use cache_core::{Cache, ErrorKind, Kind, Reply, Set, Stored, Strength, Target};
use common::plain::{self, MINUTE, put, text};
use common::{Server, until, wait};

fn set<'r>(redis: &'r Redis, key: &str, value: &str, tags: &[&str]) -> Reply<'r, Stored> {
    let tags: Vec<Box<str>> = tags.iter().map(|tag| Box::from(*tag)).collect();
    redis.set(key, text(value), Set { tags: &tags, ..Set::new(MINUTE) })
}

/// Asks at once; what is found is read from what this returns.
fn get<'r>(redis: &'r Redis, key: &str) -> Reply<'r, Option<String>> {
    let entry = redis.get(key, Kind::of::<String>());
    entry.map(|entry| {
        let value = entry?.value;
        let count = value.as_integer().map(|count| format!("value {count}"));
        Some(count.unwrap_or_else(|| value.downcast::<String>().expect("a text").to_string()))
    })
}

/// What stands under the key of that number: every kind of thing that can.
fn fill(redis: &Redis, raw: &mut redis::Connection, number: usize) {
    let (key, value) = (format!("k:{number}"), format!("value {number}"));
    let stored = match number % 7 {
        0 => return,
        1 => set(redis, &key, &value, &["all"]),
        2 => set(redis, &key, &value, &["all", &format!("of:{number}")]),
        3 => set(redis, &key, &value, &[&format!("of:{}", number % 5)]),
        4 => {
            redis.incr(&key, number as i64, MINUTE).wait().expect("added");
            return;
        }
        _ => set(redis, &key, &value, &[]),
    };
    stored.wait().expect("stored");
    if number % 7 == 6 {
        let name = format!("*k:{number}");
        let names: Vec<String> = redis::cmd("KEYS").arg(name).query(raw).expect("names");
        names.iter().for_each(|name| redis::cmd("SET").arg(name).arg("theirs").exec(raw).expect("set"));
    }
}

fn check(redis: &Redis, struck: &[&str]) {
    let replies: Vec<_> = (0..400).map(|number| (number, get(redis, &format!("k:{number}")))).collect();
    for (number, reply) in replies {
        let tags = [vec![], vec!["all".to_owned()], vec!["all".to_owned(), format!("of:{number}")]];
        let of = format!("of:{}", number % 5);
        let there = match number % 7 {
            kind @ (1 | 2) => !tags[kind].iter().any(|tag| struck.contains(&&**tag)),
            3 => !struck.contains(&&*of),
            4 | 5 => true,
            _ => false,
        };
        let found = reply.wait().expect("read");
        assert_eq!(found, there.then(|| format!("value {number}")), "k:{number} ({struck:?})");
    }
}

#[test]
fn each_of_many_has_its_own_answer() {
    let server = Server::start(&[]);
    let (redis, mut raw) = (server.redis(), server.raw());
    (0..400).for_each(|number| fill(&redis, &mut raw, number));
    // The first time by somebody who does not know their tags.
    let stranger = server.redis();
    check(&stranger, &[]);
    check(&stranger, &[]);
    redis.invalidate(Target::Tag("of:3"), Strength::Remove).wait().expect("struck");
    check(&stranger, &["of:3"]);
    redis.invalidate(Target::Tag("all"), Strength::Remove).wait().expect("struck");
    check(&redis, &["of:3", "all"]);
}

#[test]
fn what_is_called_later_sees_what_was_called_before() {
    let server = Server::start(&[]);
    let redis = server.redis();
    // So that Redis has the scripts: one that it has not comes again, after what was called meanwhile.
    set(&redis, "k", "tagged", &["t"]).wait().expect("stored");
    redis.delete("k").wait().expect("deleted");
    for round in 0..200 {
        let value = round.to_string();
        let before = get(&redis, "other");
        let sets = ["a", "b", &*value].map(|value| set(&redis, "k", value, &[]));
        let after = get(&redis, "k");
        assert_eq!(after.wait().expect("read"), Some(value), "the last of what was set before");
        // While the thread is busy.
        let others: Vec<_> = (0..50).map(|number| get(&redis, &number.to_string())).collect();
        let (last, deleted) = (set(&redis, "k", "last", &[]), redis.delete("k"));
        last.wait().expect("stored");
        assert!(deleted.wait().expect("deleted"));
        assert_eq!(get(&redis, "k").wait().expect("read"), None, "it was deleted after it was set");
        others.into_iter().for_each(|other| assert_eq!(other.wait().expect("read"), None));
        // Takes several round trips, and was called before the deletion all the same.
        let (tagged, deleted) = (set(&redis, "k", "tagged", &["t"]), redis.delete("k"));
        tagged.wait().expect("stored, or deleted at once");
        deleted.wait().expect("deleted");
        assert_eq!(get(&redis, "k").wait().expect("read"), None);
        assert_eq!(before.wait().expect("read"), None);
        sets.into_iter().for_each(|set| assert_eq!(set.wait().expect("stored"), Stored::Yes));
    }
}

#[test]
fn what_meets_a_new_epoch_is_done_in_it() {
    let server = Server::start(&[]);
    let (redis, mut raw) = (server.redis(), server.raw());
    for _ in 0..20 {
        set(&redis, "old", "old", &[]).wait().expect("stored");
        redis::cmd("FLUSHALL").exec(&mut raw).expect("flushed");
        let sets: Vec<_> = (0..50).map(|number| set(&redis, &number.to_string(), "new", &[])).collect();
        let old = get(&redis, "old");
        sets.into_iter().for_each(|set| assert_eq!(set.wait().expect("stored"), Stored::Yes));
        assert_eq!(old.wait().expect("read"), None);
        for number in 0..50 {
            let found = get(&redis, &number.to_string()).wait().expect("read");
            assert_eq!(found.as_deref(), Some("new"), "{number}");
        }
    }
}

/// So many operations are under way at most, and one that stands for all others.
const MOST: usize = 2 * 65_536 + 1;

/// One that has time enough for all of them, also on a busy machine.
fn patient(server: &Server) -> Redis {
    let long = Duration::from_secs(120);
    wait(server.builder().response_timeout(long).operation_timeout(long).connect()).expect("a handle")
}

/// G6: however many sets nobody waits for, not more than so many wait for Redis. What is refused is void.
#[test]
fn sets_that_nobody_waits_for_are_bounded() {
    let server = Server::start(&[]);
    let redis = patient(&server);
    for key in ["k:0", "k:99999"] {
        put(&redis, key, "old").expect("stored");
    }
    server.signal("STOP");
    let value = text("new");
    for number in 0..100_000 {
        drop(redis.set(&format!("k:{number}"), value.clone(), Set::new(MINUTE)));
    }
    let error = plain::get(&redis, "k:0").expect_err("refused at once");
    assert!(error.to_string().contains("too many operations"), "{error}");
    server.signal("CONT");
    let read = |key| plain::get(&redis, key);
    until("in use", Duration::from_secs(60), || read("k:0").is_ok() && redis.connection().in_flight == 0);
    assert_eq!(read("k:0").expect("read").as_deref(), Some("new"), "there was room for the first");
    assert_eq!(
        read("k:99999").expect("read"),
        None,
        "there was none for the last, which is not to be as it was"
    );
}

/// The same of invalidations, of which none is lost, also those of sets that are refused.
#[test]
fn invalidations_that_nobody_waits_for_are_bounded() {
    let server = Server::start(&[]);
    let (redis, other) = (patient(&server), patient(&server));
    for key in ["k:0", "k:199999", "bystander"] {
        put(&redis, key, "old").expect("stored");
    }
    server.signal("STOP");
    let mut most = 0;
    for number in 0..199_999 {
        let key = format!("k:{number}");
        if number % 4 == 0 {
            drop(redis.set(&key, text("new"), Set::new(MINUTE)));
        } else {
            drop(redis.invalidate(Target::Key(&key), Strength::Remove));
        }
        most = most.max(redis.connection().in_flight);
    }
    let error =
        redis.invalidate(Target::Key("k:199999"), Strength::Remove).wait().expect_err("queued, at once");
    assert_eq!(error.kind(), ErrorKind::Queued);
    plain::get(&redis, "k:199999").expect_err("this process reads nothing before it is delivered");
    server.signal("CONT");
    assert!(most <= MOST, "{most} operations wait");
    let read = |redis: &Redis, key| plain::get(redis, key);
    until("in use", Duration::from_secs(60), || read(&redis, "k:0").is_ok());
    for key in ["k:0", "k:199999", "bystander"] {
        assert_eq!(
            (read(&redis, key).expect("read"), read(&other, key).expect("read")),
            (None, None),
            "{key}"
        );
    }
    put(&redis, "k:0", "new").expect("stored");
    redis.invalidate(Target::Key("k:0"), Strength::Remove).wait().expect("one alone is done as ever");
}
