//! What a review of batches broke, or tried to break, each as it was found.

#![allow(clippy::unwrap_used)]

mod common;
use common::{MINUTE, SECOND, settle};
use larder::testing::Remote;
use larder::{Larder, Memory, Policy};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
#[test]
fn f01_no_capacity() {
    for b in [
        Memory::builder().capacity(0),
        Memory::builder().max_weight(0),
        Memory::builder().capacity(0).max_weight(0),
        Memory::builder().capacity(1).max_weight(1),
    ] {
        let cache = Larder::builder().memory(b.build()).build();
        for i in 0..100 {
            cache.set(format!("{i}"), 1_u8, MINUTE).wait().unwrap();
            cache.incr(format!("c{i}"), 1).wait().unwrap();
        }
        assert!(cache.stats().entries <= 1, "{:?}", cache.stats());
    }
}
// after a failed background refresh under SWR alone, hits and throttle; after the window the load runs
#[tokio::test]
async fn f03_hung_refresh_blocks_forever() {
    let clock = larder::ManualClock::new();
    let cache = Larder::builder()
        .clock(clock.clock())
        .memory(Memory::builder().capacity(10).clock(clock.clock()).build())
        .build();
    let policy = Policy::ttl(SECOND).swr(MINUTE);
    cache.set("k", 1_u8, &policy).await.unwrap();
    clock.advance(2 * SECOND);
    cache.get_or_load("k", &policy, || async { std::future::pending::<u8>().await }).await;
    settle().await;
    let h = cache.health().await.unwrap();
    assert_eq!((h.in_flight, h.background), (1, 1));
    let closed = {
        let c = cache.clone();
        tokio::spawn(async move { c.close(SECOND).await.unwrap() })
    };
    settle().await;
    clock.advance(2 * SECOND);
    settle().await;
    assert_eq!(tokio::time::timeout(5 * SECOND, closed).await.unwrap().unwrap().refreshes, 1);
}

async fn once<F: Future>(mut f: std::pin::Pin<&mut F>) -> bool {
    std::future::poll_fn(move |cx| std::task::Poll::Ready(f.as_mut().poll(cx).is_ready())).await
}
#[tokio::test]
async fn f04_slow_backend_batch_given_up() {
    let clock = larder::ManualClock::new();
    let store = Memory::builder().capacity(1000).clock(clock.clock()).build();
    let cache = Larder::builder().clock(clock.clock()).backend(Remote::new(store)).build();
    let n = Arc::new(AtomicU32::new(0));
    let keys: Vec<String> = (0..200).map(|i| format!("k:{i:03}")).collect();
    let n1 = n.clone();
    let mut batch = Box::pin(cache.load_many(keys, MINUTE, move |m: Vec<String>| {
        let n = n1.clone();
        async move {
            n.fetch_add(u32::from(m.contains(&"k:000".to_owned())), Ordering::SeqCst);
            Ok::<_, ()>(m.into_iter().map(|k| (k, 1_u32)).collect::<Vec<_>>())
        }
    }));
    for _ in 0..10 {
        assert!(!once(batch.as_mut()).await);
    }
    let n2 = n.clone();
    let mut f = Box::pin(cache.get_or_load("k:000", MINUTE, || async move {
        n2.fetch_add(1, Ordering::SeqCst);
        2_u32
    }));
    let (mut bd, mut fd, mut polls) = (false, false, 0);
    while !(bd && fd) {
        polls += 1;
        assert!(polls < 5000);
        clock.advance(Duration::from_millis(10));
        if !bd {
            bd = once(batch.as_mut()).await;
        }
        if !fd {
            fd = once(f.as_mut()).await
        }
    }
    assert_eq!(n.load(Ordering::SeqCst), 1, "loads of k:000 after {polls} polls of 10 ms");
}
#[tokio::test]
async fn f05_error_becomes_none() {
    let cache = Larder::memory(100);
    let spawn_one = || {
        let c = cache.clone();
        tokio::spawn(async move {
            let _ = c
                .try_get_or_load("k", MINUTE, async || {
                    settle().await;
                    Err::<u32, &str>("down")
                })
                .await;
        })
    };
    let spawn_many = || {
        let c = cache.clone();
        tokio::spawn(async move {
            c.load_many(["k"], MINUTE, |_: Vec<_>| async {
                settle().await;
                Err::<Vec<(&str, u32)>, &str>("down")
            })
            .await
            .map(|v| v[0].as_deref().copied())
        })
    };
    let mut ones: Vec<_> = (0..40).map(|_| spawn_one()).collect();
    let many: Vec<_> = (0..10).map(|_| spawn_many()).collect();
    ones.extend((0..40).map(|_| spawn_one()));
    let mut none = 0;
    for m in many {
        none += u32::from(m.await.unwrap() == Ok(None));
    }
    for o in ones {
        o.await.unwrap();
    }
    assert_eq!(none, 0, "of 10 batches were told that there is no such key; no loader ever said so");
}
