//! Many keys at once: reads, writes, one batched load, a warm-up; and how a cache ends.

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

use common::{SECOND, Subject, in_time, settle, subjects};
use larder::{Closed, Larder, Policy, key, ttl};
use tokio::sync::oneshot;

type Failed = &'static str;

#[test]
fn get_set_and_delete_many() {
    for Subject { name, cache, .. } in subjects() {
        cache.set_many([("a", 1_u8), ("b", 2)], ttl::SHORT).wait().expect("set");
        let found = cache.get_many::<u8, _>(["b", "x", "a", "b"]).wait().expect("readable");
        let found: Vec<_> = found.iter().map(|value| value.as_deref().copied()).collect();
        assert_eq!(found, [Some(2), None, Some(1), Some(2)], "{name}");
        assert_eq!(cache.delete_many(["a", "x", "b"]).wait().expect("deleted"), 2, "{name}");
        assert!(cache.get_many::<u8, &str>([]).wait().expect("readable").is_empty());
        cache.set_many([("good", 1_u8), ("", 2)], ttl::SHORT).wait().expect_err("a bad key");
        assert!(cache.exists("good").wait().expect("readable"), "{name}: the others are stored");
    }
}

#[test]
fn set_if_absent_stores_where_nothing_is_fresh() {
    for Subject { name, cache, clock } in subjects() {
        assert!(
            cache.set_if_absent("k", 1_u8, Policy::ttl(SECOND).sie(SECOND)).wait().expect("set"),
            "{name}"
        );
        assert!(!cache.set_if_absent("k", 2_u8, SECOND).wait().expect("set"), "{name}");
        assert_eq!(cache.get::<u8>("k").wait().expect("readable").as_deref(), Some(&1));
        clock.advance(SECOND);
        assert!(
            cache.set_if_absent("k", 3_u8, SECOND).wait().expect("set"),
            "{name}: what is stale gives way"
        );
        assert_eq!(cache.get::<u8>("k").wait().expect("readable").as_deref(), Some(&3));
    }
}

#[tokio::test]
async fn one_load_for_what_is_missing() {
    for Subject { name, cache, .. } in subjects() {
        cache.set("u:2", "old 2".to_owned(), ttl::SHORT).wait().expect("set");
        let asked = Mutex::new(Vec::new());
        let keys = || ["u:1", "u:2", "u:3", "u:1", "u:404"].map(str::to_owned);
        let load = |missing: Vec<String>| {
            asked.lock().expect("unpoisoned").push(missing.clone());
            async move {
                let found = missing.into_iter().filter(|key| key != "u:404");
                Ok::<_, Failed>(
                    found.map(|key| (key.clone(), format!("new {key}"))).collect::<HashMap<_, _>>(),
                )
            }
        };
        let users = in_time(cache.load_many(keys(), ttl::SHORT, load)).await.expect("loaded");
        let users: Vec<_> = users.iter().map(|user| user.as_ref().map(|user| user.as_str())).collect();
        assert_eq!(users, [Some("new u:1"), Some("old 2"), Some("new u:3"), Some("new u:1"), None], "{name}");
        assert_eq!(*asked.lock().expect("unpoisoned"), [["u:1", "u:3", "u:404"]], "{name}: each once");
        in_time(cache.load_many(keys(), ttl::SHORT, load)).await.expect("loaded");
        assert_eq!(asked.lock().expect("unpoisoned")[1], ["u:404"], "{name}");
        assert_eq!(cache.stats().loads, 2);
    }
}

