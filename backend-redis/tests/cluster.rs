//! A Redis Cluster: the contract over three primaries, slots that move, primaries that die.
#![cfg(feature = "cluster")]

mod common;
#[path = "common/nodes.rs"]
mod nodes;
#[path = "common/proxy.rs"]
mod proxy;
#[path = "common/travel.rs"]
mod travel;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use backend_redis::Redis;
use cache_core::testing::conformance::{self, Subject};
use cache_core::testing::model;
use cache_core::{Cache, Engine, Kind, ManualClock, Set, Stored, Strength, Target, Tiered, Value, ttl};
use common::plain::{MINUTE, SOON, there};
use common::{Server, patient, until, wait};
use nodes::{Nodes, ask};
use proxy::Proxy;
use travel::Travelling;

const LONG: Duration = Duration::from_secs(1_000_000_000);

fn put(redis: &Redis, key: &str, bears: &[Box<str>]) -> cache_core::Result<Stored> {
    let set = Set { tags: bears, ..Set::new(MINUTE) };
    redis.set(key, Value::new(Arc::new(key.to_owned())), set).wait()
}

fn works(redis: &Redis) -> bool {
    (0..20).all(|probe| {
        let key = format!("probe:{probe}");
        put(redis, &key, &[]).is_ok() && there(redis, &key).is_ok_and(|there| there)
    })
}

fn troubles(redis: &Redis) -> String {
    redis.troubles().wait().expect("words").concat()
}

fn sizes(nodes: &Nodes) -> Vec<u64> {
    nodes.raws().iter_mut().map(|raw| ask(raw, &["DBSIZE"])).collect()
}

#[test]
fn a_cluster_keeps_the_contract() {
    let (nodes, clock) = (Nodes::start(0), ManualClock::new());
    let redis = wait(nodes.builder().max_load(LONG).connect()).expect("a handle");
    let cache = Travelling::new(redis, nodes.raws(), &clock);
    conformance::run(&Subject { cache: &cache, advance: &|by| clock.advance(by) });
}

#[test]
fn who_waits_for_a_load_is_told_on_a_cluster() {
    let nodes = Nodes::start(0);
    let handle = || wait(nodes.builder().connect()).expect("a handle");
    assert!(common::is_told(&handle(), &handle()));
}

#[test]
fn a_cluster_does_what_the_plain_backend_does() {
    let nodes = Nodes::start(0);
    let redis = wait(nodes.builder().max_load(LONG).connect()).expect("a handle");
    model::run(60, |clock| {
        nodes.raws().iter_mut().for_each(|raw| ask::<()>(raw, &["FLUSHALL"]));
        Travelling::new(redis.clone(), nodes.raws(), clock)
    });
}

#[test]
fn entries_are_on_all_primaries_and_found_there() {
    let nodes = Nodes::start(0);
    let redis = wait(nodes.builder().namespace("odd{names}[a]").connect()).expect("a handle");
    let other = wait(nodes.builder().connect()).expect("a handle");
    for redis in [&redis, &other] {
        let bears = ["t".into(), "{u}:x".into()];
        for number in 0..300 {
            put(redis, &format!("plain:{number}"), &[]).expect("stored");
            put(redis, &format!("tagged:{{{number}"), &bears).expect("stored");
            redis.incr(&format!("n}}{{:{number}"), 2, MINUTE).wait().expect("added");
        }
        // Braces in a namespace choose no slot.
        assert!(sizes(&nodes).iter().all(|size| *size > 100), "{:?}", sizes(&nodes));
        redis.invalidate(Target::Pattern("plain:1*"), Strength::Remove).wait().expect("struck");
        redis.invalidate(Target::Pattern("n}{:*"), Strength::Remove).wait().expect("struck");
        redis.invalidate(Target::Pattern("plain:2*"), Strength::MarkStale).wait().expect("struck");
        for number in 0..300 {
            let key = format!("plain:{number}");
            let entry = redis.get(&key, Kind::of::<String>()).wait().expect("read");
            let fresh = entry.map(|entry| !entry.left.fresh.is_zero());
            let expected = match number.to_string().as_bytes()[0] {
                b'1' => None,
                b'2' => Some(false),
                _ => Some(true),
            };
            assert_eq!(fresh, expected, "{key}");
            assert_eq!(redis.incr(&format!("n}}{{:{number}"), 1, MINUTE).wait().expect("added"), 1);
            assert!(there(redis, &format!("tagged:{{{number}")).expect("read"));
        }
        redis.invalidate(Target::Tag("{u}:x"), Strength::Remove).wait().expect("struck");
        assert!((0..300).all(|number| !there(redis, &format!("tagged:{{{number}")).expect("read")));
    }
    other.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
    redis.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
    until("what was is swept", SOON, || sizes(&nodes).iter().sum::<u64>() <= 4);
}

