//! What an application sees of `Larder`, over every backend.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Subject, subjects};
use larder::{ErrorKind, Larder, Local, Memory, Policy, Target, Ttl, key, ttl};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct User {
    name: String,
    roles: Vec<String>,
}

fn ann() -> User {
    User { name: "Ann".into(), roles: vec!["teacher".into()] }
}

#[test]
fn set_get_delete() {
    for Subject { name, cache, .. } in subjects() {
        cache.set("user:1", ann(), ttl::SHORT).wait().expect("set");
        assert_eq!(cache.get::<User>("user:1").wait().expect("readable").as_deref(), Some(&ann()), "{name}");
        assert!(cache.exists("user:1").wait().expect("readable"));
        assert!(cache.delete("user:1").wait().expect("deleted"));
        assert!(!cache.delete("user:1").wait().expect("deleted"));
        assert_eq!(cache.get::<User>("user:1").wait().expect("readable"), None, "{name}");
    }
}

#[test]
fn a_hit_in_process_is_the_same_arc() {
    let cache = Larder::memory(10);
    let user = Arc::new(ann());
    cache.set_shared("user:1", user.clone(), ttl::SHORT).wait().expect("set");
    let hit = cache.get::<User>("user:1").wait().expect("readable").expect("there");
    assert!(Arc::ptr_eq(&user, &hit));
}

#[test]
fn ttl_and_expire() {
    for Subject { name, cache, clock } in subjects() {
        assert_eq!(cache.ttl("k").wait().expect("readable"), Ttl::Missing, "{name}");
        cache.set("k", 1_u8, Policy::forever()).wait().expect("set");
        assert_eq!(cache.ttl("k").wait().expect("readable"), Ttl::Forever, "{name}");
        assert!(cache.expire("k", Duration::from_secs(10)).wait().expect("ok"));
        clock.advance(Duration::from_secs(4));
        assert_eq!(cache.ttl("k").wait().expect("readable"), Ttl::Left(Duration::from_secs(6)), "{name}");
        clock.advance(Duration::from_secs(6));
        assert_eq!(cache.ttl("k").wait().expect("readable"), Ttl::Missing, "{name}");
        assert!(!cache.expire("k", Duration::from_secs(10)).wait().expect("ok"));
    }
}

#[test]
fn counters() {
    for Subject { name, cache, clock } in subjects() {
        assert_eq!(cache.incr("visits", 2).wait().expect("ok"), 2, "{name}");
        assert_eq!(cache.incr_with("visits", 3, ttl::SHORT).wait().expect("ok"), 5, "{name}");
        assert_eq!(cache.get::<i64>("visits").wait().expect("readable").as_deref(), Some(&5), "{name}");
        clock.advance(2 * ttl::SHORT);
        assert_eq!(cache.incr("visits", -1).wait().expect("ok"), 4, "{name}");
        let tagged = cache.incr_with("visits", 1, Policy::ttl(ttl::SHORT).tags(["t"])).wait();
        assert_eq!(tagged.expect_err("no tags").kind(), ErrorKind::InvalidPolicy);
    }
}

#[test]
fn bad_input_is_a_clear_error_and_nothing_is_lost() {
    for Subject { name, cache, .. } in subjects() {
        cache.set("good", 1_u8, ttl::SHORT).wait().expect("set");
        let long = "k".repeat(1025);
        for key in ["", "a\nb", "nul\0", &long] {
            let errors = [
                cache.get::<u8>(key).wait().expect_err("refused"),
                cache.set(key, 1_u8, ttl::SHORT).wait().expect_err("refused"),
                cache.delete(key).wait().expect_err("refused"),
                cache.incr(key, 1).wait().expect_err("refused"),
                cache.invalidate(key).wait().expect_err("refused"),
                cache.ttl(key).wait().expect_err("refused"),
            ];
            assert!(errors.iter().all(|error| error.kind() == ErrorKind::InvalidKey), "{name}: {key:?}");
            assert_eq!(
                *cache.get_or_compute(key, ttl::SHORT, || 7_u8),
                7,
                "a load goes on without the cache"
            );
        }
        let zero = cache.set("good", 2_u8, Duration::ZERO).wait().expect_err("refused");
        assert_eq!(zero.kind(), ErrorKind::InvalidPolicy);
        assert_eq!(
            cache.expire("good", Duration::ZERO).wait().expect_err("refused").kind(),
            ErrorKind::InvalidPolicy
        );
        let tag = cache.set("good", 2_u8, Policy::ttl(ttl::SHORT).tags([""])).wait().expect_err("refused");
        assert_eq!(tag.kind(), ErrorKind::InvalidTag);
        assert_eq!(cache.invalidate_tag("").wait().expect_err("refused").kind(), ErrorKind::InvalidTag);
        assert_eq!(
            cache.invalidate_pattern("").wait().expect_err("refused").kind(),
            ErrorKind::InvalidPattern
        );
        assert_eq!(cache.get::<u8>("good").wait().expect("readable").as_deref(), Some(&1), "{name}");
        assert!(cache.stats().errors >= 4, "{name}: what loads went on without was counted");
    }
}

