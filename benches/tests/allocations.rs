//! A hit of a cached function touches no heap but for what its value's own `Clone` takes there: the key is made on the
//! stack, and neither the call nor its future is in a box.
//!
//! One test in a program of its own, for the allocator counts what every thread does.

use std::alloc::System;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use larder::{Larder, cached};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What lives without the heap, and clones without it.
type Words = [u64; 4];

#[cached(key = "shared:{id}:profile", ttl = "6h")]
fn shared(id: u64) -> Arc<Words> {
    Arc::new([id; 4])
}

#[cached(key = "shared:{id}:profile", ttl = "6h", tags = ["profiles", "profile:{id}"])]
async fn shared_async(id: u64) -> Arc<Words> {
    Arc::new([id; 4])
}

#[cached(key = "owned:{id}:profile", ttl = "6h")]
fn owned(id: u64) -> Words {
    [id; 4]
}

#[cached(key = "owned:{id}:profile", ttl = "6h")]
async fn owned_async(id: u64) -> Words {
    [id; 4]
}

#[cached(key = "named:{name}:profile", ttl = "6h", swr = "1m")]
fn named(name: String) -> Arc<Words> {
    Arc::new([name.len() as u64; 4])
}

#[cached(key = "named:{name}:profile", ttl = "6h")]
async fn named_async(name: &str) -> Arc<Words> {
    Arc::new([name.len() as u64; 4])
}

#[cached(key = "escaped:{name}:{id}", ttl = "6h")]
fn escaped(name: &str, id: Option<u32>) -> Result<Option<Words>, String> {
    Ok(id.map(|id| [u64::from(id) + name.len() as u64; 4]))
}

#[cached(ttl = "6h")]
async fn by_path(pair: (u64, bool), c: char) -> Result<Arc<Words>, String> {
    Ok(Arc::new([pair.0 + u64::from(c); 4]))
}

#[derive(Clone)]
struct Users {
    tenant: u64,
    cache: Larder,
}

impl Users {
    #[cached(cache = self.cache, key = "tenant:{self.tenant}:{id}", ttl = "6h")]
    fn method(&self, id: u64) -> Arc<Words> {
        Arc::new([self.tenant + id; 4])
    }

    #[cached(cache = self.cache, key = "tenant:{self.tenant}:{id}", ttl = "6h")]
    async fn method_async(&self, id: u64) -> Words {
        [self.tenant + id; 4]
    }
}

/// What is there needs one poll, and no executor.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a hit is not ready at once"),
    }
}

#[test]
fn a_hit_allocates_nothing() {
    let users = Users { tenant: 7, cache: Larder::memory(1000) };
    let ten = 0..10_u64;
    let calls: [(&str, &dyn Fn(u64)); 11] = [
        ("sync, u64, Arc", &|id| drop(shared(id))),
        ("async, u64, Arc", &|id| drop(ready(shared_async(id)))),
        ("sync, u64, owned", &|id| assert_eq!(owned(id), [id; 4])),
        ("async, u64, owned", &|id| assert_eq!(ready(owned_async(id)), [id; 4])),
        ("async, &str, Arc", &|_| drop(ready(named_async("Ada Lovelace")))),
        ("sync, an escaped &str and an Option", &|_| {
            assert!(escaped("a:b*{c}\n", Some(7)).is_ok_and(|found| found.is_some()));
        }),
        ("async, by path, a tuple and a char", &|id| drop(ready(by_path((id, true), 'ß')))),
        ("method, sync", &|id| drop(users.method(id))),
        ("method, async", &|id| assert_eq!(ready(users.method_async(id)), [7 + id; 4])),
        ("key", &|id| assert_eq!(shared::key(id).len(), "shared:1:profile".len())),
        ("key of a method", &|id| assert!(users.method_key(id).starts_with("tenant:7:"))),
    ];
    for (what, call) in calls {
        // Filled, and asked once more so that each thread's and the process's own things are there.
        ten.clone().chain(ten.clone()).for_each(call);
        assert_eq!(count(|| ten.clone().for_each(call)), (0, 0), "allocations, reallocations: {what}");
    }
    // An argument that is owned is made by the caller, and dropped by the call: nothing on top of that.
    drop(named("Grace Hopper".to_owned()));
    let name = "Grace Hopper".to_owned();
    assert_eq!(count(move || drop(named(name))), (0, 0), "sync, String, Arc");
    // The counter counts.
    assert!(count(|| drop(shared(1000))).0 > 0, "a miss allocates");
}

fn count(run: impl FnOnce()) -> (usize, usize) {
    let region = Region::new(ALLOCATOR);
    run();
    let change = region.change();
    (change.allocations, change.reallocations)
}