/// Ends a thread also where the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Moves slots that hold what the test has just stored, one by one: always to the server that is looked through before
/// the other, so that what has not been seen yet goes to where it will not be seen.
fn move_slots(nodes: &Nodes, over: &AtomicBool, moved: &AtomicU64) {
    let (from, to) = if nodes.ids[0] < nodes.ids[1] { (1, 0) } else { (0, 1) };
    let (mut raw, mut cursor) = (nodes.raw(from), "0".to_owned());
    while !over.load(Ordering::SeqCst) {
        let step = ["SCAN", &cursor, "MATCH", "*:k:k:*", "COUNT", "2000"];
        let (next, names): (String, Vec<String>) = ask(&mut raw, &step);
        if let Some(name) = names.first() {
            nodes.move_slot(ask(&mut raw, &["CLUSTER", "KEYSLOT", name]), from, to);
            moved.fetch_add(1, Ordering::SeqCst);
        }
        cursor = next;
    }
}

/// Slots move all the while: nothing is lost sight of.
#[test]
fn slots_that_move() {
    let nodes = Nodes::start(0);
    let redis = wait(nodes.builder().connect()).expect("a handle");
    until("in use", SOON, || works(&redis));
    // So that a scan takes its time.
    nodes.raws().iter_mut().for_each(|raw| ask::<()>(raw, &["DEBUG", "POPULATE", "60000"]));
    let (over, moved) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| move_slots(&nodes, &over, &moved));
        let _over = Over(&over);
        let began = Instant::now();
        let mut rounds = 0;
        while moved.load(Ordering::SeqCst) < 60 || rounds < 5 {
            assert!(began.elapsed() < Duration::from_secs(100), "it takes too long");
            let keys: Vec<String> = (0..200).map(|number| format!("k:{rounds}:{number}")).collect();
            for key in &keys {
                put(&redis, key, &[]).expect("stored");
                assert!(there(&redis, key).expect("read"), "{key}");
            }
            redis.invalidate(Target::Pattern("k:*"), Strength::Remove).wait().expect("struck");
            let left: Vec<_> = keys.iter().filter(|key| there(&redis, key).expect("read")).collect();
            assert!(left.is_empty(), "after {} slots have moved: {left:?}", moved.load(Ordering::SeqCst));
            rounds += 1;
        }
    });
}

#[test]
fn a_primary_that_dies_is_followed_and_what_it_lost_is_not_served() {
    let mut nodes = Nodes::start(1);
    let redis = wait(nodes.hasty().connect()).expect("a handle");
    until("in use", SOON, || works(&redis));
    // Keys that stand on the node that will die.
    let keys: Vec<String> = (0..60).map(|number| format!("k:{number}")).collect();
    keys.iter().for_each(|key| assert_eq!(put(&redis, key, &[]).expect("stored"), Stored::Yes));
    ask::<u64>(&mut nodes.raw(0), &["WAIT", "1", "5000"]);
    nodes.all[3].signal("STOP");
    ask::<u64>(&mut nodes.raw(0), &["CLIENT", "KILL", "TYPE", "replica"]);
    for key in &keys {
        redis.invalidate(Target::Key(key), Strength::Remove).wait().expect("acknowledged");
    }
    nodes.all[0].kill();
    nodes.all[3].signal("CONT");
    let engine = Engine::new(redis.clone());
    for load in 0..20 {
        assert_eq!(*engine.get_or_compute(format!("load:{load}"), ttl::SHORT, || load), load);
    }
    until("the replica leads", Duration::from_secs(30), || {
        ask::<String>(&mut nodes.raw(3), &["INFO", "replication"]).contains("role:master")
    });
    until("in use again", SOON, || works(&redis));
    let back: Vec<_> = keys.iter().filter(|key| there(&redis, key).expect("read")).collect();
    assert!(back.is_empty(), "{back:?}");
    assert_eq!(troubles(&redis), "");
}

