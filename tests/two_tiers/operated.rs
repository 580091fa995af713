//! Redis as an operator treats it: stopped, flushed, with other rights, another's data; namespaces, databases and tiers that are
//! not usual.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_core::{Cache, Kind};
use larder::{ErrorKind, Larder, Memory, Policy, Redis, Target, Tier, Tiered, Token, ttl};

use crate::common::plain::{SOON, names, run};
use crate::common::{Server, until, wait};
use crate::fleet::{get, warm};
use crate::proxy::Proxy;
use crate::{hasty, node, tiers};

fn name(raw: &mut redis::Connection, key: &str) -> String {
    names(raw, &format!("larder:*:k:{key}")).pop().expect("it is there")
}

/// Redis stands still while somebody waits to be acknowledged.
#[test]
fn acked_over_a_redis_that_stands_still() {
    let server = Server::start(&[]);
    let (one, other) = (hasty(&server), hasty(&server));
    until("settled", SOON * 3, || one.set("k", 1_u32, ttl::LONG).acked().wait().is_ok());
    warm(&one, "k");
    warm(&other, "k");
    server.signal("STOP");
    let began = Instant::now();
    let error = one.set("k", 2_u32, ttl::LONG).acked().wait().expect_err("nobody can have heard");
    assert_eq!(error.kind(), ErrorKind::Queued, "{error}");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let seen = one.get::<u32>("k").wait().ok().flatten().map(|value| *value);
    assert_ne!(seen, Some(1));
    // Longer than a copy is believed.
    std::thread::sleep(Duration::from_secs(8));
    assert!(other.get::<u32>("k").wait().is_err(), "cut off for longer than it believes its memory");
    server.signal("CONT");
    until("back", SOON, || other.get::<u32>("k").wait().is_ok());
    until("acked", SOON * 2, || one.invalidate("nothing").acked().wait().is_ok());
    for cache in [&one, &other] {
        assert_ne!(get(cache, "k"), Some(1));
    }
    until("nothing wrong", SOON, || one.health().wait().is_ok_and(|health| health.troubles.is_empty()));
}

/// `CLIENT PAUSE`, `CLIENT NO-EVICT`, small buffers and the table of tracking: nothing old stays.
#[test]
fn what_an_operator_sets_costs_no_notice() {
    let server = Server::start(&[]);
    let (one, other) = (node(&server), hasty(&server));
    let settings: [&[&str]; 7] = [
        &["CONFIG", "SET", "tracking-table-max-keys", "1"],
        &["CLIENT", "NO-EVICT", "on"],
        &["CONFIG", "SET", "client-output-buffer-limit", "normal 64kb 32kb 1 pubsub 64kb 32kb 1"],
        &["CONFIG", "SET", "maxmemory-clients", "1mb"],
        &["CONFIG", "SET", "timeout", "1"],
        &["CLIENT", "PAUSE", "1500", "ALL"],
        &["CLIENT", "PAUSE", "1500", "WRITE"],
    ];
    for (version, setting) in (1..).zip(settings) {
        until("stored", SOON, || one.set("k", version * 2, ttl::LONG).wait().is_ok());
        until("copied", SOON, || {
            other
                .lookup::<u32>("k")
                .wait()
                .is_ok_and(|hit| hit.is_some_and(|hit| hit.tier == Tier::L1 && *hit.value == version * 2))
        });
        run(&mut server.raw(), setting);
        std::thread::scope(|scope| {
            // So much at once that somebody who reads slowly is thrown out.
            scope.spawn(|| {
                for n in 0..600_u32 {
                    drop(one.set(format!("other:{n}:{}", "x".repeat(200)), n, ttl::SHORT));
                }
            });
            until("stored", SOON * 2, || one.set("k", version * 2 + 1, ttl::LONG).wait().is_ok());
        });
        let began = Instant::now();
        until(&format!("{setting:?}"), Duration::from_secs(9), || {
            other
                .get::<u32>("k")
                .wait()
                .is_ok_and(|value| value.is_none_or(|value| *value == version * 2 + 1))
        });
        println!("{setting:?}: {:?}", began.elapsed());
    }
}

