//! What is acknowledged nobody reads as it was before; and tokens.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use larder::{ErrorKind, Larder, Policy, Redis, Target, Tier, Token, ttl};

use crate::common::plain::{SOON, run};
use crate::common::{Server, handle_at, until, wait};
use crate::proxy::Proxy;
use crate::{node, tiers};

/// How long what one node has is believed while it is cut off, so that tests need not wait for long; and its lease.
const BELIEF: Duration = Duration::from_millis(500);
const LEASE: Duration = Duration::from_millis(3500);
/// Of those who may have been there before the first of a fleet.
const BEFORE: Duration = Duration::from_secs(8);
/// A busy machine's.
const SLACK: Duration = Duration::from_secs(5);

fn quick(redis: Redis) -> Larder {
    Larder::over(tiers(redis).cut_off_ttl(BELIEF).build())
}

/// One that comes to the Redis through a proxy, and gives up what does not answer as a program would.
fn through(server: &Server) -> (Proxy, Larder) {
    let (proxy, url) = Proxy::start(server);
    (proxy, quick(wait(Redis::connect(&url)).expect("a handle")))
}

fn get(cache: &Larder, key: &str) -> Option<u64> {
    cache.get::<u64>(key).wait().expect("read").map(|value| *value)
}

/// Reads `key` until it comes from memory.
fn warm(cache: &Larder, key: &str) {
    until("copied", SOON, || {
        cache.lookup::<u64>(key).wait().is_ok_and(|hit| hit.is_some_and(|hit| hit.tier == Tier::L1))
    });
}

/// So long it takes until `cache` has been told by everybody.
fn acked(cache: &Larder) -> Duration {
    let began = Instant::now();
    cache.invalidate("nothing").acked().wait().expect("acknowledged");
    began.elapsed()
}

/// Until nobody waits any more for who may have been there before.
fn settled(cache: &Larder) {
    let took = acked(cache);
    assert!(took < BEFORE + SLACK, "{took:?}");
}

#[test]
fn what_is_acknowledged_no_node_reads_as_it_was_before() {
    let server = Server::start(&[]);
    let mut nodes: Vec<Larder> = (0..3).map(|_| node(&server)).collect();
    // What this one is told comes late: to be acknowledged is more than to be answered.
    let (proxy, url) = Proxy::start(&server);
    nodes.push(node_at(&url));
    settled(&nodes[0]);
    let (source, stop) = ([const { AtomicU64::new(0) }; 8], AtomicBool::new(false));
    let policy = || Policy::ttl(ttl::LONG).tags(["t"]).in_caller();
    let read = |node: &Larder, at: usize| {
        *node.get_or_compute(format!("k:{at}"), policy(), || source[at].load(Ordering::SeqCst))
    };
    proxy.late.store(20, Ordering::SeqCst);
    let mut late = 0;
    std::thread::scope(|scope| {
        for node in &nodes {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    read(node, fastrand::usize(..8));
                    std::thread::sleep(Duration::from_micros(200));
                }
            });
        }
        // Also where the rest panics.
        let _stops = Stops(&stop);
        for round in 0..60 {
            let at = fastrand::usize(..8);
            nodes.iter().for_each(|node| assert!(read(node, at) < u64::MAX));
            let version = source[at].fetch_add(1, Ordering::SeqCst) + 1;
            let (cache, key) = (&nodes[round % 3], format!("k:{at}"));
            let reply = match round % 5 {
                0 => cache.invalidate_tag("t"),
                1 => cache.set(&key, version, policy()),
                2 => cache.invalidate(Target::Pattern("k:*")),
                3 => cache.clear(),
                _ => cache.invalidate(&key),
            };
            if round < 50 {
                reply.acked().wait().expect("acknowledged");
                for (number, node) in nodes.iter().enumerate() {
                    let read = read(node, at);
                    assert!(read >= version, "round {round}: node {number} reads {read} after {version}");
                }
            } else {
                reply.wait().expect("done");
                late += u32::from(read(&nodes[3], at) < version);
            }
        }
    });
    assert!(late > 0, "the word is never late: then this test says nothing");
}

struct Stops<'s>(&'s AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn node_at(url: &str) -> Larder {
    Larder::over(tiers(handle_at(url)).build())
}

