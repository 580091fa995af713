//! The store: shards by hash, the marks over all of them, and the count that bounds them together.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use cache_core::{Clock, Usage, Value};
use rapidhash::v3::{RapidSecrets, rapidhash_v3_nano_inline};

use crate::budget::{Budget, Room};
use crate::builder::MemoryBuilder;
use crate::departure::{Departed, Listener, tell_and_drop};
use crate::marks::Marks;
use crate::policy::{Id, S3Fifo};
use crate::shard::Shard;
use crate::sweep::sweep_later;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, Padded, ShardGuard, ShardLock, yield_now};
use crate::weigh::Weighers;

/// An in-process store. Clones share it.
///
/// Give a store to one `Larder` (whose clones share everything), or to several with different namespaces. Two of one
/// namespace would share entries but not flights: a caller of one could join its load in flight though the other
/// has invalidated the key.
///
/// Holds at most its capacity, of entries or by weight, and evicts by S3-FIFO. What has expired or was invalidated
/// is never served from that moment on; its memory is given back within a second, also if nobody reads.
///
/// Invalidating by pattern or tag takes the same time whatever the number of entries. Patterns are remembered until
/// the next sweep, half a second at most: 131 072 different ones, 32 of them where they differ only in what is not
/// literal text. Where there are more, more is invalidated than they match, at worst everything: values are then
/// loaded again, and none is served that should not be.
///
/// ```
/// use larder::{Larder, Memory};
/// use std::time::Duration;
///
/// let cache = Larder::over(Memory::builder().capacity(1000).build());
/// cache.set("greeting", "hello".to_owned(), Duration::from_secs(60)).wait()?;
/// assert_eq!(*cache.get::<String>("greeting").wait()?.unwrap(), "hello");
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone)]
pub struct Memory(pub(crate) Arc<Store>);

pub(crate) struct Store {
    shards: Box<[Padded<ShardLock<Shard<S3Fifo>>>]>,
    /// Random, so that nobody can choose keys that collide.
    secrets: RapidSecrets,
    pub(crate) marks: Marks,
    pub(crate) clock: Clock,
    budget: Budget,
    weighers: Weighers,
    listener: Option<Listener>,
    /// The shard that gives way next, where the one that grows cannot.
    turn: AtomicUsize,
    sweeping: Mutex<()>,
    /// Held by who collects room from several shards.
    collecting: Mutex<()>,
}

/// There is none in this shard.
pub(crate) struct NoRoom;

/// Fewer entries than this are not worth a shard. (A model wants several shards with few entries.)
const ENTRIES_PER_SHARD: u64 = if cfg!(shuttle) { 2 } else { 256 };
const MOST_SHARDS: u64 = 64;

impl Memory {
    /// How it is put together.
    pub fn builder() -> MemoryBuilder {
        MemoryBuilder::default()
    }

