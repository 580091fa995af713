//! What a review of caches broke, or tried to break, each as it was found.

#![allow(clippy::unwrap_used, clippy::unit_arg)]

mod common;
use common::{Failure, MINUTE, SECOND, Subject, in_time, settle, subjects};
use larder::{Larder, Load, Loaded, Memory, Policy, key};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

const KEY: &str = "k";

// heavy entries by several threads at once: each holds room and waits for the other's
fn heavy(capacity: Option<usize>) {
    let mut b = Memory::builder().max_weight(1000).weigher(|v: &u32| *v);
    if let Some(c) = capacity {
        b = b.capacity(c)
    }
    let cache = Larder::builder().memory(b.build()).build();
    let ops = Arc::new(AtomicU64::new(0));
    let (done, wait) = std::sync::mpsc::channel();
    for t in 0..4_u64 {
        let (cache, done, ops) = (cache.clone(), done.clone(), ops.clone());
        std::thread::spawn(move || {
            for i in 0..20_000_u64 {
                let w = if i % 3 == 0 { 600 + (i * 7 + t * 13) as u32 % 400 } else { 1 + (i as u32 % 50) };
                cache.set(key!("{}", (i * 31 + t) % 500), w, MINUTE).wait().unwrap();
                ops.fetch_add(1, Ordering::Relaxed);
            }
            done.send(t).unwrap();
        });
    }
    for _ in 0..4 {
        if wait.recv_timeout(Duration::from_secs(30)).is_err() {
            panic!("HANG after {} of 80000 sets; {:?}", ops.load(Ordering::SeqCst), cache.stats().entries);
        }
    }
}
#[test]
fn c01_heavy_many_shards() {
    heavy(None)
}
#[test]
fn c02_heavy_one_shard() {
    heavy(Some(100))
}

// patterns
#[test]
fn c03_patterns_differential() {
    use larder::Pattern;
    let mut rng: u64 = 0x1234_5678_9abc_def1;
    let mut next = move |n: usize| {
        rng ^= rng << 13;
        rng ^= rng >> 7;
        rng ^= rng << 17;
        (rng >> 11) as usize % n
    };
    let alpha = ["a", "b", ":", "*", "?", "[", "]", "^", "-", "\\", "é", "1"];
    for Subject { name, cache, .. } in
        subjects().into_iter().filter(|s| ["memory", "plain", "moka"].contains(&s.name))
    {
        for round in 0..3000 {
            let mut keys: Vec<String> =
                (0..12).map(|_| (0..1 + next(6)).map(|_| alpha[next(alpha.len())]).collect()).collect();
            keys.sort();
            keys.dedup();
            let pattern: String = (0..1 + next(7)).map(|_| alpha[next(alpha.len())]).collect();
            cache.clear().wait().unwrap();
            for k in &keys {
                cache.set(k, 1_u8, MINUTE).wait().unwrap();
            }
            if cache.invalidate_pattern(&pattern).wait().is_err() {
                continue;
            }
            let p = Pattern::new(&pattern).unwrap();
            for k in &keys {
                let there = cache.get::<u8>(k).wait().unwrap().is_some();
                assert_eq!(there, !p.matches(k.as_bytes()), "{name} {round}: {pattern:?} {k:?}");
            }
        }
    }
}