#[tokio::test]
async fn each_key_of_a_batch_is_a_flight() {
    for Subject { name, cache, .. } in subjects() {
        let (finish, finished) = oneshot::channel::<()>();
        let (begin, begun) = oneshot::channel::<()>();
        let batch = tokio::spawn({
            let cache = cache.clone();
            let mut once = Some((begin, finished));
            async move {
                let load = move |missing: Vec<&'static str>| {
                    let (begin, finished) = once.take().expect("asked once");
                    async move {
                        begin.send(()).expect("the test waits");
                        finished.await.expect("the test ends it");
                        Ok::<_, Failed>(missing.into_iter().map(|key| (key, 1_u8)).collect::<Vec<_>>())
                    }
                };
                cache.load_many(["a", "b"], ttl::SHORT, load).await
            }
        });
        in_time(begun).await.expect("it begins");
        let follow = |key: &'static str| {
            let cache = cache.clone();
            tokio::spawn(async move { *cache.get_or_load(key, ttl::SHORT, async || 2_u8).await })
        };
        let (before, other) = (follow("a"), follow("b"));
        settle().await;
        // G1: who comes after this does not join, and the batch does not publish it.
        cache.invalidate("b").wait().expect("ok");
        let after = follow("b");
        assert_eq!(in_time(after).await.expect("no panic"), 2, "{name}");
        finish.send(()).expect("the load waits");
        in_time(batch).await.expect("no panic").expect("loaded");
        assert_eq!(in_time(before).await.expect("no panic"), 1, "{name}: shared");
        assert_eq!(in_time(other).await.expect("no panic"), 1, "{name}: joined before");
        assert_eq!(cache.get::<u8>("b").wait().expect("readable").as_deref(), Some(&2), "{name}");
        assert_eq!(cache.get::<u8>("a").wait().expect("readable").as_deref(), Some(&1), "{name}");
    }
}

#[tokio::test]
async fn a_batch_that_fails_gives_what_is_stale_or_its_error() {
    for Subject { name, cache, clock } in subjects() {
        let policy = || Policy::ttl(SECOND).sie(10 * SECOND);
        cache.set_many([("a", 1_u8), ("b", 2)], policy()).wait().expect("set");
        clock.advance(2 * SECOND);
        let fail = async |_: Vec<&str>| Err::<Vec<(String, u8)>, Failed>("down");
        let stale = in_time(cache.load_many(["a", "b"], policy(), fail)).await.expect("they stand in");
        assert_eq!(
            stale.iter().map(|value| value.as_deref().copied()).collect::<Vec<_>>(),
            [Some(1), Some(2)],
            "{name}"
        );
        let error =
            in_time(cache.load_many(["a", "b", "c"], policy(), fail)).await.expect_err("c is missing");
        assert_eq!(error, "down", "{name}");
    }
}

#[tokio::test]
async fn a_batch_serves_what_is_stale_and_refreshes_it_behind() {
    for Subject { name, cache, clock } in subjects() {
        let policy = || Policy::ttl(SECOND).swr(10 * SECOND);
        cache.set_many([("a", 1_u8), ("b", 1)], policy()).wait().expect("set");
        clock.advance(2 * SECOND);
        let load = async |missing: Vec<&'static str>| {
            Ok::<_, Failed>(missing.into_iter().map(|key| (key, 2_u8)).collect::<Vec<_>>())
        };
        let stale = in_time(cache.load_many(["a", "b"], policy(), load)).await.expect("served");
        assert_eq!(
            stale.iter().map(|value| value.as_deref().copied()).collect::<Vec<_>>(),
            [Some(1), Some(1)],
            "{name}"
        );
        settle().await;
        let fresh = cache.get_many::<u8, _>(["a", "b"]).wait().expect("readable");
        assert_eq!(
            fresh.iter().map(|value| value.as_deref().copied()).collect::<Vec<_>>(),
            [Some(2), Some(2)],
            "{name}"
        );
    }
}

#[tokio::test]
async fn warming_up_runs_so_many_at_once_and_tells_how_far_it_is() {
    for Subject { name, cache, .. } in subjects() {
        let (running, most) = (Mutex::new(0), Mutex::new(0));
        let load = |id: u32| {
            let (cache, running, most) = (&cache, &running, &most);
            async move {
                let load = || async move {
                    let now = {
                        let mut running = running.lock().expect("unpoisoned");
                        *running += 1;
                        *running
                    };
                    {
                        let mut most = most.lock().expect("unpoisoned");
                        *most = now.max(*most);
                    }
                    tokio::task::yield_now().await;
                    *running.lock().expect("unpoisoned") -= 1;
                    if id % 10 == 9 { Err("down") } else { Ok(id) }
                };
                cache.try_get_or_load(key!("w:{}", id), ttl::SHORT, load).await
            }
        };
        let mut told = Vec::new();
        let progress =
            in_time(cache.warm((0..30).map(load), 4).on_progress(|so_far| told.push(so_far.done))).await;
        assert_eq!((progress.done, progress.failed, progress.total), (30, 3, Some(30)), "{name}");
        assert_eq!(told, (1..=30).collect::<Vec<_>>(), "{name}");
        assert_eq!(*most.lock().expect("unpoisoned"), 4, "{name}");
        assert_eq!(cache.stats().entries, 27, "{name}");
    }
}

