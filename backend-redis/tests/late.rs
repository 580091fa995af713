//! What comes late or meets a full Redis: nothing struck is served again, and nobody else pays.

mod common;
#[path = "common/proxy.rs"]
mod proxy;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use backend_redis::Redis;
use cache_core::{Cache, Engine, Policy, Set, Strength, Target};
use common::plain::{MINUTE, SOON, get, is_up, names, put_tagged, run, tags, text};
use common::{Server, handle_at, until, wait};
use proxy::Proxy;

/// Between look-up and publication the tag is struck, and its mark lost (evicted, or deleted by anybody).
#[test]
fn a_mark_that_is_lost_during_a_publication_brings_nothing_back() {
    let server = Server::start(&[]);
    let (proxy, url) = Proxy::start(&server);
    let slow = handle_at(&url);
    let (other, mut client) = (server.redis(), server.raw());
    put_tagged(&slow, "warm", "v", &["x"], slow.fence("warm").wait().ok()).expect("every script is known");
    other.invalidate(Target::Tag("x"), Strength::Remove).wait().expect("struck");

    put_tagged(&other, "bystander", "old", &["t"], None).expect("stored");
    let fence = slow.fence("k").wait().expect("a fence");
    // The look-up passes, the publication does not.
    proxy.hold_after(1);
    let bears = tags(&["t"]);
    let set = Set { tags: &bears, fence: Some(fence), ..Set::new(MINUTE) };
    let published = slow.set("k", text("old"), set);
    until("it is held", SOON, || proxy.holds());
    other.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
    assert_eq!(get(&other, "bystander").expect("read"), None);
    for name in names(&mut client, "*:t:t") {
        run(&mut client, &["DEL", &name]);
    }
    assert_eq!(get(&other, "bystander").expect("read"), None);
    proxy.let_go();
    let stored = published.wait();
    let found = (get(&other, "k").expect("read"), get(&other, "bystander").expect("read"));
    assert_eq!(found, (None, None), "struck, and served again: {stored:?}");
}

/// Where Redis is full, to clear must make room.
#[test]
fn what_is_cleared_in_a_full_redis_is_swept() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let (redis, mut client) = (server.redis(), server.raw());
    for number in 0..200 {
        put_tagged(&redis, &format!("k:{number}"), &"v".repeat(1000), &[], None).expect("stored");
    }
    run(&mut client, &["CONFIG", "SET", "maxmemory", "1"]);
    redis.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
    run(&mut client, &["CONFIG", "SET", "maxmemory", "0"]);
    put_tagged(&redis, "new", "v", &[], None).expect("stored");
    redis.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
    std::thread::sleep(Duration::from_secs(2));
    let left = names(&mut client, "*:k:*").len();
    assert_eq!(left, 0, "what was cleared still takes the room");
}

/// Each clear sweeps by a scan of its own; many of them must not pile up.
#[test]
fn clears_in_a_row_do_not_pile_up_scans() {
    let server = Server::start(&[]);
    let (redis, mut client) = (server.redis(), server.raw());
    let fill = "for i = 1, 100000 do redis.call('SET', 'x:' .. i, '') end";
    redis::cmd("EVAL").arg(fill).arg(0).exec(&mut client).expect("filled");
    put_tagged(&redis, "k", "v", &[], None).expect("stored");
    let began = Instant::now();
    for _ in 0..300 {
        redis.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
    }
    let clears = began.elapsed();
    let mut worst = Duration::ZERO;
    for _ in 0..20 {
        let began = Instant::now();
        get(&redis, "k").expect("read");
        worst = worst.max(began.elapsed());
    }
    std::thread::sleep(Duration::from_secs(5));
    let info: String = redis::cmd("INFO").arg("commandstats").query(&mut client).expect("told");
    let scans = info.lines().find(|line| line.starts_with("cmdstat_scan")).unwrap_or("none").to_owned();
    let calls: u64 = scans.split(['=', ',']).nth(1).and_then(|calls| calls.parse().ok()).unwrap_or(0);
    assert!(calls < 10 * 200, "300 clears in {clears:?}, a get {worst:?} after them; {scans}");
}

/// One set that a full Redis refuses, and what becomes of everybody else's reads.
#[test]
fn a_refused_set_does_not_take_the_connection_from_readers() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let (redis, mut client) = (server.redis(), server.raw());
    put_tagged(&redis, "k", "v", &[], None).expect("stored");
    run(&mut client, &["CONFIG", "SET", "maxmemory", "1"]);
    let (mut failed, mut done) = (0, 0);
    for _ in 0..50 {
        let _ = put_tagged(&redis, "new", "v", &[], None);
        for _ in 0..5 {
            done += 1;
            failed += u32::from(get(&redis, "k").is_err());
            std::thread::sleep(Duration::from_millis(4));
        }
    }
    assert!(
        failed * 10 < done,
        "{failed} of {done} reads failed; {} reconnects",
        redis.connection().reconnects
    );
}

/// Called before an invalidation, not waited for, done after it.
#[test]
fn a_set_that_is_called_first_does_not_come_last() {
    let server = Server::start(&[]);
    let redis = server.redis();
    put_tagged(&redis, "warm", "v", &["t"], None).expect("stored");
    for _ in 0..20 {
        let bears = tags(&["t"]);
        let set = redis.set("k", text("old"), Set { tags: &bears, ..Set::new(MINUTE) });
        redis.invalidate(Target::Key("k"), Strength::Remove).wait().expect("removed");
        set.wait().expect("stored, or overtaken");
        assert_eq!(get(&redis, "k").expect("read"), None, "called first");
    }
}

