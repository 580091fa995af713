//! What a raw client does to entries, counters and the record of the fleet.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use cache_core::{Cache, Kind};
use larder::{Policy, Target, Tier, ttl};

use crate::common::plain::{SOON, names, run};
use crate::common::{Server, until};
use crate::fleet::{get, warm};
use crate::node;

fn name(raw: &mut redis::Connection, key: &str) -> String {
    names(raw, &format!("larder:*:k:{key}")).pop().expect("it is there")
}

/// What a raw client does to a key while it is loaded.
#[test]
fn a_load_is_void_whatever_takes_its_place_away() {
    let server = Server::start(&[]);
    let (one, other, mut raw) = (Arc::new(node(&server)), node(&server), server.raw());
    one.set("warm", 1_u32, ttl::LONG).wait().expect("stored");
    warm(&one, "warm");
    warm(&other, "warm");
    let hows: [&[&[&str]]; 14] = [
        &[&["DEL", "@"]],
        &[&["UNLINK", "@"]],
        &[&["GETDEL", "@"]],
        &[&["PEXPIRE", "@", "0"]],
        &[&["PEXPIREAT", "@", "1"]],
        &[&["PERSIST", "@"]],
        &[&["SET", "@", "rubbish"]],
        &[&["SET", "@", "rubbish", "KEEPTTL"]],
        &[&["RENAME", "@", "elsewhere"]],
        &[&["SET", "x", "y"], &["RENAME", "x", "@"]],
        &[&["SET", "x", "y"], &["COPY", "x", "@", "REPLACE"]],
        &[&["MOVE", "@", "3"], &["FLUSHALL"]],
        &[&["FLUSHDB"]],
        &[&["FLUSHALL", "ASYNC"]],
    ];
    for (round, how) in hows.iter().enumerate() {
        for tagged in [false, true] {
            let key = format!("k{round}{tagged}");
            let policy = Policy::ttl(ttl::LONG).in_caller();
            let policy = if tagged { policy.tags(["t"]) } else { policy };
            let (begun, go_on) = (mpsc::channel(), mpsc::channel::<()>());
            let loader = {
                let (one, begun, key) = (one.clone(), begun.0, key.clone());
                std::thread::spawn(move || {
                    *one.get_or_compute(&key, policy, || {
                        begun.send(()).expect("waits");
                        go_on.1.recv().expect("goes on");
                        1_u32
                    })
                })
            };
            begun.1.recv().expect("it loads");
            let place = name(&mut raw, &key);
            for command in *how {
                let command: Vec<&str> =
                    command.iter().map(|w| if *w == "@" { &*place } else { w }).collect();
                run(&mut raw, &command);
            }
            go_on.0.send(()).expect("waits");
            assert_eq!(loader.join().expect("ends"), 1);
            assert_eq!((get(&one, &key), get(&other, &key)), (None, None), "{how:?} tagged {tagged}");
        }
    }
}