#[tokio::test]
async fn closing_waits_for_refreshes_and_says_what_is_left() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).swr(100 * SECOND);
        cache.set("k", 1_u8, &policy).wait().expect("set");
        clock.advance(2 * SECOND);
        let (finish, finished) = oneshot::channel();
        let load = move || async move { finished.await.expect("the test ends it") };
        assert_eq!(*cache.get_or_load("k", &policy, load).await, 1_u8, "{name}");
        settle().await;
        assert_eq!(cache.health().await.expect("answered").background, 1, "{name}");
        let close =
            |cache: Larder| tokio::spawn(async move { cache.close(10 * SECOND).await.expect("answered") });
        let gives_up = close(cache.clone());
        settle().await;
        clock.advance(10 * SECOND);
        let left = in_time(gives_up).await.expect("no panic");
        assert_eq!((left.refreshes, left.invalidations), (1, 0), "{name}");
        let waits = close(cache.clone());
        settle().await;
        assert!(!waits.is_finished(), "{name}");
        finish.send(2_u8).expect("it runs");
        assert_eq!(in_time(waits).await.expect("no panic"), Closed::default(), "{name}");
        assert_eq!(cache.get::<u8>("k").wait().expect("readable").as_deref(), Some(&2), "{name}");
        clock.advance(2 * SECOND);
        assert_eq!(
            *cache.get_or_load("k", &policy, async || 3_u8).await,
            2,
            "{name}: no refresh begins any more"
        );
        settle().await;
        assert_eq!(cache.stats().refreshes, 1, "{name}");
        assert!(cache.health().await.expect("answered").ok);
    }
}

#[test]
fn health_is_for_programs_to_hand_on() {
    let cache = Larder::memory(10);
    let health = serde_json::to_value(cache.health().wait().expect("answered")).expect("serialisable");
    assert_eq!(health["ok"], true);
    assert_eq!(health["troubles"], serde_json::json!([]));
    assert_eq!(health["remote"], serde_json::Value::Null, "it is connected to nothing");
    let _: Arc<u8> = cache.get_or_compute("k", SECOND, || 1_u8);
}

#[tokio::test]
async fn what_a_loader_gives_unasked_is_dropped_and_counted() {
    for Subject { name, cache, .. } in subjects() {
        cache.set("u:2", 2_u8, ttl::SHORT).wait().expect("set");
        let load = async |_: Vec<&str>| Ok::<_, Failed>([("u:1", 1_u8), ("u:2", 9), ("U:3", 3), ("u:4", 4)]);
        let loaded = cache.load_many(["u:1", "u:2", "u:3"], ttl::SHORT, load).await.expect("loads");
        let loaded: Vec<_> = loaded.iter().map(|value| value.as_deref().copied()).collect();
        assert_eq!(loaded, [Some(1), Some(2), None], "{name}: what was found stands");
        assert_eq!(cache.stats().errors, 1, "{name}: one error of one loader");
        for key in ["U:3", "u:4"] {
            assert!(!cache.exists(key).wait().expect("readable"), "{name}: {key}");
        }
    }
}

#[tokio::test]
async fn a_batch_that_panics_has_failed() {
    for Subject { name, cache, .. } in subjects() {
        let task = tokio::spawn({
            let cache = cache.clone();
            async move {
                let load =
                    async |_: Vec<&str>| -> Result<Vec<(&str, u8)>, Failed> { panic!("as the test wants") };
                cache.load_many(["a", "b"], ttl::SHORT, load).await
            }
        });
        assert!(task.await.expect_err("panics").is_panic());
        assert_eq!((cache.stats().loads, cache.stats().load_failures), (1, 1), "{name}");
    }
}