    /// For about so many `entries`, as far as `budget` goes.
    pub(crate) fn new(
        entries: u64,
        budget: Budget,
        weighers: Weighers,
        listener: Option<Listener>,
        clock: Clock,
    ) -> Self {
        let shards = (entries / ENTRIES_PER_SHARD).clamp(1, MOST_SHARDS).next_power_of_two() as usize;
        let store = Arc::new(Store {
            shards: (0..shards).map(|_| Padded(ShardLock::new(Shard::default()))).collect(),
            secrets: RapidSecrets::random(),
            marks: Marks::default(),
            clock,
            budget,
            weighers,
            listener,
            turn: AtomicUsize::new(0),
            sweeping: Mutex::new(()),
            collecting: Mutex::new(()),
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

    /// What `value` weighs; `None` if it cannot be kept. The user's code: no lock may be held.
    pub(crate) fn weigh(&self, value: &Value) -> Option<u32> {
        self.weighers.weigh(value).filter(|weight| self.budget.admits((*weight).into()))
    }

    /// Takes room for an entry of this weight under `key`, `found` being its predecessor; where the store is full,
    /// something of the shard gives way. An error if nothing is left in it, or so little that another one should
    /// give: see [`make_room`](Self::make_room).
    #[inline]
    pub(crate) fn take_room(
        &self,
        shard: &mut Shard<S3Fifo>,
        found: &mut Option<Id>,
        (hash, key): (u64, &str),
        weight: u32,
        out: &mut Departed,
    ) -> Result<Room, NoRoom> {
        loop {
            let room = shard.room_for(*found, weight);
            if self.budget.take(room, &mut out.room) {
                return Ok(room);
            }
            if self.budget.is_poor(shard.held(), self.shards.len()) || !shard.evict(out) {
                return Err(NoRoom);
            }
            // It may be the predecessor that gave way.
            *found = found.and_then(|_| shard.find(hash, key.as_bytes()));
        }
    }

    /// Room for an entry of this weight, into the hands of `out`: shard after shard gives an entry. Holds no lock, and
    /// calls nobody: a listener that stores something must not wait for room that is in its caller's hands.
    pub(crate) fn make_room(&self, weight: u32, out: &mut Departed) {
        let room = Room { entries: 1, weight: weight.into() };
        // One at a time, and with empty hands before: two who collect would each wait for what the other holds.
        self.budget.give(std::mem::take(&mut out.room));
        let _alone = self.collecting.lock();
        let mut fruitless = 0;
        while !self.budget.take(room, &mut out.room) {
            let at = self.turn.fetch_add(1, Ordering::Relaxed) & (self.shards.len() - 1);
            fruitless = if self.shards[at].0.lock().evict(out) { 0 } else { fruitless + 1 };
            if fruitless > self.shards.len() {
                // It is in the hands of others, who are about to store.
                yield_now();
            }
        }
        out.room.add(room);
    }

    /// Where what leaves is put.
    pub(crate) fn departed(&self) -> Departed {
        Departed::new(self.listener.is_some())
    }

    /// The entries in `out` have left: their room is free, the listener is told, and they are dropped. No lock may
    /// be held.
    #[inline]
    pub(crate) fn settle(&self, out: Departed) {
        self.budget.give(out.room);
        out.tell(self.listener.as_ref());
    }

    /// Gives back the memory of what has expired or was invalidated, and forgets the marks that are not needed
    /// any more.
    pub(crate) fn sweep(&self) {
        // One at a time: a second one would forget marks that the first has not yet held every entry against. Whoever
        // comes meanwhile (a value's `Drop` may) leaves it to the one that runs, and to the next.
        let Some(_alone) = self.sweeping.try_lock() else { return };
        let sweep = self.marks.begin_sweep();
        let (mut oldest_load, mut trouble) = (u64::MAX, None);
        for Padded(shard) in &self.shards {
            let mut next = Some(0);
            while let Some(from) = next {
                let mut out = self.departed();
                let now = self.clock.now();
                next = shard.lock().sweep(from, (&self.marks, &sweep, now), &mut out);
                // A value's `Drop` that panics must not leave the sweep half done.
                trouble = catch_unwind(AssertUnwindSafe(|| self.settle(out))).err().or(trouble);
            }
            let stays_sparse = shard.lock().stays_sparse();
            while stays_sparse && shard.lock().compact() {}
            let mut shard = shard.lock();
            oldest_load = oldest_load.min(shard.fences.oldest());
            shard.fences.shrink();
            self.marks.released(shard.take_released());
        }
        self.marks.forget(&sweep, oldest_load);
        if let Some(panic) = trouble {
            resume_unwind(panic);
        }
    }

    /// Everything out, at once.
    pub(crate) fn clear(&self) {
        for Padded(shard) in &self.shards {
            let contents = shard.lock().clear();
            self.budget.give(contents.room);
            let (left, tags) = contents.leave();
            self.marks.released(tags);
            tell_and_drop(left, self.listener.as_ref());
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        let Room { entries, weight } = self.budget.used();
        let mut usage = Usage { entries, weight, ..Usage::default() };
        for Padded(shard) in &self.shards {
            let shard = shard.lock();
            usage.evictions += shard.evictions;
            usage.expirations += shard.expirations;
        }
        usage
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("entries", &self.0.budget.used().entries).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cache_core::{Cache, Lifetime, ManualClock, Set, Strength, Target};

    use super::*;

    /// Of tags that entries bore, nothing is left when the entries are not there any more, however they went.
    #[test]
    fn tags_go_with_the_entries_that_bore_them() {
        let clock = ManualClock::new();
        let memory = Memory::builder().capacity(5_000).clock(clock.clock()).build();
        let fill = || {
            for i in 0..5_000 {
                let (key, tags) = (format!("k:{i}"), [format!("t:{i}").into()]);
                let options = Set { tags: &tags, ..Set::new(Lifetime::FOREVER) };
                memory.set(&key, Value::new(Arc::new(1_u8)), options).wait().expect("set");
            }
            clock.advance(Duration::from_secs(1));
            assert_eq!(memory.0.marks.tags_kept(), 5_000);
        };
        let swept = || {
            clock.advance(Duration::from_secs(1));
            assert_eq!(memory.0.marks.tags_kept(), 0);
        };
        fill();
        for i in 0..5_000 {
            memory.delete(&format!("k:{i}")).wait().expect("deleted");
        }
        swept();
        fill();
        memory.invalidate(Target::All, Strength::Remove).wait().expect("ok");
        swept();
        fill();
        for i in 0..5_000 {
            let value = Value::new(Arc::new(2_u8));
            memory.set(&format!("k:{i}"), value, Set::new(Lifetime::FOREVER)).wait().expect("set");
        }
        swept();
    }

    /// After a burst, little is left of the slots.
    #[test]
    fn the_memory_of_a_burst_is_given_back() {
        let clock = ManualClock::new();
        let memory = Memory::builder().capacity(100_000).clock(clock.clock()).build();
        let second = Lifetime { fresh: Duration::from_secs(1), total: Duration::from_secs(1) };
        for i in 0..100_000 {
            let value = Value::new(Arc::new(1_u8));
            memory.set(&format!("k:{i}"), value, Set::new(second)).wait().expect("set");
        }
        let slots = || memory.0.shards.iter().map(|shard| shard.0.lock().slots_kept()).sum::<usize>();
        assert!(slots() >= 100_000);
        clock.advance(Duration::from_secs(2));
        assert!(slots() <= 1_000, "{}", slots());
    }
}
