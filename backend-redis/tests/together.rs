//! Operations that share round trips: each has its own answer, and they are done in the order in which they were called.

mod common;

use backend_redis::Redis;
use cache_core::{Cache, Kind, Reply, Set, Stored, Strength, Target};
use common::Server;
use common::plain::{MINUTE, text};

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