/// The same of everything.
#[test]
fn a_set_that_is_called_before_a_clear_does_not_come_after_it() {
    let server = Server::start(&[]);
    let (redis, other) = (server.redis(), server.redis());
    put_tagged(&redis, "warm", "v", &["t"], None).expect("stored");
    for bears in [&["t"][..], &[]] {
        // So that this process thinks of an epoch that is over.
        other.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
        let bears = tags(bears);
        let set = redis.set("k", text("old"), Set { tags: &bears, ..Set::new(MINUTE) });
        redis.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
        set.wait().expect("stored, or overtaken");
        assert_eq!(get(&redis, "k").expect("read"), None, "cleared; tags {bears:?}");
    }
}

/// A set that says that it was done has been done.
#[test]
fn a_set_over_an_odd_lease_is_done() {
    let server = Server::start(&[]);
    let (redis, mut client) = (server.redis(), server.raw());
    put_tagged(&redis, "k", "old", &["t"], None).expect("stored");
    let name = names(&mut client, "*:k:k").remove(0);
    let from: &[u8] = b"\x00\x0f\xff\xff\xff\xff\xff\xf0";
    redis::cmd("SETRANGE").arg(&name).arg(4).arg(from).exec(&mut client).expect("written");
    assert_eq!(get(&redis, "k").expect("read"), None, "larder did not write that");
    let stored = put_tagged(&redis, "k", "new", &["t"], None);
    let found = get(&redis, "k").expect("read");
    assert!(stored.is_err() || found.as_deref() == Some("new"), "{stored:?}, and then {found:?}");
}

/// Versions only rise: whoever begins to read after an invalidation has returned sees nothing from before it.
#[test]
fn under_chaos_nothing_invalidated_is_served() {
    const KEYS: usize = 4;
    let server = Server::start(&[]);
    let handles: Vec<Redis> = (0..3).map(|_| wait(server.builder().connect()).expect("a handle")).collect();
    let source: Arc<[AtomicU64; KEYS]> = Arc::default();
    let floor: Arc<[AtomicU64; KEYS]> = Arc::default();
    let (over, broken) = (AtomicBool::new(false), std::sync::Mutex::new(Vec::new()));
    let hits = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for reader in 0..4 {
            let engine = Engine::new(handles[reader % 3].clone());
            let (source, floor, over, broken, hits) = (&source, &floor, &over, &broken, &hits);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let at = fastrand::usize(..KEYS);
                    let least = floor[at].load(Ordering::SeqCst);
                    let key = format!("k:{at}");
                    let policy = Policy::ttl(Duration::from_secs(20))
                        .tags(["all", ["t:0", "t:1", "t:2", "t:3"][at]])
                        .in_caller();
                    let mut loaded = false;
                    let value = engine.get_or_compute(&key, policy, || {
                        loaded = true;
                        let version = source[at].load(Ordering::SeqCst);
                        std::thread::sleep(Duration::from_micros(fastrand::u64(..2000)));
                        version
                    });
                    hits.fetch_add(u64::from(!loaded), Ordering::Relaxed);
                    if *value < least {
                        broken
                            .lock()
                            .expect("locked")
                            .push(format!("{key}: {value} after {least}, loaded {loaded}"));
                    }
                }
            });
        }
        for redis in &handles[..2] {
            let (source, floor, over) = (&source, &floor, &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let at = fastrand::usize(..KEYS);
                    let version = source[at].fetch_add(1, Ordering::SeqCst) + 1;
                    let (key, tag) = (format!("k:{at}"), format!("t:{at}"));
                    let target = match fastrand::u8(..6) {
                        0 => Target::Key(&key),
                        1 => Target::Tag(&tag),
                        2 => Target::Tag("all"),
                        3 => Target::Pattern("k:*"),
                        4 => Target::Pattern(&key),
                        _ => Target::All,
                    };
                    if redis.invalidate(target, Strength::Remove).wait().is_err() {
                        until("delivered", SOON, || is_up(redis) && redis.connection().queued == 0);
                    }
                    floor[at].fetch_max(version, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_micros(fastrand::u64(..6000)));
                }
            });
        }
        let (server, over, hits) = (&server, &over, &hits);
        scope.spawn(move || {
            let mut client = server.raw();
            let began = Instant::now();
            // On a busy machine for longer, until it shows something.
            let shows = || hits.load(Ordering::Relaxed) > 200 || began.elapsed() > Duration::from_secs(90);
            while began.elapsed() < Duration::from_secs(15) || !shows() {
                std::thread::sleep(Duration::from_millis(fastrand::u64(5..60)));
                let all: Vec<String> = redis::cmd("KEYS").arg("larder:*").query(&mut client).expect("names");
                let _: redis::RedisResult<redis::Value> = match fastrand::u8(..8) {
                    0 => redis::cmd("FLUSHALL").query(&mut client),
                    1 => redis::cmd("SCRIPT").arg("FLUSH").query(&mut client),
                    2 => redis::cmd("CLIENT")
                        .arg("KILL")
                        .arg("TYPE")
                        .arg("normal")
                        .arg("SKIPME")
                        .arg("yes")
                        .query(&mut client),
                    3 => {
                        server.signal("STOP");
                        std::thread::sleep(Duration::from_millis(50));
                        server.signal("CONT");
                        Ok(redis::Value::Nil)
                    }
                    _ => match all.get(fastrand::usize(..all.len().max(1))) {
                        Some(name) => redis::cmd("DEL").arg(name).query(&mut client),
                        None => Ok(redis::Value::Nil),
                    },
                };
            }
            over.store(true, Ordering::Relaxed);
        });
    });
    let broken = broken.into_inner().expect("locked");
    assert!(broken.is_empty(), "{} stale reads: {:?}", broken.len(), &broken[..broken.len().min(5)]);
    assert!(hits.load(Ordering::Relaxed) > 200, "{hits:?} hits: this shows nothing");
}
