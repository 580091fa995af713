//! The store: shards by hash, the marks over all of them, and the count that bounds them together.

use std::fmt;
use std::sync::Arc;

use cache_core::{Clock, Usage, Value};
use rapidhash::v3::{RapidSecrets, rapidhash_v3_nano_inline};

use crate::builder::MemoryBuilder;
use crate::marks::Marks;
use crate::policy::S3Fifo;
use crate::shard::{Shard, Stored};
use crate::sweep::sweep_later;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, Padded, ShardGuard, ShardLock};

/// An in-process store. Clones share it.
///
/// Give a store to one `Larder` (whose clones share everything), or to several with different namespaces. Two of one
/// namespace would share entries but not flights: a caller of one could join its load in flight though the other
/// has invalidated the key.
///
/// Holds at most its capacity of entries, and evicts by S3-FIFO. What has expired or was invalidated is never
/// served from that moment on; its memory is given back within a second, also if nobody reads.
///
/// ```
/// use backend_memory::Memory;
/// use cache_core::Engine;
/// use std::time::Duration;
///
/// let cache = Engine::new(Memory::builder().capacity(1000).build());
/// cache.set("greeting", "hello".to_owned(), Duration::from_secs(60)).wait()?;
/// assert_eq!(*cache.get::<String>("greeting").wait()?.unwrap(), "hello");
/// # Ok::<(), cache_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Memory(pub(crate) Arc<Store>);

pub(crate) struct Store {
    shards: Box<[Padded<ShardLock<Shard<S3Fifo>>>]>,
    /// Random, so that nobody can choose keys that collide.
    secrets: RapidSecrets,
    pub(crate) marks: Marks,
    pub(crate) clock: Clock,
    capacity: usize,
    /// Entries in all shards.
    entries: AtomicUsize,
    sweeping: Mutex<()>,
}

/// Fewer entries than this are not worth a shard. (A model wants several shards with few entries.)
const ENTRIES_PER_SHARD: usize = if cfg!(shuttle) { 2 } else { 256 };
const MOST_SHARDS: usize = 64;

impl Memory {
    /// How it is put together.
    pub fn builder() -> MemoryBuilder {
        MemoryBuilder::default()
    }

    pub(crate) fn new(capacity: usize, clock: Clock) -> Self {
        let shards = (capacity / ENTRIES_PER_SHARD).next_power_of_two().clamp(1, MOST_SHARDS);
        let store = Arc::new(Store {
            shards: (0..shards).map(|_| Padded(ShardLock::new(Shard::default()))).collect(),
            secrets: RapidSecrets::random(),
            marks: Marks::default(),
            clock,
            capacity,
            entries: AtomicUsize::new(0),
            sweeping: Mutex::new(()),
        });
        sweep_later(store.clock.clone(), Arc::downgrade(&store), Store::sweep);
        Self(store)
    }
}

impl Store {
    #[inline]
    pub(crate) fn hash(&self, key: &str) -> u64 {
        // The variant for short input: it is inlined, also for keys of more than 16 bytes.
        rapidhash_v3_nano_inline::<true, false>(key.as_bytes(), &self.secrets)
    }

    /// The shard of a hash. Not by its lowest or topmost bits: the shard's own table goes by those.
    #[inline]
    pub(crate) fn shard(&self, hash: u64) -> ShardGuard<'_, Shard<S3Fifo>> {
        let at = (hash >> 40) as usize & (self.shards.len() - 1);
        self.shards[at].0.lock()
    }

    /// Stores under the lock of `shard`. What gives way is to be dropped when the lock is free.
    pub(crate) fn put(
        &self,
        shard: &mut Shard<S3Fifo>,
        hash: u64,
        key: &str,
        stored: Stored,
    ) -> Option<Value> {
        match shard.replace(hash, key.as_bytes(), stored) {
            Ok(old) => old,
            Err(stored) => {
                let evicted = self.make_room(shard);
                shard.insert(hash, key.as_bytes(), stored);
                evicted
            }
        }
    }

    /// Counts one entry more, in place of another one of the same shard where the store is full.
    fn make_room(&self, shard: &mut Shard<S3Fifo>) -> Option<Value> {
        if self.entries.load(Ordering::Relaxed) >= self.capacity
            && let Some(evicted) = shard.evict()
        {
            return Some(evicted);
        }
        if self.entries.fetch_add(1, Ordering::Relaxed) < self.capacity {
            return None;
        }
        let evicted = shard.evict()?;
        self.entries.fetch_sub(1, Ordering::Relaxed);
        Some(evicted)
    }

    /// An entry left otherwise than by eviction.
    pub(crate) fn left(&self, entries: usize) {
        self.entries.fetch_sub(entries, Ordering::Relaxed);
    }

    /// Where a full store had nothing to evict in the shard that grew, another one gives way. Holds no lock.
    pub(crate) fn balance(&self) {
        if self.entries.load(Ordering::Relaxed) <= self.capacity {
            return;
        }
        for Padded(shard) in &self.shards {
            let mut shard = shard.lock();
            let evicted = (shard.len() > 1).then(|| shard.evict()).flatten();
            drop(shard);
            if evicted.is_some() {
                self.left(1);
                return;
            }
        }
    }

    /// Gives back the memory of what has expired or was invalidated, and forgets the marks that are not needed
    /// any more.
    pub(crate) fn sweep(&self) {
        // One at a time: a second one would forget marks that the first has not yet held every entry against. Whoever
        // comes meanwhile (a value's `Drop` may) leaves it to the one that runs, and to the next.
        let Some(_alone) = self.sweeping.try_lock() else { return };
        let sweep = self.marks.begin_sweep();
        let mut oldest_load = u64::MAX;
        let mut gone = Vec::new();
        for Padded(shard) in &self.shards {
            let mut shard = shard.lock();
            let now = self.clock.now();
            shard.sweep(&self.marks, &sweep, now, &mut gone);
            oldest_load = oldest_load.min(shard.fences.oldest());
            drop(shard);
            self.left(gone.len());
            gone.clear();
        }
        self.marks.forget(&sweep, oldest_load);
    }

    /// Everything out, at once.
    pub(crate) fn clear(&self) {
        for Padded(shard) in &self.shards {
            let mut shard = shard.lock();
            let entries = shard.len();
            let contents = shard.clear();
            drop(shard);
            self.left(entries);
            drop(contents);
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for Padded(shard) in &self.shards {
            let shard = shard.lock();
            usage.entries += shard.len() as u64;
            usage.weight += shard.len() as u64;
            usage.evictions += shard.evictions;
            usage.expirations += shard.expirations;
        }
        usage
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("capacity", &self.0.capacity)
            .field("entries", &self.0.entries.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}
