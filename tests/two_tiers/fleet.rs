//! Several processes over one Redis, each with memory of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cache_core::{Cache, Kind, Lifetime, Set, Stored, Value};
use larder::{Larder, Policy, Target, Tier, ttl};

use crate::common::plain::{SOON, names, run};
use crate::common::{Server, until};
use crate::{hasty, node, tiers};

/// What one node does.
type Change<'a> = &'a dyn Fn(&Larder);

pub(crate) fn get(cache: &Larder, key: &str) -> Option<u32> {
    cache.get::<u32>(key).wait().expect("read").map(|value| *value)
}

fn tier(cache: &Larder, key: &str) -> Option<Tier> {
    cache.lookup::<u32>(key).wait().expect("read").map(|hit| hit.tier)
}

/// Reads `key` until it comes from memory.
pub(crate) fn warm(cache: &Larder, key: &str) {
    until("copied", SOON, || tier(cache, key) == Some(Tier::L1));
}

#[test]
fn what_one_does_reaches_the_memory_of_the_other() {
    let server = Server::start(&[]);
    let (one, other) = (node(&server), node(&server));
    let doers: [(&str, Change<'_>); 7] = [
        ("set", &|cache| cache.set("k:1", 2_u32, ttl::SHORT).wait().expect("stored")),
        ("delete", &|cache| assert!(cache.delete("k:1").wait().expect("deleted"))),
        ("key", &|cache| cache.invalidate("k:1").wait().expect("struck")),
        ("tag", &|cache| cache.invalidate_tag("t").wait().expect("struck")),
        ("pattern", &|cache| cache.invalidate_pattern("k:*").wait().expect("struck")),
        ("clear", &|cache| cache.clear().wait().expect("cleared")),
        ("stale", &|cache| cache.mark_stale(Target::Tag("t")).wait().expect("marked")),
    ];
    for (what, change) in doers {
        one.set("k:1", 1_u32, Policy::ttl(ttl::SHORT).tags(["t"])).wait().expect("stored");
        warm(&one, "k:1");
        warm(&other, "k:1");
        change(&one);
        let expected = (what == "set").then_some(2);
        assert_eq!(get(&one, "k:1"), expected, "{what}, here");
        until(what, SOON, || get(&other, "k:1") == expected);
    }
}

#[test]
fn what_anybody_does_in_redis_reaches_memory() {
    let server = Server::start(&[]);
    let (cache, mut raw) = (node(&server), server.raw());
    for command in ["DEL", "EXPIRE", "FLUSHALL"] {
        cache.set("k", 1_u32, ttl::SHORT).wait().expect("stored");
        warm(&cache, "k");
        let name = names(&mut raw, "*:k:k").remove(0);
        match command {
            "DEL" => run(&mut raw, &["DEL", &name]),
            "EXPIRE" => run(&mut raw, &["PEXPIRE", &name, "1"]),
            _ => run(&mut raw, &["FLUSHALL"]),
        };
        until(command, SOON, || get(&cache, "k").is_none());
    }
}

/// A load under way in one, an invalidation in the other: who comes after it does not join.
#[test]
fn nobody_joins_a_load_that_another_process_has_made_void() {
    let server = Server::start(&[]);
    let (one, other) = (Arc::new(node(&server)), node(&server));
    let (begun, go_on) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let loader = {
        let (one, begun) = (one.clone(), begun.0);
        std::thread::spawn(move || {
            *one.get_or_compute("k", Policy::ttl(ttl::SHORT).in_caller(), || {
                begun.send(()).expect("somebody waits");
                go_on.1.recv().expect("somebody lets it go on");
                1_u32
            })
        })
    };
    begun.1.recv().expect("it loads");
    other.invalidate("k").wait().expect("struck");
    let late = || *one.get_or_compute("k", Policy::ttl(ttl::SHORT).in_caller(), || 2_u32);
    // The word of it may take a moment.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(late(), 2, "it was begun before the invalidation");
    go_on.0.send(()).expect("it waits");
    assert_eq!(loader.join().expect("ends"), 1);
    assert_eq!((get(&one, "k"), get(&other, "k")), (Some(2), Some(2)));
}

/// Callers in several processes at once.
#[test]
fn a_fleet_loads_once() {
    let server = Server::start(&[]);
    let nodes: Vec<Larder> = (0..4).map(|_| node(&server)).collect();
    for round in 0..10 {
        let loads = AtomicUsize::new(0);
        let key = format!("k:{round}");
        std::thread::scope(|scope| {
            for caller in 0..24 {
                let (cache, loads, key) = (&nodes[caller % 4], &loads, &key);
                scope.spawn(move || {
                    let value =
                        cache.get_or_compute(key, Policy::ttl(ttl::SHORT).tags(["t"]).in_caller(), || {
                            loads.fetch_add(1, Ordering::Relaxed);
                            std::thread::sleep(Duration::from_millis(60));
                            7_u32
                        });
                    assert_eq!(*value, 7);
                });
            }
        });
        assert_eq!(loads.load(Ordering::Relaxed), 1, "round {round}");
    }
}

/// G3: believed for a while, then not; and not what was missed.
#[test]
fn a_node_that_is_cut_off_believes_its_memory_for_a_while() {
    let mut server = Server::start(&[]);
    let cache = hasty(&server);
    cache.set("k", 1_u32, ttl::LONG).wait().expect("stored");
    warm(&cache, "k");
    server.kill();
    assert_eq!(get(&cache, "k"), Some(1), "just so");
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(tier(&cache, "k"), Some(Tier::L1), "cut off for less than five seconds");
    std::thread::sleep(Duration::from_millis(3500));
    assert!(cache.get::<u32>("k").wait().is_err(), "nobody knows any more");
    // What is loaded meanwhile is kept.
    let loads = AtomicUsize::new(0);
    let load = || {
        *cache.get_or_compute("l", Policy::ttl(ttl::LONG).in_caller(), || {
            loads.fetch_add(1, Ordering::Relaxed);
            3_u32
        })
    };
    assert_eq!((load(), load(), loads.load(Ordering::Relaxed)), (3, 3, 1));
    server.restart();
    until("in use", SOON, || cache.health().wait().is_ok_and(|health| health.troubles.is_empty()));
    assert_eq!((get(&cache, "k"), get(&cache, "l")), (None, None), "Redis came back empty");
}

/// What was done while one was cut off is not missed.
#[test]
fn what_is_missed_while_cut_off_is_made_good() {
    let server = Server::start(&[]);
    let (one, other) = (node(&server), node(&server));
    let mut raw = server.raw();
    one.set("k", 1_u32, ttl::LONG).wait().expect("stored");
    warm(&one, "k");
    for _ in 0..5 {
        run(&mut raw, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        // The other one may have to connect anew.
        until("struck", SOON, || other.invalidate("k").wait().is_ok());
        until("noticed", SOON, || one.get::<u32>("k").wait().is_ok_and(|value| value.is_none()));
        until("stored", SOON, || other.set("k", 1_u32, ttl::LONG).wait().is_ok());
        until("copied", SOON, || {
            one.lookup::<u32>("k").wait().is_ok_and(|hit| hit.is_some_and(|hit| hit.tier == Tier::L1))
        });
    }
}

/// What its load has left there is nothing; what came after it, and into memory, is none of that load's.
#[test]
fn a_load_that_came_to_nothing_hides_no_invalidation() {
    let server = Server::start(&[]);
    let (one, other) = (node(&server), node(&server));
    let failed = one.try_get_or_compute("k", Policy::ttl(ttl::SHORT).in_caller(), || Err::<u32, _>("no"));
    assert_eq!(failed, Err("no"));
    other.set("k", 1_u32, ttl::SHORT).wait().expect("stored");
    warm(&one, "k");
    other.invalidate("k").wait().expect("struck");
    until("the word of it", SOON, || get(&one, "k").is_none());
}

/// A load that began earlier elsewhere publishes while one is under way here: nothing is invalid by that, but it is news.
#[test]
fn a_load_that_came_to_nothing_hides_nothing_that_others_published() {
    use crate::common::plain::{get, text};
    // Longer than a load may take, so that what is given back leaves no trace.
    let hours = Lifetime { fresh: 10 * ttl::LONG, total: 10 * ttl::LONG };
    let server = Server::start(&[]);
    let (one, other) = (tiers(server.redis()).build(), server.redis());
    let copied = || one.fresh("k").is_some() || one.get("k", Kind::of::<String>()).wait().is_err();
    other.set("k", text("old"), Set::new(hours)).wait().expect("stored");
    let theirs = other.fence("k").wait().expect("a fence");
    // The word of that may take a moment.
    std::thread::sleep(Duration::from_millis(300));
    until("copied", SOON, copied);
    let ours = one.fence("k").wait().expect("a fence");
    let stored = other.set("k", text("new"), Set { fence: Some(theirs), ..Set::new(hours) }).wait();
    assert_eq!(stored.expect("an answer"), Stored::Yes);
    one.release("k", ours);
    assert_eq!(get(&other, "k").expect("read").as_deref(), Some("new"));
    let new = |value: Value| *value.downcast::<String>().expect("a text") == "new";
    until("the news", SOON, || copied() && one.fresh("k").is_some_and(new));
}

/// Word of what this process has loaded itself costs it no copy: it is looked at, and is as it was left.
#[test]
fn what_is_loaded_here_stays_in_memory() {
    let server = Server::start(&[]);
    let (one, other) = (node(&server), node(&server));
    one.set("warm", 1_u32, ttl::LONG).wait().expect("stored");
    warm(&one, "warm");
    let policy = |tags: &[&str]| Policy::ttl(ttl::LONG).tags(tags.iter().copied()).in_caller();
    one.get_or_compute("plain", policy(&[]), || "text".to_owned());
    one.get_or_compute("tagged", policy(&["a", "b:long"]).swr(ttl::LONG), || vec![7_u8; 3000]);
    let token = other.token().wait().expect("a token");
    one.read_after(&token).wait().expect("all is handled that was told before");
    let tier = |hit: Option<Tier>| assert_eq!(hit, Some(Tier::L1));
    tier(one.lookup::<String>("plain").wait().expect("read").map(|hit| hit.tier));
    tier(one.lookup::<Vec<u8>>("tagged").wait().expect("read").map(|hit| hit.tier));
}