#[test]
fn who_presents_a_token_sees_at_least_that() {
    let server = Server::start(&[]);
    let (proxy, url) = Proxy::start(&server);
    let (one, other) = (node(&server), node_at(&url));
    let old = one.token().wait().expect("a token");
    one.set("k", 0_u64, ttl::LONG).wait().expect("stored");
    proxy.late.store(100, Ordering::SeqCst);
    let mut late = 0;
    for version in 1..10 {
        warm(&other, "k");
        one.set("k", version, ttl::LONG).wait().expect("stored");
        let cookie = one.token().wait().expect("a token").to_string();
        late += u32::from(get(&other, "k") != Some(version));
        let token: Token = cookie.parse().expect("a token");
        other.read_after(&token).wait().expect("caught up");
        assert_eq!(get(&other, "k"), Some(version));
        // Known by now.
        let trips = proxy.trips.load(Ordering::SeqCst);
        for token in [&token, &old] {
            assert!(
                matches!(other.read_after(token), larder::Reply::Ready(Ok(()))),
                "{token} after {cookie}"
            );
        }
        assert!(proxy.trips.load(Ordering::SeqCst) <= trips + 1, "but for a beat");
    }
    assert!(late > 0, "the word is never late: then this test says nothing");
    // Of another Redis, or of this one before it lost its memory: nobody knows, so all that is there is waited for.
    other.read_after(&Token::new(7, 1)).wait().expect("caught up");
}

#[test]
fn tokens_are_fit_for_a_cookie_and_bad_ones_are_refused() {
    let server = Server::start(&[]);
    let cache = node(&server);
    let tokens: Vec<String> = (0..3).map(|_| cache.token().wait().expect("a token").to_string()).collect();
    for token in &tokens {
        assert!(token.len() < 40 && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        let header = format!("Set-Cookie: seen={token}; Path=/");
        let back = header.split(['=', ';']).nth(1).expect("a value");
        assert_eq!(back.parse::<Token>().expect("a token").to_string(), *token);
    }
    assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2]);
    for bad in ["", "nonsense", &tokens[0].to_uppercase().replace('-', "_"), &format!("{}\r\n", tokens[0])] {
        let error = bad.parse::<Token>().expect_err("it is none");
        assert_eq!(error.kind(), ErrorKind::InvalidToken, "{error}");
    }
}

#[test]
fn a_node_that_is_cut_off_delays_by_its_lease_and_is_not_believed_after_it() {
    let server = Server::start(&[]);
    let (one, (proxy, other)) = (quick(server.redis()), through(&server));
    settled(&one);
    assert!(acked(&one) < LEASE / 2, "everybody is there");
    one.set("k", 1_u64, ttl::LONG).wait().expect("stored");
    warm(&other, "k");
    proxy.mute.store(true, Ordering::SeqCst);
    let began = Instant::now();
    one.set("k", 2_u64, ttl::LONG).acked().wait().expect("acknowledged");
    let took = began.elapsed();
    assert!(took > BELIEF && took < LEASE + SLACK, "{took:?}");
    let read = *other.get_or_compute("k", Policy::ttl(ttl::LONG).in_caller(), || 3_u64);
    assert!(read > 1, "{read}: it was acknowledged that nobody has it any more");
    assert!(other.read_after(&Token::new(7, 1)).wait().is_err(), "it cannot know");
    assert!(acked(&one) < LEASE / 2, "nobody waits for it again");
    proxy.mute.store(false, Ordering::SeqCst);
    until("back", SOON, || {
        other.get::<u64>("k").wait().is_ok_and(|value| value.is_some_and(|value| *value == 2))
    });
    assert!(acked(&one) < LEASE / 2, "it is there again");
}

#[test]
fn who_leaves_is_not_waited_for() {
    // These nodes' leases run for eight seconds.
    const NOT_WAITED: Duration = Duration::from_secs(5);
    let server = Server::start(&[]);
    let (one, other) = (node(&server), node(&server));
    settled(&one);
    warm_up(&other);
    drop(other);
    assert!(acked(&one) < NOT_WAITED, "its last handle is gone");
    let other = node(&server);
    warm_up(&other);
    other.close(SOON).wait().expect("closed");
    assert!(acked(&one) < NOT_WAITED, "it is closed");
    // It may go on; then it is there again.
    warm(&other, "k");
    one.set("k", 7_u64, ttl::LONG).acked().wait().expect("acknowledged");
    assert_eq!(get(&other, "k"), Some(7));
}