#[derive(Default)]
struct Tally(std::sync::Mutex<HashMap<(String, u64), Vec<larder::RemovalCause>>>);
#[test]
fn c04_listener_exactly_once() {
    let tally = Arc::new(Tally::default());
    let clock = larder::ManualClock::new();
    let t = tally.clone();
    let store = Memory::builder()
        .capacity(600)
        .clock(clock.clock())
        .eviction_listener(move |k, v, c| {
            t.0.lock()
                .unwrap()
                .entry((k.to_owned(), *v.as_any().downcast_ref::<u64>().unwrap()))
                .or_default()
                .push(c);
        })
        .build();
    let cache = Larder::builder().clock(clock.clock()).memory(store).build();
    let serial = Arc::new(AtomicU64::new(0));
    let threads: Vec<_> = (0..4_u64)
        .map(|t| {
            let (cache, serial, clock) = (cache.clone(), serial.clone(), clock.clone());
            std::thread::spawn(move || {
                let mut stored = Vec::new();
                let mut r = t + 77;
                for i in 0..20_000_u64 {
                    r ^= r << 13;
                    r ^= r >> 7;
                    r ^= r << 17;
                    let k = format!("k:{}", r % 900);
                    match r >> 60 {
                        0..9 => {
                            let n = serial.fetch_add(1, Ordering::SeqCst);
                            cache
                                .set(
                                    &k,
                                    n,
                                    Policy::ttl(Duration::from_millis(1 + (r >> 20) % 5000))
                                        .tags([format!("t:{}", r % 7)]),
                                )
                                .wait()
                                .unwrap();
                            stored.push((k, n));
                        }
                        9 => drop(cache.delete(&k).wait().unwrap()),
                        10 => drop(cache.invalidate_pattern(format!("k:{}*", r % 90)).wait().unwrap()),
                        11 => drop(cache.invalidate_tag(format!("t:{}", r % 7)).wait().unwrap()),
                        12 => {
                            if i % 50 == 0 {
                                clock.advance(Duration::from_millis(100))
                            }
                        }
                        13 => {
                            if i % 200 == 0 {
                                cache.clear().wait().unwrap()
                            }
                        }
                        _ => drop(cache.get::<u64>(&k).wait().unwrap()),
                    }
                }
                stored
            })
        })
        .collect();
    let stored: Vec<_> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
    cache.clear().wait().unwrap();
    clock.advance(MINUTE);
    let tally = tally.0.lock().unwrap();
    let wrong: Vec<_> = stored.iter().filter(|s| tally.get(*s).map_or(0, Vec::len) != 1).collect();
    let s = cache.stats();
    let of = |c| tally.values().flatten().filter(|x| **x == c).count() as u64;
    assert!(wrong.is_empty() && tally.len() == stored.len(), "{} wrong of {}", wrong.len(), stored.len());
    assert_eq!(
        (s.entries, s.evictions, s.expirations),
        (0, of(larder::RemovalCause::Capacity), of(larder::RemovalCause::Expired))
    );
}