/// A token of a fleet that Redis has forgotten.
#[test]
fn tokens_across_a_flush() {
    let server = Server::start(&[]);
    let (one, other, mut raw) = (node(&server), node(&server), server.raw());
    for round in 1..8_u32 {
        one.set("k", round * 2, ttl::LONG).wait().expect("stored");
        let before: Token = one.token().wait().expect("a token");
        warm(&other, "k");
        run(&mut raw, &[if round % 2 == 0 { "FLUSHALL" } else { "FLUSHDB" }]);
        if round % 3 == 0 {
            run(&mut raw, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
            until("back", SOON, || other.token().wait().is_ok() && one.token().wait().is_ok());
        }
        other.read_after(&before).wait().expect("caught up");
        assert_eq!(get(&other, "k"), None, "round {round}: it is flushed");
        one.set("k", round * 2 + 1, ttl::LONG).wait().expect("stored");
        let after = one.token().wait().expect("a token");
        other.read_after(&after).wait().expect("caught up");
        assert_eq!(get(&other, "k"), Some(round * 2 + 1));
        one.delete("k").wait().expect("deleted");
        other.read_after(&before).wait().expect("caught up");
    }
}

/// Rights that are taken away while it runs, and given back.
#[test]
fn rights_that_are_taken_away_and_given_back() {
    let server = Server::start(&[]);
    let (one, other, mut raw) = (node(&server), hasty(&server), server.raw());
    run(&mut raw, &["ACL", "SETUSER", "admin", "on", ">p", "+@all", "~*", "&*"]);
    run(&mut raw, &["AUTH", "admin", "p"]);
    for taken in
        [["-@all", "+@all"], ["resetkeys", "~*"], ["-@scripting", "+@scripting"], ["-client", "+client"]]
    {
        until("stored", SOON, || one.set("k", 1_u32, ttl::LONG).wait().is_ok());
        until("copied", SOON, || {
            other.lookup::<u32>("k").wait().is_ok_and(|hit| hit.is_some_and(|hit| hit.tier == Tier::L1))
        });
        run(&mut raw, &["ACL", "SETUSER", "default", taken[0]]);
        let place = name(&mut raw, "k");
        run(&mut raw, &["DEL", &place]);
        until(taken[0], SOON, || other.get::<u32>("k").wait().map_or(true, |value| value.is_none()));
        std::thread::sleep(Duration::from_millis(1500));
        let troubles = other.health().wait().expect("told").troubles;
        println!("{taken:?}: {troubles:?}");
        run(&mut raw, &["ACL", "SETUSER", "default", taken[1]]);
        until(taken[1], Duration::from_secs(20), || one.set("k", 2_u32, ttl::LONG).wait().is_ok());
        until("copied again", SOON * 2, || {
            other.lookup::<u32>("k").wait().is_ok_and(|hit| hit.is_some_and(|hit| hit.tier == Tier::L1))
        });
        one.set("k", 3_u32, ttl::LONG).wait().expect("stored");
        until("told again", SOON, || get(&other, "k") == Some(3));
    }
}

/// One namespace begins with the other's name.
#[test]
fn namespaces_that_begin_alike() {
    let server = Server::start(&[]);
    let spaces = ["", "a", "ab", "a{b}", "a%7Bb%7D", "{a", "a*", "a?b", "-"];
    let caches: Vec<(Larder, Larder)> = spaces
        .iter()
        .map(|space| {
            let redis = || wait(server.builder().namespace(*space).connect()).expect("a handle");
            (Larder::over(tiers(redis()).build()), Larder::over(tiers(redis()).build()))
        })
        .collect();
    let all = |what: &str| {
        for (number, (one, _)) in (0_u32..).zip(&caches) {
            one.set("k", number, Policy::ttl(ttl::LONG).tags(["t"])).wait().expect("stored");
        }
        for (number, (one, other)) in (0_u32..).zip(&caches) {
            warm(one, "k");
            warm(other, "k");
            assert_eq!((get(one, "k"), get(other, "k")), (Some(number), Some(number)), "{what}");
        }
    };
    type Do<'a> = &'a dyn Fn(&Larder);
    let changes: [(&str, Do<'_>); 4] = [
        ("clear", &|cache| cache.clear().wait().expect("done")),
        ("pattern", &|cache| cache.invalidate_pattern("*").wait().expect("done")),
        ("tag", &|cache| cache.invalidate_tag("t").wait().expect("done")),
        ("stale", &|cache| cache.mark_stale(Target::All).wait().expect("done")),
    ];
    for (what, change) in changes {
        for (struck, (one, _)) in caches.iter().enumerate() {
            all(what);
            change(one);
            until(what, SOON, || get(&caches[struck].1, "k").is_none());
            for (number, (one, other)) in caches.iter().enumerate() {
                let expected = (number != struck).then_some(number as u32);
                let found = (get(one, "k"), get(other, "k"));
                assert_eq!(
                    found,
                    (expected, expected),
                    "{what} of {:?} in {:?}",
                    spaces[struck],
                    spaces[number]
                );
            }
        }
    }
}

/// Memory in front of memory in front of Redis.
#[test]
fn three_tiers_are_acknowledged() {
    let server = Server::start(&[]);
    let three = || {
        let memory = |capacity| Arc::new(Memory::builder().capacity(capacity).build());
        let back = Arc::new(Tiered::builder(memory(100), Arc::new(server.redis())).build());
        Larder::over(Tiered::builder(memory(10), back).build())
    };
    let (one, other, plain) = (three(), three(), node(&server));
    until("settled", SOON * 3, || plain.invalidate("nothing").acked().wait().is_ok());
    for round in 1..40_u32 {
        let (writer, policy) =
            ([&one, &other, &plain][round as usize % 3], Policy::ttl(ttl::LONG).tags(["t"]));
        for cache in [&one, &other, &plain] {
            cache.get_or_compute("k", policy.clone(), move || round * 10);
        }
        match round % 4 {
            0 => writer.set("k", round * 10 + 1, policy).acked().wait(),
            1 => writer.invalidate_tag("t").acked().wait(),
            2 => writer.clear().acked().wait(),
            _ => writer.mark_stale(Target::Key("k")).acked().wait(),
        }
        .expect("acknowledged");
        let expected = (round % 4 == 0).then_some(round * 10 + 1);
        for cache in [&one, &other, &plain] {
            assert_eq!(get(cache, "k"), expected, "round {round}");
        }
        plain.invalidate("k").acked().wait().expect("acknowledged");
    }
}

/// What was marked stale stands in for a load that fails, cut off or not, and is never fresh.
#[test]
fn what_is_marked_stale_is_not_fresh_while_cut_off() {
    let mut server = Server::start(&[]);
    let (one, other) = (hasty(&server), hasty(&server));
    let policy = || Policy::ttl(ttl::LONG).sie(ttl::LONG).in_caller();
    one.set("k", 1_u32, policy()).wait().expect("stored");
    warm(&one, "k");
    warm(&other, "k");
    until("acked", SOON * 3, || one.mark_stale(Target::Key("k")).acked().wait().is_ok());
    let fails =
        |cache: &Larder| cache.try_get_or_compute("k", policy(), || Err::<u32, _>("no")).map(|value| *value);
    assert_eq!((get(&one, "k"), get(&other, "k")), (None, None));
    assert_eq!((fails(&one), fails(&other)), (Ok(1), Ok(1)));
    assert_eq!((get(&one, "k"), get(&other, "k")), (None, None), "a load that failed makes nothing fresh");
    server.kill();
    for _ in 0..20 {
        for cache in [&one, &other] {
            assert!(cache.get::<u32>("k").wait().map_or(true, |value| value.is_none()));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    println!("cut off: {:?} {:?}", fails(&one), fails(&other));
    assert!(one.invalidate("k").wait().is_err());
    assert_eq!(fails(&one), Err("no"), "it is invalid here");
    std::thread::sleep(Duration::from_secs(8));
    assert_eq!(fails(&other), Err("no"), "beyond what is believed while cut off");
}

/// Two databases of one Redis, one namespace: notices do not say of which.
#[test]
fn two_databases_of_one_redis() {
    let server = Server::start(&[]);
    let at = |db: i64| {
        let redis = wait(server.builder().database(db as _).connect()).expect("a handle");
        Larder::over(tiers(redis).build())
    };
    let fleets = [[at(0), at(0)], [at(1), at(1)]];
    std::thread::scope(|scope| {
        for fleet in &fleets {
            scope.spawn(|| {
                until("settled", SOON * 3, || fleet[0].invalidate("nothing").acked().wait().is_ok())
            });
        }
    });
    std::thread::scope(|scope| {
        for [one, other] in &fleets {
            scope.spawn(move || {
                let mut longest = Duration::ZERO;
                for version in 1..150_u32 {
                    other.get_or_compute("k", ttl::LONG, || 0_u32);
                    let began = Instant::now();
                    one.set("k", version, ttl::LONG).acked().wait().expect("acknowledged");
                    longest = longest.max(began.elapsed());
                    assert_eq!(get(other, "k"), Some(version));
                }
                println!("longest {longest:?}");
            });
        }
    });
}

/// A Redis becomes a copy of an older one, and its own master again.
#[test]
fn a_redis_that_takes_over_the_data_of_another() {
    let port = crate::common::free_port().to_string();
    let older = Server::start(&["--port", &port]);
    let server = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let (one, other, far) = (node(&server), hasty(&server), node(&server));
    one.set("k", 1_u32, Policy::ttl(ttl::LONG).tags(["t"])).wait().expect("stored");
    one.set("gone", 1_u32, Policy::ttl(ttl::LONG).tags(["t"])).wait().expect("stored");
    // The older one has what is there now.
    let (mut raw, mut raw_older) = (server.raw(), older.raw());
    for name in names(&mut raw, "*") {
        let dump: Vec<u8> = redis::cmd("DUMP").arg(&name).query(&mut raw).expect("dumped");
        let left: i64 = redis::cmd("PTTL").arg(&name).query(&mut raw).expect("told");
        let _: () = redis::cmd("RESTORE")
            .arg(&name)
            .arg(left.max(0))
            .arg(dump)
            .query(&mut raw_older)
            .expect("restored");
    }
    one.set("k", 2_u32, Policy::ttl(ttl::LONG).tags(["t"])).wait().expect("stored");
    one.delete("gone").wait().expect("deleted");
    for cache in [&one, &other] {
        warm(cache, "k");
    }
    run(&mut raw, &["REPLICAOF", "127.0.0.1", &port]);
    until("synchronised", SOON * 2, || {
        let info: String = redis::cmd("INFO").arg("replication").query(&mut raw).expect("told");
        info.contains("master_link_status:up")
    });
    std::thread::sleep(Duration::from_millis(200));
    run(&mut raw, &["REPLICAOF", "NO", "ONE"]);
    // What Redis has lost is lost; but memory is what Redis is.
    until("in use", SOON * 2, || far.set("probe", 1_u32, ttl::SHORT).wait().is_ok());
    let began = Instant::now();
    let bare = server.redis();
    let of_far = |key: &str| {
        bare.get(key, Kind::of::<u32>())
            .wait()
            .expect("read")
            .map(|entry| *entry.value.downcast::<u32>().expect("a number"))
    };
    for cache in [&one, &other] {
        for key in ["k", "gone"] {
            until(key, Duration::from_secs(8), || {
                cache.get::<u32>(key).wait().is_ok_and(|value| value.map(|value| *value) == of_far(key))
            });
        }
    }
    println!("k {:?} gone {:?}, after {:?}", of_far("k"), of_far("gone"), began.elapsed());
}

/// Who has closed is not waited for, also where its process lives on for two seconds and then is gone without a word (as
/// one whose cache is a `static`).
#[test]
fn who_has_closed_a_while_ago_is_not_waited_for() {
    let server = Server::start(&[]);
    let one = node(&server);
    let (proxy, url) = Proxy::start(&server);
    let other = Larder::over(tiers(wait(Redis::connect(&url)).expect("a handle")).build());
    until("settled", SOON * 3, || one.invalidate("nothing").acked().wait().is_ok());
    other.set("k", 1_u32, ttl::LONG).wait().expect("stored");
    warm(&other, "k");
    other.close(SOON).wait().expect("closed");
    std::thread::sleep(Duration::from_secs(2));
    proxy.mute.store(true, std::sync::atomic::Ordering::SeqCst);
    let began = Instant::now();
    one.invalidate("nothing").acked().wait().expect("acknowledged");
    assert!(began.elapsed() < Duration::from_secs(2), "waited for {:?}", began.elapsed());
}

/// Rights that are gone for longer than a lease.
#[test]
fn rights_that_are_gone_for_longer_than_a_lease() {
    let server = Server::start(&[]);
    let (one, other, mut raw) = (node(&server), hasty(&server), server.raw());
    run(&mut raw, &["ACL", "SETUSER", "admin", "on", ">p", "+@all", "~*", "&*"]);
    run(&mut raw, &["AUTH", "admin", "p"]);
    for taken in [["-@all", "+@all"], ["-@scripting", "+@scripting"], ["resetkeys", "~*"]] {
        until("stored", SOON, || one.set("k", 1_u32, ttl::LONG).wait().is_ok());
        until("copied", SOON * 2, || {
            other.lookup::<u32>("k").wait().is_ok_and(|hit| hit.is_some_and(|hit| hit.tier == Tier::L1))
        });
        run(&mut raw, &["ACL", "SETUSER", "default", taken[0]]);
        std::thread::sleep(Duration::from_millis(8200));
        let tier = other.lookup::<u32>("k").wait().map(|hit| hit.map(|hit| hit.tier));
        let troubles = other.health().wait().expect("told").troubles;
        println!("{taken:?}: {tier:?} {troubles:?}");
        assert!(
            !matches!(tier, Ok(Some(Tier::L1))),
            "{taken:?}: it believes memory for longer than its lease"
        );
        assert!(!troubles.is_empty());
        run(&mut raw, &["ACL", "SETUSER", "default", taken[1]]);
        until(taken[1], Duration::from_secs(10), || one.set("k", 2_u32, ttl::LONG).wait().is_ok());
        until("copied again", SOON, || {
            other.lookup::<u32>("k").wait().is_ok_and(|hit| hit.is_some_and(|hit| hit.tier == Tier::L1))
        });
        one.set("k", 3_u32, ttl::LONG).wait().expect("stored");
        until("told again", SOON, || get(&other, "k") == Some(3));
        until("well", SOON * 2, || other.health().wait().is_ok_and(|health| health.troubles.is_empty()));
        one.invalidate("k").acked().wait().expect("acknowledged");
    }
}
