//! Models of the store: shuttle decides at each lock and atomic which thread goes on, some thousand times over.
//! `RUSTFLAGS="--cfg shuttle" cargo test -p backend-memory --test shuttle`; CONTRIBUTING.md says more.
#![cfg(shuttle)]

use std::sync::{Arc, Weak};
use std::time::Duration;

use backend_memory::Memory;
#[cfg(feature = "moka")]
use backend_memory::Moka;
use cache_core::{
    Cache, Entry, Fence, Kind, Lifetime, Listener, Listeners, ManualClock, Notices, Reply, Set, Stored,
    Strength, Target, Tiered, Usage, Value,
};
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;

const KEY: &str = "k:1";
const CAPACITY: usize = 4;

type Store = fn(&ManualClock) -> Arc<dyn Cache>;

/// Memory; memory in front of memory; and Moka: with room for all, as moka evicts under locks of its own, which no model knows of.
const STORES: &[Store] = &[
    |clock| Arc::new(memory(clock)),
    |clock| Arc::new(tiered(clock, Arc::new(memory(clock)), Duration::ZERO)),
    #[cfg(feature = "moka")]
    |clock| Arc::new(Moka::builder().capacity(1_000).clock(clock.clock()).build()),
];

/// The model over each of the stores.
fn explore_all(model: impl Fn(Arc<dyn Cache>, ManualClock) + Copy + Send + Sync + 'static) {
    for store in STORES {
        explore(move || {
            let clock = ManualClock::new();
            model(store(&clock), clock);
        });
    }
}

/// `LARDER_MODELS` times as many schedules as usual, by chance and with a few forced turns at bad moments.
fn explore(model: impl Fn() + Copy + Send + Sync + 'static) {
    let times = std::env::var("LARDER_MODELS").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    shuttle::check_random(model, 1_000 * times);
    shuttle::check_pct(model, 1_000 * times, 3);
}

fn memory(clock: &ManualClock) -> Memory {
    Memory::builder().capacity(CAPACITY).clock(clock.clock()).build()
}

fn tiered(clock: &ManualClock, far: Arc<dyn Cache>, cut_off_ttl: Duration) -> Tiered {
    Tiered::builder(Arc::new(memory(clock)), far).clock(clock.clock()).cut_off_ttl(cut_off_ttl).build()
}

fn sweep(clock: &ManualClock) {
    clock.advance(Duration::from_millis(500));
}

fn set(cache: &dyn Cache, key: &str, number: u64, fence: Option<cache_core::Fence>) {
    let set = Set { tags: &["tag".into()], fence, ..Set::new(Lifetime::FOREVER) };
    cache.set(key, Value::new(Arc::new(number)), set).wait().expect("set");
}

fn read(cache: &dyn Cache, key: &str) -> Option<u64> {
    let number = |value: Value| *value.downcast::<u64>().expect("a number");
    let glance = cache.fresh(key).map(number);
    let entry = cache.get(key, Kind::of::<u64>()).wait().expect("readable");
    glance.or(entry.map(|entry| number(entry.value)))
}

fn invalidate(cache: &dyn Cache, target: Target<'_>) {
    cache.invalidate(target, Strength::Remove).wait().expect("invalidated");
}

type Change = fn(&dyn Cache);

/// G1: a load that began before the change is not seen by a reader that begins after it, whatever sweeps and evicts.
fn a_load_against(change: Change) {
    explore_all(move |store, clock| {
        let truth = Arc::new(AtomicU64::new(0));
        let (cache, source) = (store.clone(), truth.clone());
        let loader = thread::spawn(move || {
            let fence = cache.fence(KEY).wait().expect("a fence");
            let loaded = source.load(Ordering::SeqCst);
            set(&*cache, KEY, loaded, Some(fence));
            cache.release(KEY, fence);
        });
        let (cache, turned) = (store.clone(), clock.clone());
        let sweeper = thread::spawn(move || {
            sweep(&turned);
            set(&*cache, "other:1", 9, None);
            set(&*cache, "other:2", 9, None);
            sweep(&turned);
        });
        truth.store(1, Ordering::SeqCst);
        change(&*store);
        // A sweep between the change and the publication must keep the mark that the load is held against.
        sweep(&clock);
        assert_ne!(read(&*store, KEY), Some(0), "after the change");
        loader.join().expect("no panic");
        sweeper.join().expect("no panic");
        assert_ne!(read(&*store, KEY), Some(0), "in the end");
    });
}