fn warm_up(cache: &Larder) {
    cache.set("k", 1_u64, ttl::LONG).wait().expect("stored");
    warm(cache, "k");
}

/// Who was there is forgotten: those whom nobody knows may have memory for as long as a lease.
#[test]
fn a_flushed_redis_is_waited_for_once() {
    let server = Server::start(&[]);
    let (one, other) = (quick(server.redis()), quick(server.redis()));
    settled(&one);
    assert!(acked(&one) < LEASE / 2);
    run(&mut server.raw(), &["FLUSHALL"]);
    let took = acked(&one);
    assert!(took > LEASE / 2 && took < BEFORE + SLACK, "{took:?}");
    one.set("k", 1_u64, ttl::LONG).wait().expect("stored");
    warm(&other, "k");
    one.set("k", 2_u64, ttl::LONG).acked().wait().expect("acknowledged");
    assert_eq!(get(&other, "k"), Some(2));
    assert!(acked(&one) < LEASE / 2, "once");
}

/// A process that was stopped knows nothing of it when it goes on, and nobody has waited for it: it must not serve what it
/// had before anybody tells it.
#[test]
fn a_process_that_was_stopped_beyond_its_lease_does_not_serve_what_it_had() {
    let server = Server::start(&[]);
    let (one, (proxy, url)) = (quick(server.redis()), Proxy::start(&server));
    settled(&one);
    one.set("k", 1_u64, ttl::LONG).wait().expect("stored");
    let this = std::env::current_exe().expect("this test");
    let mut command = Command::new(this);
    command.args(["acked::the_process_that_is_stopped", "--exact", "--ignored", "--nocapture"]);
    let mut child = command.env("LARDER_TEST_URL", url).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut said = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut says = |what: &str| {
        let line = said.find_map(|line| line.ok().filter(|line| line.contains(what)));
        line.unwrap_or_else(|| panic!("it ends without {what:?}"))
    };
    says("warm");
    let signal = |signal: &str| {
        let status = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    };
    signal("-STOP");
    proxy.mute.store(true, Ordering::SeqCst);
    let began = Instant::now();
    one.set("k", 2_u64, ttl::LONG).acked().wait().expect("acknowledged");
    let took = began.elapsed();
    assert!(took > BELIEF && took < LEASE + SLACK, "{took:?}");
    signal("-CONT");
    let read = says("after a pause");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(!read.contains("Some(1)"), "{read}");
}

#[test]
#[ignore = "another test runs it in a process of its own"]
fn the_process_that_is_stopped() {
    let url = std::env::var("LARDER_TEST_URL").expect("where Redis is");
    let cache = quick(wait(Redis::connect(&url)).expect("a handle"));
    warm(&cache, "k");
    println!("warm");
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let before = Instant::now();
        assert!(before < end, "nobody stops it");
        std::thread::sleep(Duration::from_millis(5));
        drop(cache.get::<u64>("k").wait());
        if before.elapsed() > Duration::from_secs(1) {
            // Until the thread that keeps the time has had its turn.
            std::thread::sleep(Duration::from_millis(60));
            println!("after a pause: {:?}", cache.get::<u64>("k").wait().ok().flatten());
            return;
        }
    }
}

/// What evicts the record of the fleet alone.
#[test]
fn a_lost_record_of_the_fleet_loses_nobody() {
    let server = Server::start(&[]);
    let (one, (proxy, other)) = (quick(server.redis()), through(&server));
    settled(&one);
    one.set("k", 1_u64, ttl::LONG).wait().expect("stored");
    warm(&other, "k");
    proxy.mute.store(true, Ordering::SeqCst);
    let name = crate::common::plain::names(&mut server.raw(), "load-*:fleet").remove(0);
    run(&mut server.raw(), &["UNLINK", &name]);
    one.set("k", 2_u64, ttl::LONG).acked().wait().expect("acknowledged");
    let read = *other.get_or_compute("k", Policy::ttl(ttl::LONG).in_caller(), || 3_u64);
    assert!(read > 1, "{read}: it may have been forgotten, and is waited for all the same");
}

