//! What the simulation (`simulation/`) and those who tried it have found, over a real Redis.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use larder::{Larder, Local, Policy, Target, ttl};

use crate::common::plain::{SOON, names, run};
use crate::common::{Server, until};
use crate::fleet::{get, warm};
use crate::node;

/// What one node does, with a value or without.
type Set<'a> = &'a dyn Fn(&Larder, u32);
type Strike<'a> = &'a dyn Fn(&Larder);

/// The word of it was taken for the echo of the load that had left nothing there, as nothing was there.
#[test]
fn a_copy_of_what_was_set_after_a_void_load_goes_with_it() {
    let server = Server::start(&[]);
    let (one, other) = (node(&server), node(&server));
    let value = *one.get_or_compute("k", Policy::ttl(ttl::LONG).in_caller(), || {
        other.invalidate("k").wait().expect("struck");
        1_u32
    });
    assert_eq!(value, 1);
    one.set("k", 2_u32, ttl::LONG).wait().expect("stored");
    warm(&one, "k");
    other.invalidate("k").wait().expect("struck");
    until("heard", SOON, || get(&one, "k").is_none());
}

/// Another process begins a new epoch, and sets the key. What is set later, by somebody who does not know of that yet, was
/// not stored, and the older value stayed.
#[test]
fn what_is_set_in_an_epoch_that_is_over_takes_away_what_was_set_before_it() {
    let server = Server::start(&[]);
    let (one, other) = (node(&server), node(&server));
    let sets: [(&str, Set<'_>); 2] = [
        ("plain", &|cache, value| cache.set("k", value, ttl::LONG).wait().expect("stored")),
        ("tagged", &|cache, value| {
            cache.set("k", value, Policy::ttl(ttl::LONG).tags(["t"])).wait().expect("stored");
        }),
    ];
    for (how, set) in sets {
        set(&one, 1);
        assert_eq!(get(&one, "k"), Some(1), "{how}");
        other.clear().wait().expect("cleared");
        set(&other, 2);
        set(&one, 3);
        for cache in [&one, &other] {
            assert_ne!(get(cache, "k"), Some(1), "{how}: cleared");
            until(how, SOON, || get(cache, "k") != Some(2));
        }
        // The next one is stored as ever.
        set(&one, 4);
        until(how, SOON, || get(&other, "k") == Some(4));
    }
}

/// Its load takes a place in Redis and gives it up; word of that threw it out.
#[test]
fn what_is_kept_in_memory_alone_stays_there() {
    let server = Server::start(&[]);
    let (cache, loads) = (node(&server), AtomicUsize::new(0));
    let load = || loads.fetch_add(1, Ordering::Relaxed);
    // Nothing is kept before it is told what others change.
    cache.set("k", 1_u32, ttl::LONG).wait().expect("stored");
    warm(&cache, "k");
    for _ in 0..10 {
        let policy = Policy::ttl(ttl::LONG).in_caller();
        cache.get_or_compute("local", policy.clone(), || Local(load()));
        cache.get_or_compute("alone", policy.skip_l2(), load);
        std::thread::sleep(Duration::from_millis(30));
    }
    assert_eq!(loads.into_inner(), 2);
    let mut raw = server.raw();
    cache.invalidate("alone").wait().expect("struck");
    cache.invalidate("local").wait().expect("struck");
    assert!(cache.get::<usize>("alone").wait().expect("read").is_none());
    assert!(cache.get::<Local<usize>>("local").wait().expect("read").is_none());
    assert!(names(&mut raw, "*:k:alone").is_empty());
}

/// Where Redis has evicted the order, nothing of what it holds is read again: but of what is in memory somebody must tell.
#[test]
fn what_is_struck_where_order_and_newest_are_evicted_reaches_others() {
    let strikes: [(&str, Strike<'_>); 4] = [
        ("tag", &|cache| cache.invalidate(Target::Tag("t")).wait().expect("struck")),
        ("key", &|cache| cache.invalidate("k").wait().expect("struck")),
        ("pattern", &|cache| cache.invalidate_pattern("k*").wait().expect("struck")),
        ("all", &|cache| cache.clear().wait().expect("cleared")),
    ];
    for (what, strike) in strikes {
        let server = Server::start(&[]);
        let (one, other, mut raw) = (node(&server), node(&server), server.raw());
        let tagged = Policy::ttl(ttl::LONG).tags(["t"]);
        one.set("k", 1_u32, tagged).wait().expect("stored");
        for evicted in ["newest", "order}"] {
            warm(&one, "k");
            warm(&other, "k");
            for name in names(&mut raw, &format!("larder:*{evicted}")) {
                run(&mut raw, &["DEL", &name]);
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(get(&other, "k"), Some(1), "{what}: in memory");
        strike(&one);
        until(what, SOON, || get(&other, "k").is_none());
    }
}