#[test]
fn a_load_against_delete() {
    a_load_against(|cache| drop(cache.delete(KEY)));
}

#[test]
fn a_load_against_set() {
    a_load_against(|cache| set(cache, KEY, 1, None));
}

/// The tag is named only by what is published.
#[test]
fn a_load_against_its_tag() {
    a_load_against(|cache| invalidate(cache, Target::Tag("tag")));
}

#[test]
fn a_load_against_a_pattern() {
    a_load_against(|cache| invalidate(cache, Target::Pattern("k:*")));
}

#[test]
fn a_load_against_clear() {
    a_load_against(|cache| invalidate(cache, Target::All));
}

/// What was there before is gone after, also if a reader, a sweep and another mark are under way.
fn an_entry_against(change: Change) {
    explore_all(move |store, clock| {
        set(&*store, KEY, 0, None);
        let cache = store.clone();
        let reader = thread::spawn(move || {
            read(&*cache, KEY);
            invalidate(&*cache, Target::Pattern("other:*"));
            read(&*cache, KEY);
        });
        let sweeper = thread::spawn(move || {
            sweep(&clock);
            sweep(&clock);
        });
        change(&*store);
        assert_eq!(read(&*store, KEY), None, "after the change");
        reader.join().expect("no panic");
        sweeper.join().expect("no panic");
        assert_eq!(read(&*store, KEY), None, "in the end");
    });
}

#[test]
fn an_entry_against_its_tag() {
    an_entry_against(|cache| invalidate(cache, Target::Tag("tag")));
}

#[test]
fn an_entry_against_a_pattern() {
    an_entry_against(|cache| invalidate(cache, Target::Pattern("k:*")));
}

/// The second sweep must not forget the mark that the first still holds entries against.
#[test]
fn two_sweeps_bring_nothing_back() {
    explore_all(|store, clock| {
        for key in ["k:1", "k:2", "k:3"] {
            set(&*store, key, 0, None);
        }
        let sweeps = [clock.clone(), clock].map(|clock| thread::spawn(move || sweep(&clock)));
        invalidate(&*store, Target::Pattern("k:*"));
        for sweep in sweeps {
            sweep.join().expect("no panic");
        }
        assert!(["k:1", "k:2", "k:3"].iter().all(|key| read(&*store, key).is_none()));
    });
}

/// The count that bounds the store is right in the end, and the bound holds.
#[test]
fn clear_set_and_sweep_leave_the_count_right() {
    explore(|| {
        let clock = ManualClock::new();
        let memory = memory(&clock);
        let writers = [0, 1].map(|writer| {
            let cache = memory.clone();
            thread::spawn(move || {
                for i in 0..3 {
                    set(&cache, &format!("k:{writer}:{i}"), i, None);
                }
                drop(cache.delete("k:0:1"));
            })
        });
        let sweeper = thread::spawn(move || sweep(&clock));
        invalidate(&memory, Target::All);
        for writer in writers {
            writer.join().expect("no panic");
        }
        sweeper.join().expect("no panic");
        let held = memory.usage().entries;
        assert!(held <= CAPACITY as u64, "{held} entries");
        assert!(format!("{memory:?}").contains(&format!("entries: {held},")), "{held} held, in {memory:?}");
        let keys = (0..2).flat_map(|writer| (0..3).map(move |i| format!("k:{writer}:{i}")));
        assert_eq!(keys.filter(|key| read(&memory, key).is_some()).count() as u64, held);
    });
}