/// Near is what far is, whatever a raw client does to what no load has just left there.
#[test]
fn memory_follows_whatever_is_done_to_an_entry() {
    let server = Server::start(&[]);
    let (one, other, far, mut raw) = (node(&server), node(&server), server.redis(), server.raw());
    let keys = ["a", "b", "c"];
    let fill = |key: &str, value: u32, how: u8| match how {
        0 => one.set(key, value, ttl::LONG).wait().expect("stored"),
        1 => one.set(key, value, Policy::ttl(ttl::LONG).tags(["t"])).wait().expect("stored"),
        2 => other.set(key, value, Policy::ttl(ttl::SHORT).swr(ttl::LONG)).wait().expect("stored"),
        _ => drop(other.get_or_compute(key, Policy::ttl(ttl::LONG).in_caller(), || value)),
    };
    let far_get = |key: &str| {
        let entry = far.get(key, Kind::of::<u32>()).wait().expect("read")?;
        (!entry.left.fresh.is_zero()).then(|| *entry.value.downcast::<u32>().expect("a number"))
    };
    let seed = fastrand::u64(..);
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut log = Vec::new();
    for step in 0..150_u32 {
        let (from, to) = (keys[rng.usize(..3)], keys[rng.usize(..3)]);
        let what = rng.u8(..16);
        log.push((what, from, to));
        if what < 6 {
            fill(to, step, what % 4);
        }
        let found = names(&mut raw, &format!("larder:*:k:{from}"));
        if let (Some(name), true) = (found.first(), what >= 6) {
            let target = format!("{}{to}", &name[..name.len() - from.len()]);
            let commands: Vec<Vec<&str>> = match what {
                6 => vec![vec!["DEL", name]],
                7 => vec![vec!["COPY", name, &target, "REPLACE"]],
                8 => vec![vec!["RENAME", name, &target]],
                9 => vec![vec!["PEXPIRE", name, "50"]],
                10 => vec![vec!["PERSIST", name]],
                11 => vec![vec!["PEXPIRE", name, "1000000"]],
                12 => vec![vec!["APPEND", name, "x"]],
                13 => vec![vec!["SET", name, "17"]],
                14 => vec![vec!["RENAME", name, "aside"], vec!["RENAME", "aside", name]],
                _ => vec![vec!["GETEX", name, "EX", "100"]],
            };
            for command in &commands {
                let _: redis::RedisResult<redis::Value> =
                    redis::cmd(command[0]).arg(&command[1..]).query(&mut raw);
            }
            if what == 9 {
                std::thread::sleep(Duration::from_millis(60));
            }
        }
        for key in keys {
            // `from` is copied to be read under another key: what it says there is its own.
            for (who, cache) in [("one", &one), ("other", &other)] {
                let began = Instant::now();
                loop {
                    let near = cache.get::<u32>(key).wait().ok().flatten().map(|value| *value);
                    let said = (near, far.get(key, Kind::of::<u32>()).wait().ok().and_then(|_| far_get(key)));
                    if said.0 == said.1 {
                        break;
                    }
                    assert!(
                        began.elapsed() < Duration::from_secs(3),
                        "seed {seed} step {step}: {who} {key} {said:?} after {:?}",
                        &log[log.len().saturating_sub(6)..]
                    );
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
    }
}

/// Another node gives a copy another end, or marks it stale, within a second of this process's own load.
#[test]
fn what_another_node_does_to_what_was_just_loaded_here_is_heard() {
    let server = Server::start(&[]);
    let (one, other) = (node(&server), node(&server));
    one.set("warm", 1_u32, ttl::LONG).wait().expect("stored");
    warm(&one, "warm");
    let policy = || Policy::ttl(ttl::LONG).swr(ttl::LONG).in_caller();
    one.get_or_compute("k", policy(), || 1_u32);
    assert!(other.expire("k", ttl::SHORT).wait().expect("given"));
    until("the end", Duration::from_secs(3), || {
        one.lookup::<u32>("k").wait().expect("read").is_some_and(|hit| hit.remaining <= ttl::SHORT)
    });
    one.get_or_compute("l", policy(), || 1_u32);
    other.mark_stale(Target::Key("l")).wait().expect("marked");
    until("stale", Duration::from_secs(3), || get(&one, "l").is_none());
}

/// An EXPIRE by hand within a second of this process's own load.
#[test]
fn an_expire_by_hand_just_after_a_load_is_heard() {
    let server = Server::start(&[]);
    let (one, other, mut raw) = (node(&server), node(&server), server.raw());
    one.set("warm", 1_u32, ttl::LONG).wait().expect("stored");
    warm(&one, "warm");
    let policy = Policy::ttl(ttl::LONG).swr(10 * ttl::LONG).in_caller();
    one.get_or_compute("k", policy, || 1_u32);
    assert_eq!(get(&other, "k"), Some(1));
    // Half of its whole life is left: by what Redis says it is stale.
    let place = name(&mut raw, "k");
    let left = (5 * ttl::LONG).as_millis().to_string();
    run(&mut raw, &["PEXPIRE", &place, &left]);
    until("the other hears", SOON, || get(&other, "k").is_none());
    until("heard", Duration::from_secs(3), || get(&one, "k").is_none());
}

/// A backup of what this process has loaded is put back within a second, over what has been set meanwhile.
#[test]
fn what_is_put_back_by_hand_just_after_a_load_is_heard() {
    let server = Server::start(&[]);
    let (one, other, mut raw) = (node(&server), node(&server), server.raw());
    one.set("warm", 1_u32, ttl::LONG).wait().expect("stored");
    warm(&one, "warm");
    let policy = Policy::ttl(ttl::LONG).in_caller();
    one.get_or_compute("k", policy, || 1_u32);
    let place = name(&mut raw, "k");
    run(&mut raw, &["COPY", &place, "aside"]);
    one.set("k", 2_u32, ttl::LONG).wait().expect("stored");
    warm(&one, "k");
    assert_eq!(get(&one, "k"), Some(2));
    run(&mut raw, &["RENAME", "aside", &place]);
    until("the other has it", SOON, || get(&other, "k") == Some(1));
    until("heard", Duration::from_secs(3), || get(&one, "k") == Some(1));
}

#[test]
fn counters_are_exact_beside_a_raw_client() {
    let server = Server::start(&[]);
    let (one, other, mut raw) = (node(&server), node(&server), server.raw());
    one.incr("n", 1).wait().expect("counted");
    let place = name(&mut raw, "n");
    std::thread::scope(|scope| {
        for cache in [&one, &other] {
            scope.spawn(move || (0..200).for_each(|_| assert!(cache.incr("n", 1).wait().is_ok())));
        }
        scope.spawn(|| {
            let mut raw = server.raw();
            for _ in 0..200 {
                run(&mut raw, &["INCRBY", &place, "1"]);
            }
        });
        scope.spawn(|| {
            for _ in 0..50 {
                let read = *one.get::<i64>("n").wait().expect("read").expect("there");
                let later = *other.get::<i64>("n").wait().expect("read").expect("there");
                assert!(later >= read);
            }
        });
    });
    for cache in [&one, &other] {
        assert_eq!(cache.get::<i64>("n").wait().expect("read").map(|n| *n), Some(601));
        assert_ne!(cache.lookup::<i64>("n").wait().expect("read").map(|hit| hit.tier), Some(Tier::L1));
    }
    run(&mut raw, &["SET", &place, "5"]);
    assert_eq!(one.get::<i64>("n").wait().expect("read"), None, "it has no end");
}

/// What a raw client does to the record of the fleet.
#[test]
fn a_record_of_the_fleet_that_is_meddled_with() {
    let server = Server::start(&[]);
    let (one, other, mut raw) = (node(&server), node(&server), server.raw());
    until("settled", SOON * 3, || one.invalidate("nothing").acked().wait().is_ok());
    let fleet = names(&mut raw, "load-*fleet").remove(0);
    let hows: [&[&str]; 3] = [
        &["HSET", &fleet, "clock", "nan"],
        &["HSET", &fleet, "clock", "1e300"],
        &["HSET", &fleet, "asks", "rubbish"],
    ];
    for (version, how) in (1..).zip(hows) {
        one.set("k", version * 2_u32, ttl::LONG).wait().expect("stored");
        warm(&other, "k");
        run(&mut raw, how);
        let began = Instant::now();
        let said = one.set("k", version * 2 + 1, ttl::LONG).acked().wait();
        println!("{how:?}: {said:?} after {:?}", began.elapsed());
        let now = get(&other, "k");
        said.expect("acknowledged");
        assert_eq!(now, Some(version * 2 + 1), "{how:?}");
        assert!(
            began.elapsed() > Duration::from_secs(4),
            "{how:?}: who was there is waited for, as for what is lost"
        );
    }
}
