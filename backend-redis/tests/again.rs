//! Sets that have to be done again, as the epoch that they were sent in is over.

mod common;
#[path = "common/fake.rs"]
mod fake;
#[path = "common/proxy.rs"]
mod proxy;

use std::sync::atomic::Ordering;
use std::time::Duration;

use backend_redis::Redis;
use cache_core::{Cache, ErrorKind, Set, Stored, Strength, Target};
use common::plain::{MINUTE, SOON, get, is_up, put, put_tagged, run, tags, text};
use common::{Server, handle_at, until, wait};
use fake::Fake;
use proxy::Proxy;

const MS: Duration = Duration::from_millis(1);

/// Another key is invalidated while the set finds out that its epoch is over: what others have set before stays not.
fn beside_another_key(bears: &[&str]) {
    let server = Server::start(&[]);
    let (redis, other, mut raw) = (server.redis(), server.redis(), server.raw());
    put_tagged(&redis, "warm", "v", &["t"], None).expect("stored");
    for round in 0..5 {
        other.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
        put(&other, "k", "older").expect("stored");
        run(&mut raw, &["CLIENT", "PAUSE", "400", "WRITE"]);
        let bears = tags(bears);
        let set = redis.set("k", text("newer"), Set { tags: &bears, ..Set::new(MINUTE) });
        std::thread::sleep(150 * MS);
        redis.invalidate(Target::Key("another"), Strength::Remove).wait().expect("removed");
        set.wait().expect("stored");
        let found = get(&redis, "k").expect("read");
        assert_ne!(found.as_deref(), Some("older"), "round {round}: the set has returned");
    }
}

#[test]
fn a_plain_set_in_an_epoch_that_is_over_beside_another_invalidation_leaves_nothing_older() {
    beside_another_key(&[]);
}

#[test]
fn a_tagged_set_in_an_epoch_that_is_over_beside_another_invalidation_leaves_nothing_older() {
    beside_another_key(&["t"]);
}

/// Called before others cleared everything and set the key: it is done after that, and must not take its place.
#[test]
fn a_set_in_an_epoch_that_is_over_does_not_replace_what_was_set_after_it() {
    let server = Server::start(&[]);
    let (proxy, url) = Proxy::start(&server);
    let (redis, other) = (handle_at(&url), server.redis());
    for bears in [&[][..], &["t"]] {
        put(&redis, "warm", "v").expect("stored");
        proxy.hold_after(0);
        let bears = tags(bears);
        let set = redis.set("k", text("first"), Set { tags: &bears, ..Set::new(MINUTE) });
        until("it is held", SOON, || proxy.holds());
        other.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
        put(&other, "k", "last").expect("stored");
        proxy.let_go();
        set.wait().expect("done");
        // Which came last nobody knows.
        assert_eq!(get(&other, "k").expect("read"), None, "tags {bears:?}");
    }
}

/// It cannot be stored, as others have written meanwhile; nor can what they wrote be removed: so that waits in the queue.
#[test]
fn what_can_be_neither_set_nor_removed_is_queued() {
    let server = Server::start(&[]);
    let (fake, url) = Fake::start(&server);
    let (redis, other) = (handle_at(&url), server.redis());
    put(&redis, "warm", "v").expect("stored");
    other.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
    put(&other, "k", "older").expect("stored");
    fake.says("ERR not now", &["UNLINK"]);
    let error = put(&redis, "k", "newer").expect_err("neither is done");
    fake.says_nothing();
    until("in use", SOON, || is_up(&redis));
    assert_eq!(get(&redis, "k").expect("read"), None, "{error}");
    assert_eq!(error.kind(), ErrorKind::Queued, "{error}");
}

/// Another process clears as fast as may be: nothing fails for that but what cannot be stored, and no connection is given up.
#[test]
fn who_clears_in_a_loop_drives_nobody_out() {
    let server = Server::start(&[]);
    let (redis, other) = (server.redis(), server.redis());
    let end = std::time::Instant::now() + 2000 * MS;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while std::time::Instant::now() < end {
                other.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
            }
        });
        while std::time::Instant::now() < end {
            for target in [Target::Key("k"), Target::Tag("t"), Target::Pattern("k*")] {
                redis.invalidate(target, Strength::Remove).wait().expect("struck");
            }
            let stored = put(&redis, "k", "v").and(put_tagged(&redis, "l", "v", &["t"], None));
            if let Err(error) = stored {
                assert!(error.to_string().contains("faster"), "{error}");
            }
            if let Err(error) = get(&redis, "k") {
                assert!(error.to_string().contains("faster"), "{error}");
            }
        }
    });
    assert_eq!(redis.connection().reconnects, 0, "{:?}", redis.connection());
    put(&redis, "k", "v").expect("stored");
    assert_eq!(get(&redis, "k").expect("read").as_deref(), Some("v"));
}

/// A claim that could not be made takes away none that another process has made meanwhile.
#[test]
fn a_claim_that_failed_takes_nobodys_away() {
    let server = Server::start(&[]);
    let (proxy, url) = Proxy::start(&server);
    let redis = wait(Redis::builder(&url).response_timeout(500 * MS).connect()).expect("a handle");
    let (other, third) = (server.redis(), server.redis());
    let claim =
        |redis: &Redis| redis.set("job", text("mine"), Set { if_absent: true, ..Set::new(MINUTE) }).wait();
    until("connected", SOON, || is_up(&redis));
    proxy.mute.store(true, Ordering::SeqCst);
    until("cut off", SOON, || !is_up(&redis));
    assert_eq!(claim(&redis).expect_err("cut off").kind(), ErrorKind::Unavailable);
    assert_eq!(claim(&other).expect("answered"), Stored::Yes);
    proxy.cut();
    proxy.mute.store(false, Ordering::SeqCst);
    until("connected", SOON, || is_up(&redis));
    assert_eq!(claim(&redis).expect("answered"), Stored::Exists, "it is another's");
    assert_eq!(claim(&third).expect("answered"), Stored::Exists, "it is another's");
    let too_large = Set { if_absent: true, ..Set::new(MINUTE) };
    let small = wait(Redis::builder(&server.url()).max_value(100).connect()).expect("a handle");
    small.set("job", text(&"x".repeat(1000)), too_large).wait().expect_err("too large");
    assert_eq!(claim(&third).expect("answered"), Stored::Exists, "it is another's");
}