#[test]
fn incr_is_exact() {
    explore_all(|store, clock| {
        let adders = [(); 3].map(|()| {
            let cache = store.clone();
            thread::spawn(move || {
                for _ in 0..2 {
                    cache.incr(KEY, 1, Lifetime::FOREVER).wait().expect("counted");
                }
            })
        });
        sweep(&clock);
        for adder in adders {
            adder.join().expect("no panic");
        }
        assert_eq!(store.incr(KEY, 0, Lifetime::FOREVER).wait().expect("counted"), 6);
    });
}

/// A store that others change, and that tells of it when the model says so.
struct Shared(Memory, Listeners);

impl Cache for Shared {
    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.0.get(key, kind)
    }
    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.0.ttl(key)
    }
    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        self.0.set(key, value, options)
    }
    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.0.delete(key)
    }
    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        self.0.invalidate(target, strength)
    }
    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        self.0.expire(key, ttl)
    }
    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        self.0.incr(key, delta, lifetime)
    }
    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        self.0.fence(key)
    }
    fn release(&self, key: &str, fence: Fence) {
        self.0.release(key, fence);
    }
    fn listen(&self, listener: Weak<dyn Listener>) -> Notices {
        self.1.add(listener);
        Notices::Given
    }
    fn usage(&self) -> Usage {
        self.0.usage()
    }
}

/// G2, G3: the source has 1 in place of 0, and `change` says so to the store behind a process's back, and by its channel in some way. Once it has, nobody
/// reads 0 there, whatever reads and loads were under way.
fn copies_against(change: fn(&Shared)) {
    explore(move || {
        let clock = ManualClock::new();
        let shared = Arc::new(Shared(memory(&clock), Listeners::default()));
        let cache = Arc::new(tiered(&clock, shared.clone(), Duration::ZERO));
        shared.1.tell(|listener| listener.restored());
        set(&shared.0, KEY, 0, None);
        let truth = Arc::new(AtomicU64::new(0));
        let (source, loading) = (truth.clone(), cache.clone());
        let loader = thread::spawn(move || {
            let fence = loading.fence(KEY).wait().expect("a fence");
            let loaded = source.load(Ordering::SeqCst);
            set(&*loading, KEY, loaded, Some(fence));
            loading.release(KEY, fence);
        });
        let reading = cache.clone();
        let reader = thread::spawn(move || {
            read(&*reading, KEY);
            read(&*reading, KEY);
        });
        truth.store(1, Ordering::SeqCst);
        change(&shared);
        assert_ne!(read(&*cache, KEY), Some(0), "after the change");
        loader.join().expect("no panic");
        reader.join().expect("no panic");
        assert_ne!(read(&*cache, KEY), Some(0), "in the end");
    });
}

#[test]
fn copies_against_a_notice() {
    copies_against(|shared| {
        set(&shared.0, KEY, 1, None);
        shared.1.tell(|listener| listener.changed(Target::Key(KEY), Strength::Remove));
    });
}

#[test]
fn copies_against_the_notice_of_a_tag() {
    copies_against(|shared| {
        invalidate(&shared.0, Target::Tag("tag"));
        shared.1.tell(|listener| listener.changed(Target::Tag("tag"), Strength::Remove));
    });
}

/// The word of it is lost with the channel, and nothing is trusted without one.
#[test]
fn copies_against_a_break() {
    copies_against(|shared| {
        shared.1.tell(|listener| listener.cut_off(Duration::ZERO));
        set(&shared.0, KEY, 1, None);
    });
}

/// The same, and then the channel stands again.
#[test]
fn copies_against_a_break_that_is_over() {
    copies_against(|shared| {
        shared.1.tell(|listener| listener.cut_off(Duration::ZERO));
        set(&shared.0, KEY, 1, None);
        shared.1.tell(|listener| listener.restored());
    });
}
