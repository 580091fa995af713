//! Sets that have to be done again, as the epoch that they were sent in is over.

mod common;

use std::time::Duration;

use cache_core::{Cache, Set, Strength, Target};
use common::Server;
use common::plain::{MINUTE, get, put, put_tagged, run, tags, text};

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