#[tokio::test]
async fn c05_max_age_follower_gets_an_old_value() {
    for Subject { name, cache, clock } in subjects().into_iter().filter(|s| s.name.starts_with("remote")) {
        cache.set(KEY, 1_u32, MINUTE).await.unwrap();
        clock.advance(30 * SECOND);
        let c = cache.clone();
        let a = tokio::spawn(async move { *c.get_or_load(KEY, Policy::ttl(MINUTE), async || 2_u32).await });
        let c = cache.clone();
        let b = tokio::spawn(async move {
            *c.get_or_load(KEY, Policy::ttl(MINUTE).max_age(10 * SECOND), async || 2_u32).await
        });
        in_time(a).await.unwrap();
        assert_eq!(in_time(b).await.unwrap(), 2, "{name}: a value of 30 s");
    }
}
#[tokio::test]
async fn c06_version_follower() {
    for Subject { name, cache, .. } in subjects() {
        let (go, gone) = oneshot::channel::<()>();
        let c = cache.clone();
        let a = tokio::spawn(async move {
            *c.get_or_load(KEY, Policy::ttl(MINUTE).version(1), || async move {
                gone.await.unwrap();
                1_u32
            })
            .await
        });
        settle().await;
        let c = cache.clone();
        let b =
            tokio::spawn(
                async move { *c.get_or_load(KEY, Policy::ttl(MINUTE).version(2), async || 2_u32).await },
            );
        settle().await;
        go.send(()).unwrap();
        in_time(a).await.unwrap();
        assert_eq!(in_time(b).await.unwrap(), 2, "{name}: of version 1");
    }
}
#[tokio::test]
async fn c07_permit_waiters_cancelled() {
    let cache = Larder::builder().max_loads(1).build();
    let (go, gone) = oneshot::channel::<()>();
    let c = cache.clone();
    let a = tokio::spawn(async move {
        *c.get_or_load("a", MINUTE, || async move {
            gone.await.unwrap();
            1_u32
        })
        .await
    });
    settle().await;
    let ts: Vec<_> = (0..6)
        .map(|i| {
            let c = cache.clone();
            tokio::spawn(async move { *c.get_or_load(key!("{}", i), MINUTE, async || 1_u32).await })
        })
        .collect();
    settle().await;
    go.send(()).unwrap();
    in_time(a).await.unwrap();
    for t in &ts[..3] {
        t.abort();
    }
    for t in ts {
        let _ = in_time(t).await;
    }
    in_time(cache.get_or_load("z", MINUTE, async || 1_u32)).await;
}
#[tokio::test]
async fn c08_load_many_panic_and_nested() {
    for Subject { name, cache, .. } in subjects() {
        let c = cache.clone();
        let t = tokio::spawn(async move {
            let _ = c
                .load_many(["a", "b"], MINUTE, |_: Vec<_>| async {
                    if true {
                        panic!("boom")
                    };
                    Ok::<_, Failure>(vec![("a", 1_u32)])
                })
                .await;
        });
        assert!(in_time(t).await.is_err());
        let h = cache.health().await.unwrap();
        assert_eq!(h.in_flight, 0, "{name}");
        // nested on its own keys, in opposite order, and both ways at once
        let one = |keys: [&'static str; 3], other: [&'static str; 3]| {
            let c = cache.clone();
            tokio::spawn(async move {
                let inner = c.clone();
                c.load_many(keys, MINUTE, move |m: Vec<&'static str>| {
                    let inner = inner.clone();
                    async move {
                        settle().await;
                        inner
                            .load_many(other, MINUTE, |m: Vec<&'static str>| async move {
                                settle().await;
                                Ok::<_, Failure>(m.into_iter().map(|k| (k, 1_u32)).collect::<Vec<_>>())
                            })
                            .await
                            .unwrap();
                        Ok::<_, Failure>(m.into_iter().map(|k| (k, 1_u32)).collect::<Vec<_>>())
                    }
                })
                .await
                .unwrap()
            })
        };
        let (x, y) = (one(["a", "b", "c"], ["c", "d", "e"]), one(["e", "d", "f"], ["b", "a", "f"]));
        assert!(in_time(x).await.unwrap().iter().all(Option::is_some), "{name}");
        assert!(in_time(y).await.unwrap().iter().all(Option::is_some), "{name}");
        assert_eq!(cache.health().await.unwrap().in_flight, 0, "{name}");
    }
}
// refresh in the caller of load_many holds up the flights of the missing
#[tokio::test]
async fn c09_in_caller_refresh_starves_missing() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).swr(MINUTE * 10);
        cache.set("a", 1_u32, policy.clone()).await.unwrap();
        clock.advance(2 * SECOND);
        let loads = Arc::new(AtomicU32::new(0));
        let (c, p, l) = (cache.clone(), policy.clone(), loads.clone());
        let (go, gone) = oneshot::channel::<()>();
        let batch = tokio::spawn(async move {
            let mut gone = Some(gone);
            c.load_many(["a", "b"], p.in_caller(), move |m: Vec<&'static str>| {
                let l = l.clone();
                let gone = if m.contains(&"a") { gone.take() } else { None };
                async move {
                    if let Some(g) = gone {
                        g.await.unwrap()
                    }
                    if m.contains(&"b") {
                        l.fetch_add(1, Ordering::SeqCst);
                    }
                    Ok::<_, Failure>(m.into_iter().map(|k| (k, 1_u32)).collect::<Vec<_>>())
                }
            })
            .await
            .unwrap();
        });
        settle().await;
        let (c, p, l) = (cache.clone(), policy.clone(), loads.clone());
        let f = tokio::spawn(async move {
            *c.get_or_load("b", p, move || async move {
                l.fetch_add(1, Ordering::SeqCst);
                2_u32
            })
            .await
        });
        settle().await;
        for _ in 0..8 {
            clock.advance(SECOND / 2);
            settle().await;
        }
        go.send(()).unwrap();
        in_time(batch).await.unwrap();
        in_time(f).await.unwrap();
        assert_eq!(loads.load(Ordering::SeqCst), 1, "{name}: b loaded twice");
    }
}
// the loader of a refresh is called though there is no place for it
#[tokio::test]
async fn c10_refresh_loader_called_in_vain() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).swr(MINUTE * 10);
        cache.set("a", 1_u32, policy.clone()).await.unwrap();
        clock.advance(2 * SECOND);
        let _ = cache.close(Duration::ZERO).await.unwrap();
        let mut calls = 0;
        cache
            .load_many(["a"], policy.clone(), |m: Vec<&'static str>| {
                calls += 1;
                async move { Ok::<_, Failure>(m.into_iter().map(|k| (k, 1_u32)).collect::<Vec<_>>()) }
            })
            .await
            .unwrap();
        assert_eq!(calls, 0, "{name}: called, its future dropped");
    }
}
// not_modified forgets the TTL that the loader had chosen? and is max_age / set_if_absent safe
#[tokio::test]
async fn c11_set_if_absent_during_flight() {
    for Subject { name, cache, .. } in subjects() {
        let (go, gone) = oneshot::channel::<()>();
        let c = cache.clone();
        let a = tokio::spawn(async move {
            *c.get_or_load(KEY, MINUTE, || async move {
                gone.await.unwrap();
                1_u32
            })
            .await
        });
        settle().await;
        assert!(cache.set_if_absent(KEY, 2_u32, MINUTE).await.unwrap());
        assert!(!cache.set_if_absent(KEY, 3_u32, MINUTE).await.unwrap());
        go.send(()).unwrap();
        in_time(a).await.unwrap();
        assert_eq!(cache.get::<u32>(KEY).await.unwrap().as_deref(), Some(&2), "{name}");
    }
}
// a set_if_absent that is refused detaches the flight: a second load runs beside the first
#[tokio::test]
async fn c12_refused_set_if_absent_breaks_a_refresh_flight() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(100 * SECOND).refresh_ahead(0.5);
        cache.set(KEY, 1_u32, &policy).await.unwrap();
        clock.advance(60 * SECOND);
        let loads = Arc::new(AtomicU32::new(0));
        for _ in 0..3 {
            let l = loads.clone();
            cache
                .get_or_load(KEY, &policy, move || async move {
                    l.fetch_add(1, Ordering::SeqCst);
                    std::future::pending::<u32>().await
                })
                .await;
            settle().await;
            assert!(!cache.set_if_absent(KEY, 9_u32, MINUTE).await.unwrap());
        }
        assert_eq!(loads.load(Ordering::SeqCst), 1, "{name}: loads at once of one key");
    }
}
#[tokio::test]
async fn c13_default_ttl_zero() {
    let cache = Larder::builder().default_ttl(Duration::ZERO).build();
    assert!(cache.set(KEY, 1_u32, Policy::default()).await.is_err(), "stored for no time, and told Ok");
}
// Loaded by load_many: is a follower told an absent key as None though it can load it?
#[tokio::test]
async fn c14_late_tag_in_load_with_and_mark_stale() {
    for Subject { name, cache, .. } in subjects() {
        let (finish, finished) = oneshot::channel::<()>();
        let c = cache.clone();
        let leader = tokio::spawn(async move {
            c.load_with(KEY, Policy::ttl(MINUTE), move |_: Load<u32>| async move {
                finished.await.unwrap();
                Ok::<_, Failure>(Loaded::new(1_u32).tags(["late"]))
            })
            .await
            .map(|v| *v)
        });
        settle().await;
        cache.invalidate_tag("late").await.unwrap();
        finish.send(()).unwrap();
        in_time(leader).await.unwrap().unwrap();
        assert_eq!(cache.get::<u32>(KEY).await.unwrap(), None, "{name}: published");
        let _ = (Failure::Source, Failure::Timeout);
    }
}
// check_coherent over a right program whose loader names its tag late
#[test]
fn c15_coherent_right_program_with_late_tags() {
    use larder::testing::check_coherent;
    struct W {
        cache: Larder,
        v: std::sync::Mutex<[u32; 2]>,
    }
    let r = check_coherent(|| W {
        cache: Larder::builder().memory(Memory::builder().capacity(100).build()).build(),
        v: Default::default(),
    })
    .reader(
        "r",
        |w: Arc<W>, i| async move {
            let w2 = w.clone();
            w.cache
                .load_with(key!("k:{}", i), Policy::ttl(MINUTE), move |_: Load<u32>| async move {
                    let v = w2.v.lock().unwrap()[i as usize];
                    larder::testing::pause().await;
                    Ok::<_, Failure>(Loaded::new(v).tags([format!("t:{i}")]))
                })
                .await
                .unwrap()
        },
        |w, i| async move { w.v.lock().unwrap()[i as usize] },
    )
    .writer("w", |w, i| async move {
        w.v.lock().unwrap()[i as usize] += 1;
        w.cache.invalidate_tag(format!("t:{i}")).await.unwrap();
    })
    .try_run();
    if let Err(e) = r {
        panic!("{e}")
    }
}
#[test]
fn c16_coherent_not_modified_tags() {
    use larder::testing::check_coherent;
    struct W {
        cache: Larder,
        clock: larder::ManualClock,
        v: std::sync::Mutex<[u32; 2]>,
    }
    let r = check_coherent(|| {
        let clock = larder::ManualClock::new();
        W {
            cache: Larder::builder()
                .clock(clock.clock())
                .memory(Memory::builder().capacity(100).clock(clock.clock()).build())
                .build(),
            clock,
            v: Default::default(),
        }
    })
    .reader(
        "r",
        |w: Arc<W>, i| async move {
            let w2 = w.clone();
            w.cache
                .load_with(
                    key!("k:{}", i),
                    Policy::ttl(MINUTE).sie(10 * MINUTE),
                    move |l: Load<u32>| async move {
                        let v = w2.v.lock().unwrap()[i as usize];
                        if let Some(s) = l.stale()
                            && **s == v
                        {
                            return Ok(s.not_modified());
                        }
                        Ok::<_, Failure>(Loaded::new(v).tags([format!("t:{i}")]))
                    },
                )
                .await
                .unwrap()
        },
        |w, i| async move { w.v.lock().unwrap()[i as usize] },
    )
    .writer("w", |w, i| async move {
        w.v.lock().unwrap()[i as usize] += 1;
        w.cache.invalidate_tag(format!("t:{i}")).await.unwrap();
    })
    .writer("time", |w, _| async move { w.clock.advance(MINUTE) })
    .try_run();
    if let Err(e) = r {
        panic!("{e}")
    }
}
// a conditional bug: forgets to invalidate only when the value reaches a number (the guide says how rare is too rare)
#[test]
fn c17_coherent_conditional_bug() {
    use larder::testing::check_coherent;
    struct W {
        cache: Larder,
        v: std::sync::Mutex<[u32; 2]>,
    }
    for at in 1..=8 {
        let r = check_coherent(|| W {
            cache: Larder::builder().memory(Memory::builder().capacity(100).build()).build(),
            v: Default::default(),
        })
        .reader(
            "r",
            |w: Arc<W>, i| async move {
                w.cache
                    .get_or_load(key!("k:{}", i), MINUTE, || async { w.v.lock().unwrap()[i as usize] })
                    .await
            },
            |w, i| async move { w.v.lock().unwrap()[i as usize] },
        )
        .writer("w", move |w, i| async move {
            let n = {
                let mut v = w.v.lock().unwrap();
                v[i as usize] += 1;
                v[i as usize]
            };
            if n != at {
                w.cache.invalidate(key!("k:{}", i)).await.unwrap();
            }
        })
        .try_run();
        assert!(r.is_err(), "a writer that forgets the {at}. invalidation of a key");
    }
}