#[test]
fn nodes_that_are_told_nothing_are_waited_for_too() {
    let server = Server::start(&[]);
    // Nor may it hear what they publish.
    let rights = ["ACL", "SETUSER", "quiet", "on", ">pw", "~*", "resetchannels", "+@all", "-client|tracking"];
    run(&mut server.raw(), &rights);
    let quiet = server.url() + "?user=quiet&pass=pw";
    let (one, other) =
        (node(&server), Larder::over(tiers(wait(Redis::connect(&quiet)).expect("a handle")).build()));
    let is_untold =
        || other.health().wait().expect("health").remote.is_some_and(|remote| remote.untold.is_some());
    until("refused", SOON, is_untold);
    settled(&one);
    for version in 1..4 {
        one.set("k", version, ttl::LONG).wait().expect("stored");
        let seen = || get(&other, "k") == Some(version);
        until("its own time", SOON, seen);
        warm(&other, "k");
        one.set("k", version + 10, ttl::LONG).wait().expect("stored");
        assert_eq!(get(&other, "k"), Some(version), "it is told nothing");
        if version == 1 {
            let token = one.token().wait().expect("a token");
            other.read_after(&token).wait().expect("caught up");
        } else {
            let took = acked(&one);
            assert!(took < Duration::from_secs(4), "{took:?}: with its next beat");
        }
        assert_eq!(get(&other, "k"), Some(version + 10));
    }
}

/// Where nothing can be stored, changes are acknowledged all the same.
#[test]
fn a_redis_that_is_full_acknowledges() {
    let server = Server::start(&[]);
    let (one, other) = (quick(server.redis()), quick(server.redis()));
    settled(&one);
    one.set("k", 1_u64, ttl::LONG).wait().expect("stored");
    warm(&other, "k");
    run(&mut server.raw(), &["CONFIG", "SET", "maxmemory", "1"]);
    one.set("l", 1_u64, ttl::LONG).wait().expect_err("it is full");
    one.invalidate("k").acked().wait().expect("acknowledged");
    assert_eq!(get(&other, "k"), None);
    other.read_after(&one.token().wait().expect("a token")).wait().expect("caught up");
    // For longer than a lease.
    std::thread::sleep(LEASE + Duration::from_secs(1));
    let took = acked(&one);
    assert!(took < LEASE / 2, "{took:?}: all are there");
    run(&mut server.raw(), &["CONFIG", "SET", "maxmemory", "0"]);
    warm_up(&one);
    warm(&other, "k");
}

/// A node that has just begun is not known yet: so it has nothing.
#[test]
fn a_node_that_begins_believes_nothing_before_it_is_known() {
    let server = Server::start(&[]);
    let one = node(&server);
    settled(&one);
    for round in 0..40 {
        one.set("k", round, ttl::LONG).wait().expect("stored");
        let other = node(&server);
        assert_eq!(get(&other, "k"), Some(round));
        one.set("k", round + 100, ttl::LONG).acked().wait().expect("acknowledged");
        assert_eq!(get(&other, "k"), Some(round + 100));
    }
}

/// Of two caches over one handle, the second is told nothing.
#[test]
fn a_second_cache_over_one_handle_is_waited_for_too() {
    let server = Server::start(&[]);
    let (one, shared) = (node(&server), server.redis());
    let [_first, second] = [shared.clone(), shared].map(|redis| Larder::over(tiers(redis).build()));
    settled(&one);
    one.set("k", 1_u64, ttl::LONG).wait().expect("stored");
    warm(&second, "k");
    one.set("k", 2_u64, ttl::LONG).wait().expect("stored");
    assert_eq!(get(&second, "k"), Some(1), "it is told nothing");
    acked(&one);
    assert_eq!(get(&second, "k"), Some(2));
    one.set("k", 3_u64, ttl::LONG).wait().expect("stored");
    // Nor does anybody join what it had begun to load.
    let (begun, go_on) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let loader = second.clone();
    let loads = std::thread::spawn(move || {
        *loader.get_or_compute("l", Policy::ttl(ttl::LONG).in_caller(), || {
            begun.0.send(()).expect("somebody waits");
            go_on.1.recv().expect("somebody lets it go on");
            1_u64
        })
    });
    begun.1.recv().expect("it loads");
    one.invalidate("l").acked().wait().expect("acknowledged");
    assert_eq!(*second.get_or_compute("l", Policy::ttl(ttl::LONG).in_caller(), || 2_u64), 2);
    go_on.0.send(()).expect("it waits");
    assert_eq!(loads.join().expect("it ends"), 1);
    second.read_after(&one.token().wait().expect("a token")).wait().expect("caught up");
    assert_eq!(get(&second, "k"), Some(3));
}