#[test]
fn without_one_of_its_primaries_loads_go_on_and_it_comes_back() {
    let mut nodes = Nodes::start(0);
    let redis = wait(nodes.hasty().connect()).expect("a handle");
    until("in use", SOON, || works(&redis));
    nodes.all[1].kill();
    until("it is noticed", SOON, || !troubles(&redis).is_empty());
    let (engine, began) = (Engine::new(redis.clone()), Instant::now());
    for load in 0..50 {
        assert_eq!(*engine.get_or_compute(format!("load:{load}"), ttl::SHORT, || load), load);
    }
    assert!(began.elapsed() < Duration::from_secs(1), "fifty loads took {:?}", began.elapsed());
    nodes.all[1].restart();
    nodes.until_well();
    until("in use again", SOON, || works(&redis));
    assert_eq!(troubles(&redis), "");
}

/// One that has met nobody does not know its own address.
#[test]
fn a_cluster_of_one() {
    let (port, bus) = (common::free_port().to_string(), common::free_port().to_string());
    let server = Server::start(&["--port", &port, "--cluster-port", &bus, "--cluster-enabled", "yes"]);
    let redis = wait(Redis::cluster(&[&format!("redis://127.0.0.1:{port}/")]).connect()).expect("a handle");
    assert!(!troubles(&redis).is_empty(), "nobody has the slots");
    ask::<()>(&mut server.raw(), &["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    until("in use", SOON, || works(&redis));
    redis.invalidate(Target::Pattern("probe:1*"), Strength::Remove).wait().expect("struck");
    assert!(!there(&redis, "probe:11").expect("read") && there(&redis, "probe:2").expect("read"));
    assert_eq!(troubles(&redis), "");
}

#[test]
fn what_is_mistaken_for_something_else_is_told() {
    let (nodes, server) = (Nodes::start(0), Server::start(&[]));
    let single = wait(Redis::at("127.0.0.1", nodes.ports[0]).connect()).expect("a handle");
    assert!(troubles(&single).contains("Redis::cluster"), "{}", troubles(&single));
    let port = common::free_port();
    ask::<()>(&mut server.raw(), &["CONFIG", "SET", "port", &port.to_string()]);
    let cluster = wait(Redis::cluster(&[&format!("redis://127.0.0.1:{port}/")]).connect()).expect("a handle");
    assert!(!troubles(&cluster).is_empty());
    for builder in [Redis::cluster(&[]), nodes.builder().database(1)] {
        let error = wait(builder.connect()).expect_err("it cannot be");
        assert_eq!(error.kind(), cache_core::ErrorKind::InvalidConfig);
    }
}

/// Memory of a node's own, in front of the cluster; and what it reads.
fn in_front(redis: Redis) -> Tiered {
    let memory = cache_core::testing::Plain::default();
    Tiered::builder(Arc::new(memory), Arc::new(redis)).cut_off_ttl(Duration::from_millis(500)).build()
}

fn number(cache: &Tiered, key: &str) -> u64 {
    let entry = cache.get(key, Kind::of::<u64>()).wait().expect("read").expect("it is there");
    *entry.value.downcast::<u64>().expect("a number")
}

/// The ask is told by one server, and what it is about by others: those are asked before it is answered.
#[test]
fn what_is_acknowledged_on_a_cluster_nobody_reads_as_it_was_before() {
    let nodes = Nodes::start(0);
    let caches: Vec<Tiered> =
        (0..3).map(|_| in_front(wait(nodes.builder().connect()).expect("a handle"))).collect();
    let store = |cache: &Tiered, key: &str, value: u64| {
        let set = Set::new(MINUTE);
        assert_eq!(cache.set(key, Value::new(Arc::new(value)), set).wait().expect("stored"), Stored::Yes);
    };
    caches[0].acknowledged().wait().expect("acknowledged");
    for round in 1..200_u64 {
        // Of each server some.
        let key = format!("k:{}", round % 40);
        store(&caches[0], &key, round);
        // Into the memory of each.
        caches.iter().for_each(|cache| assert!(number(cache, &key) > 0));
        let writer = &caches[(round % 3) as usize];
        store(writer, &key, round + 1000);
        if round % 2 == 0 {
            writer.acknowledged().wait().expect("acknowledged");
        } else {
            let token = writer.token().wait().expect("a token");
            caches.iter().for_each(|cache| cache.read_after(&token).wait().expect("caught up"));
        }
        for (at, cache) in caches.iter().enumerate() {
            assert_eq!(number(cache, &key), round + 1000, "node {at}, round {round}");
        }
    }
}

/// The ask comes at once, over the one connection, and what it is about is late on another.
#[test]
fn an_ask_that_overtakes_what_it_is_about_is_answered_behind_it() {
    let nodes = Nodes::start(0);
    let (mut proxies, mut urls) = (Vec::new(), Vec::new());
    for (number, node) in nodes.all.iter().enumerate() {
        let (proxy, url) = Proxy::start(node);
        let port = url.trim_end_matches('/').rsplit(':').next().expect("a port").to_owned();
        ask::<()>(&mut nodes.raw(number), &["CONFIG", "SET", "cluster-announce-port", &port]);
        proxies.push(proxy);
        urls.push((url, port));
    }
    until("all know where all are", SOON * 4, || {
        let known: Vec<String> = nodes.raws().iter_mut().map(|raw| ask(raw, &["CLUSTER", "NODES"])).collect();
        known.iter().all(|known| urls.iter().all(|(_, port)| known.contains(&format!(":{port}@"))))
    });
    let cache = || {
        let urls: Vec<&str> = urls.iter().map(|(url, _)| &**url).collect();
        in_front(wait(patient(Redis::cluster(&urls)).connect()).expect("a handle"))
    };
    let one = cache();
    one.acknowledged().wait().expect("acknowledged");
    for proxy in &proxies {
        proxy.late_from.store(proxy.connections.load(Ordering::SeqCst), Ordering::SeqCst);
    }
    let other = cache();
    // Of this server come the asks, and the tokens.
    let slot: u16 = ask(&mut nodes.raw(0), &["CLUSTER", "KEYSLOT", "larder::{:order}"]);
    let first = usize::from(slot / 5461).min(2);
    for (_, proxy) in proxies.iter().enumerate().filter(|(number, _)| *number != first) {
        proxy.late.store(60, Ordering::SeqCst);
    }
    let store = |key: &str, value: u64| {
        one.set(key, Value::new(Arc::new(value)), Set::new(MINUTE)).wait().expect("stored");
    };
    let mut late = 0;
    for round in 1..25_u64 {
        let key = format!("k:{round}");
        store(&key, 1);
        // What is copied before the word of that has come is void.
        until("copied", SOON, || number(&other, &key) == 1 && other.fresh(&key).is_some());
        store(&key, 2);
        match round % 3 {
            0 => late += u32::from(number(&other, &key) == 1),
            1 => one.acknowledged().wait().expect("acknowledged"),
            _ => {
                let token = one.token().wait().expect("a token");
                other.read_after(&token).wait().expect("caught up");
            }
        }
        assert!(round % 3 == 0 || number(&other, &key) == 2, "round {round}");
    }
    assert!(late > 0, "no word is ever late: then this test says nothing");
}

/// Somebody writes a list under one name: whoever reads other keys in the same turn must not suffer, nor does a tag.
#[test]
fn a_foreign_list_harms_no_other_key() {
    let nodes = Nodes::start(0);
    let redis = wait(nodes.builder().connect()).expect("a handle");
    let bears = ["t".into()];
    for (key, bears) in [("a", &[][..]), ("b", &[]), ("c", &bears)] {
        put(&redis, key, bears).expect("stored");
    }
    for raw in &mut nodes.raws() {
        for ends in ["*:k:b", "load-*:t:t"] {
            for name in ask::<Vec<String>>(raw, &["KEYS", ends]) {
                ask::<u32>(raw, &["DEL", &name]);
                ask::<u32>(raw, &["LPUSH", &name, "theirs"]);
            }
        }
    }
    let kind = cache_core::Kind::of::<String>();
    let turn: Vec<_> = (0..20).flat_map(|_| ["a", "b", "c"]).map(|key| (key, redis.get(key, kind))).collect();
    for (key, found) in turn {
        assert_eq!(found.wait().expect("read").is_some(), key == "a", "{key}");
    }
}

#[test]
fn its_connections_have_a_name() {
    let nodes = Nodes::start(0);
    let redis = wait(nodes.builder().namespace("school").connect()).expect("a handle");
    assert!(works(&redis));
    for mut raw in nodes.raws() {
        let clients: String = ask(&mut raw, &["CLIENT", "LIST"]);
        assert!(clients.contains(" name=larder:school "), "{clients}");
    }
}
