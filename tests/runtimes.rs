//! Threads without a runtime, both of tokio's runtimes, and `wait()` inside them.

mod common;

use std::time::Duration;

use common::{Subject, subjects};
use larder::Larder;

const TTL: Duration = Duration::from_secs(60);

fn synchronous(cache: &Larder) {
    cache.set("set", 1_u8, TTL).wait().expect("set");
    assert_eq!(cache.get::<u8>("set").wait().expect("readable").as_deref(), Some(&1));
    assert_eq!(*cache.get_or_compute("computed", TTL, || 2_u8), 2);
    let failed: Result<_, &str> = cache.try_get_or_compute("failed", TTL, || Err::<u8, _>("no"));
    assert_eq!(failed, Err("no"));
    cache.clear().wait().expect("cleared");
}

async fn asynchronous(cache: &Larder) {
    cache.set("set", 1_u8, TTL).await.expect("set");
    assert_eq!(cache.get::<u8>("set").await.expect("readable").as_deref(), Some(&1));
    let loader = || async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        2_u8
    };
    assert_eq!(*cache.get_or_load("loaded", TTL, loader).await, 2);
    cache.clear().await.expect("cleared");
}

#[test]
fn without_a_runtime() {
    for Subject { cache, .. } in subjects() {
        std::thread::scope(|scope| {
            scope.spawn(|| synchronous(&cache));
        });
    }
}

#[tokio::test]
async fn on_a_current_thread_runtime() {
    for Subject { cache, .. } in subjects() {
        asynchronous(&cache).await;
        synchronous(&cache);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_multi_thread_runtime() {
    for Subject { cache, .. } in subjects() {
        asynchronous(&cache).await;
        synchronous(&cache);
        let tasks = [0; 8].map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move {
                for _ in 0..100 {
                    assert_eq!(*cache.get_or_load("async", TTL, || async { 3_u8 }).await, 3);
                    assert_eq!(*cache.get_or_compute("async", TTL, || 3_u8), 3);
                    cache.invalidate("async").await.expect("ok");
                }
            })
        });
        for task in tasks {
            task.await.expect("no panic");
        }
    }
}

#[test]
fn on_any_executor() {
    let cache = Larder::memory(10);
    let value = futures_like::block_on(async { cache.get_or_load("k", TTL, || async { 4_u8 }).await });
    assert_eq!(*value, 4);
}

/// An executor that knows nothing of tokio.
mod futures_like {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    pub(super) fn block_on<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
        }
    }
}
