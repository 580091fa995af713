//! What stands beside the entries, as a raw client sees it: it lives as long as it is needed, and no longer.

mod common;

use std::sync::Arc;
use std::time::Duration;

use backend_redis::Redis;
use cache_core::{Cache, Freshness, Kind, Lifetime, Set, Stored, Strength, Target, Value};
use common::Server;
use common::plain::names;

const HOUR: Duration = Duration::from_secs(3600);

fn put(redis: &Redis, key: &str, life: Duration, bears: &[&str]) {
    let tags: Vec<Box<str>> = bears.iter().map(|tag| Box::from(*tag)).collect();
    let lifetime = Lifetime { fresh: life, total: life };
    let set = Set { tags: &tags, ..Set::new(lifetime) };
    assert_eq!(redis.set(key, Value::new(Arc::new(1_u8)), set).wait().expect("stored"), Stored::Yes);
}

fn is_there(redis: &Redis, key: &str) -> bool {
    redis.get(key, Kind::of::<u8>()).wait().expect("read").is_some()
}

/// What is left of the life of the one mark.
fn left(raw: &mut redis::Connection) -> Duration {
    let marks = names(raw, "*:t:t");
    assert_eq!(marks.len(), 1, "{marks:?}");
    let left: i64 = redis::cmd("PTTL").arg(&marks[0]).query(raw).expect("told");
    Duration::from_millis(u64::try_from(left).expect("it has an end"))
}

#[test]
fn a_mark_outlives_all_entries_that_bear_its_tag() {
    let server = Server::start(&[]);
    let (redis, mut raw) = (server.redis(), server.raw());
    put(&redis, "short", Duration::from_secs(1), &["t"]);
    // It may be stored as much later as a load may take: ten minutes.
    assert!(left(&mut raw) > Duration::from_secs(601), "{:?}", left(&mut raw));
    put(&redis, "long", HOUR, &["t"]);
    assert!(left(&mut raw) > HOUR, "{:?}", left(&mut raw));
    put(&redis, "short", Duration::from_secs(1), &["t"]);
    assert!(left(&mut raw) > HOUR, "a shorter one takes nothing from it");
    redis.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
    assert!(left(&mut raw) > HOUR, "nor does a strike: {:?}", left(&mut raw));
    assert!(redis.expire("short", HOUR).wait().is_ok_and(|done| !done), "it is struck");
    put(&redis, "short", Duration::from_secs(60), &["t"]);
    assert!(redis.expire("short", 10 * HOUR).wait().expect("done"));
    assert!(
        left(&mut raw) > 10 * HOUR,
        "nor must it end before what is made to live longer: {:?}",
        left(&mut raw)
    );
}

/// Each write of a mark is told to all who watch for changes.
#[test]
fn a_mark_is_not_written_for_each_entry() {
    let server = Server::start(&[]);
    let (redis, mut raw) = (server.redis(), server.raw());
    put(&redis, "k:0", HOUR, &["t"]);
    let writes = |raw: &mut redis::Connection| {
        let info: String = redis::cmd("INFO").arg("commandstats").query(raw).expect("told");
        let line =
            info.lines().find_map(|line| line.strip_prefix("cmdstat_set:calls=")).expect("there are some");
        line.split(',').next().and_then(|calls| calls.parse::<u32>().ok()).expect("a number")
    };
    let before = writes(&mut raw);
    (1..=50).for_each(|number| put(&redis, &format!("k:{number}"), HOUR, &["t"]));
    // Two for each entry: a place, and what is stored.
    assert_eq!(writes(&mut raw) - before, 100);
}

/// A tag that nobody bears has no mark, however often it is struck.
#[test]
fn to_strike_leaves_nothing_behind() {
    let server = Server::start(&[]);
    let (redis, mut raw) = (server.redis(), server.raw());
    for number in 0..5000 {
        drop(redis.invalidate(Target::Tag(&format!("t:{number}")), Strength::Remove));
    }
    redis.invalidate(Target::Tag("t"), Strength::MarkStale).wait().expect("struck");
    assert_eq!(names(&mut raw, "*:t:*"), Vec::<String>::new());
    let recent: u32 = redis::cmd("ZCARD").arg("larder::{:order}:recent").query(&mut raw).expect("told");
    assert!((4000..=4097).contains(&recent), "{recent}");
}

/// A mark that is lost is made again with what is remembered; where that does not reach, what is old is struck.
#[test]
fn a_mark_that_is_made_again_knows_when_its_tag_was_struck() {
    let server = Server::start(&[]);
    let (redis, mut raw) = (server.redis(), server.raw());
    for forgotten in [false, true] {
        put(&redis, "struck", HOUR, &["t"]);
        redis.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
        put(&redis, "good", HOUR, &["t"]);
        let mark = names(&mut raw, "*:t:t").remove(0);
        redis::cmd("DEL").arg(&mark).exec(&mut raw).expect("lost");
        assert!(!is_there(&redis, "good"), "there is no mark");
        if forgotten {
            redis::cmd("DEL").arg("larder::{:order}:recent").exec(&mut raw).expect("lost");
            redis.invalidate(Target::Tag("other"), Strength::Remove).wait().expect("struck");
        }
        put(&redis, "new", HOUR, &["t"]);
        assert!(is_there(&redis, "new") && !is_there(&redis, "struck"));
        assert!(is_there(&redis, "good") || forgotten, "it was not struck");
    }
}

/// The same of what was marked stale.
#[test]
fn a_mark_that_is_made_again_knows_when_its_tag_was_marked_stale() {
    let server = Server::start(&[]);
    let (redis, mut raw) = (server.redis(), server.raw());
    let lives = Lifetime { fresh: HOUR, total: 2 * HOUR };
    let tags = ["t".into()];
    let set = Set { tags: &tags, ..Set::new(lives) };
    redis.set("k", Value::new(Arc::new(1_u8)), set).wait().expect("stored");
    redis.invalidate(Target::Tag("t"), Strength::MarkStale).wait().expect("struck");
    let mark = names(&mut raw, "*:t:t").remove(0);
    redis::cmd("DEL").arg(&mark).exec(&mut raw).expect("lost");
    put(&redis, "new", HOUR, &["t"]);
    let freshness = |key: &str| {
        let entry = redis.get(key, Kind::of::<u8>()).wait().expect("read");
        entry.expect("there").freshness()
    };
    assert_eq!((freshness("k"), freshness("new")), (Freshness::Stale, Freshness::Fresh));
}

#[test]
fn a_counter_leaves_no_header_behind() {
    let server = Server::start(&[]);
    let (redis, mut raw) = (server.redis(), server.raw());
    let hour = Lifetime { fresh: HOUR, total: HOUR };
    for target in [Target::Key("n:1"), Target::Pattern("n:*")] {
        redis.incr("n:1", 1, hour).wait().expect("added");
        assert_eq!(names(&mut raw, "*:c:n:1").len(), 1);
        redis.invalidate(target, Strength::Remove).wait().expect("struck");
        assert_eq!(names(&mut raw, "*:n:1"), Vec::<String>::new(), "{target:?}");
    }
    redis.incr("n:1", 1, hour).wait().expect("added");
    assert!(redis.delete("n:1").wait().expect("deleted"));
    assert_eq!(names(&mut raw, "*:n:1"), Vec::<String>::new());
}