/// Nor does the second one keep anything that nobody would wait for.
#[test]
fn a_second_cache_over_a_handle_that_is_not_known_keeps_nothing() {
    let server = Server::start(&[]);
    let (one, (proxy, url)) = (node(&server), Proxy::start(&server));
    settled(&one);
    one.set("k", 0_u64, ttl::LONG).wait().expect("stored");
    let builder = Redis::builder(&url).response_timeout(SOON).operation_timeout(SOON);
    let shared = wait(builder.connect()).expect("a handle");
    // Until it is known there are some round trips.
    proxy.late.store(150, Ordering::SeqCst);
    let [first, second] = [shared.clone(), shared].map(|redis| Larder::over(tiers(redis).build()));
    assert_eq!(get(&second, "k"), Some(0));
    one.set("k", 1_u64, ttl::LONG).acked().wait().expect("acknowledged");
    assert_eq!(get(&second, "k"), Some(1), "not known yet");
    proxy.late.store(0, Ordering::SeqCst);
    for version in 2..6 {
        first.close(SOON).wait().expect("closed");
        warm(&second, "k");
        one.set("k", version, ttl::LONG).acked().wait().expect("acknowledged");
        assert_eq!(get(&second, "k"), Some(version), "not known any more");
    }
}

/// Nor is its load joined by who comes after what is acknowledged, whether it began before that or after.
#[test]
fn a_load_of_who_has_closed_is_not_joined() {
    let server = Server::start(&[]);
    let (one, (proxy, url)) = (node(&server), Proxy::start(&server));
    let other = node_at(&url);
    settled(&one);
    for (key, closes_first) in [("closes", false), ("closed", true)] {
        let close = || other.close(SOON).wait().expect("closed");
        let load = |cache: &Larder, value: u64| {
            *cache.get_or_compute(key, Policy::ttl(ttl::LONG).in_caller(), || value)
        };
        let (begun, go_on) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
        let loader = other.clone();
        if closes_first {
            close();
        }
        let loads = std::thread::spawn(move || {
            *loader.get_or_compute(key, Policy::ttl(ttl::LONG).in_caller(), || {
                begun.0.send(()).expect("somebody waits");
                go_on.1.recv().expect("somebody lets it go on");
                1_u64
            })
        });
        begun.1.recv().expect("it loads");
        if !closes_first {
            close();
        }
        proxy.late.store(300, Ordering::SeqCst);
        one.invalidate(key).acked().wait().expect("acknowledged");
        std::thread::scope(|scope| {
            let late = scope.spawn(|| load(&other, 2));
            // It joins at once, if it does.
            std::thread::sleep(Duration::from_millis(100));
            go_on.0.send(()).expect("it waits");
            assert_eq!(late.join().expect("it ends"), 2, "{key}");
        });
        assert_eq!(loads.join().expect("it ends"), 1);
        proxy.late.store(0, Ordering::SeqCst);
    }
}

#[test]
fn what_is_not_delivered_is_not_acknowledged() {
    let mut server = Server::start(&[]);
    let cache = node(&server);
    settled(&cache);
    server.kill();
    until("noticed", SOON, || cache.get::<u64>("k").wait().is_err());
    let error = cache.invalidate("k").acked().wait().expect_err("Redis is away");
    assert_eq!(error.kind(), ErrorKind::Queued, "{error}");
    let error = cache.token().wait().expect_err("Redis is away");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let error = cache.read_after(&Token::new(7, 1)).wait().expect_err("Redis is away");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    server.restart();
    until("in use", SOON, || cache.invalidate("k").acked().wait().is_ok());
}

/// Memory alone, and what nobody tells anything of.
#[test]
fn without_others_there_is_nobody_to_wait_for() {
    let memory = Larder::memory(100);
    memory.set("k", 1_u64, ttl::LONG).acked().wait().expect("acknowledged");
    assert!(matches!(memory.invalidate("k"), larder::Reply::Ready(Ok(()))));
    memory.read_after(&memory.token().wait().expect("a token")).wait().expect("nothing to wait for");
}