#[test]
fn another_type_is_a_mismatch_for_get_and_a_miss_for_a_load() {
    for Subject { name, cache, .. } in subjects() {
        cache.set("k", "text".to_owned(), ttl::SHORT).wait().expect("set");
        let error = cache.get::<User>("k").wait().expect_err("another type");
        assert_eq!(error.kind(), ErrorKind::TypeMismatch, "{name}");
        assert!(error.to_string().contains("\"k\""), "{error}");
        assert_eq!(*cache.get_or_compute("k", ttl::SHORT, ann), ann(), "{name}");
        assert_eq!(cache.get::<User>("k").wait().expect("readable").as_deref(), Some(&ann()), "{name}");
    }
}

#[test]
fn local_values_stay_in_process() {
    struct Opaque(u8);
    let cache = Larder::memory(10);
    cache.set("k", Local(Opaque(7)), ttl::SHORT).wait().expect("set");
    assert_eq!(cache.get::<Local<Opaque>>("k").wait().expect("readable").expect("there").0.0, 7);
    let remote = subjects().into_iter().find(|s| s.name == "remote memory").expect("there").cache;
    assert_eq!(
        remote.set("k", Local(Opaque(7)), ttl::SHORT).wait().expect_err("codec").kind(),
        ErrorKind::Codec
    );
    assert_eq!(remote.get_or_compute("k", ttl::SHORT, || Local(Opaque(8))).0.0, 8, "never fails a load");
}

#[test]
fn namespaces_do_not_see_each_other() {
    let memory = Memory::builder().build();
    let [a, b] = ["a", "a*"].map(|name| Larder::builder().namespace(name).memory(memory.clone()).build());
    for cache in [&a, &b] {
        cache.set("k", 1_u8, Policy::ttl(ttl::SHORT).tags(["t"])).wait().expect("set");
    }
    for target in [Target::Key("k"), Target::Pattern("*"), Target::Tag("t"), Target::All] {
        b.invalidate(target).wait().expect("ok");
        assert!(b.get::<u8>("k").wait().expect("readable").is_none(), "{target:?}");
        assert!(a.get::<u8>("k").wait().expect("readable").is_some(), "{target:?}");
        b.set("k", 1_u8, Policy::ttl(ttl::SHORT).tags(["t"])).wait().expect("set");
    }
    assert!(Larder::builder().namespace("a:b").try_build().is_err());
}

#[test]
fn a_disabled_cache_loads_each_time() {
    let cache = Larder::disabled();
    cache.set("k", 1_u8, ttl::SHORT).wait().expect("set");
    assert_eq!(cache.get::<u8>("k").wait().expect("readable"), None);
    let mut loads = 0;
    for _ in 0..3 {
        cache.get_or_compute("k", ttl::SHORT, || loads += 1);
    }
    assert_eq!((loads, cache.stats().loads, cache.stats().entries), (3, 3, 0));
}

#[test]
fn memory_is_bounded_and_counts_evictions() {
    let cache = Larder::memory(1000);
    for i in 0..20_000_u64 {
        cache.set(key!("k:{}", i), i, ttl::SHORT).wait().expect("set");
        assert!(i % 1000 != 0 || cache.stats().entries <= 1000);
    }
    let stats = cache.stats();
    assert_eq!((stats.entries, stats.evictions, stats.writes), (1000, 19_000, 20_000));
    cache.clear().wait().expect("cleared");
    assert_eq!(cache.stats().entries, 0);
}

#[test]
fn what_has_expired_is_given_back_though_nobody_reads() {
    let clock = larder::ManualClock::new();
    let cache =
        Larder::builder().memory(Memory::builder().clock(clock.clock()).build()).clock(clock.clock()).build();
    let value = Arc::new(1_u8);
    cache.set_shared("k", value.clone(), Policy::ttl(ttl::SHORT).swr(ttl::SHORT)).wait().expect("set");
    cache.set_shared("tagged", value.clone(), Policy::ttl(ttl::DAY).tags(["t"])).wait().expect("set");
    cache.set_shared("p:1", value.clone(), ttl::DAY).wait().expect("set");
    assert_eq!(Arc::strong_count(&value), 4);
    cache.invalidate_tag("t").wait().expect("ok");
    cache.invalidate_pattern("p:*").wait().expect("ok");
    clock.advance(Duration::from_secs(1));
    assert_eq!(Arc::strong_count(&value), 2, "what was invalidated is given back within a second");
    clock.advance(2 * ttl::SHORT);
    clock.advance(Duration::from_secs(1));
    assert_eq!((Arc::strong_count(&value), cache.stats().entries, cache.stats().expirations), (1, 0, 1));
}

#[test]
fn stats_are_serialisable_and_exact() {
    let cache = Larder::memory(10);
    cache.get_or_compute("k", ttl::SHORT, || 1_u8);
    for _ in 0..5 {
        assert!(cache.get::<u8>("k").wait().expect("readable").is_some());
    }
    assert!(cache.get::<u8>("none").wait().expect("readable").is_none());
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.loads, stats.entries), (5, 2, 1, 1));
    assert!((stats.hit_ratio() - 5.0 / 7.0).abs() < 1e-9);
    assert_eq!(serde_json::to_value(stats).expect("serialisable")["hits"], 5);
}
