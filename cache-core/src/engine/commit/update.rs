//! Updates under way: functions that write a row and store what they return.
//!
//! Two of one key, or one beside an invalidation, may reach the cache in another order than their source. So each
//! update learns, from before it writes until it is stored, what others change; if that covers its key, its value may
//! be the older one, and the key is forgotten instead.

use std::cell::Cell;
use std::sync::Arc;

use crate::engine::Engine;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, thread_local};
use crate::target::{Named, Target};

/// How many changes of others an update remembers; after more, it takes itself for overtaken.
const REMEMBERED: usize = 256;

thread_local! {
    /// The group for which this thread changes the cache now; 0 is nobody's.
    static GROUP: Cell<u64> = const { Cell::new(0) };
}

/// The updates under way in one cache.
#[derive(Default)]
pub(in crate::engine) struct Updates {
    /// Those in `running`. Sequentially consistent: who finds none has written before any that comes begins to write.
    count: AtomicUsize,
    running: Mutex<Vec<Arc<Witness>>>,
}

/// What an update has seen others change.
struct Witness {
    /// Its own group's changes are no trouble to it: they are made in their order.
    group: u64,
    /// `None`: too much to remember.
    seen: Mutex<Option<Vec<Named>>>,
}

impl Updates {
    /// Somebody is about to change `target`. Called before the change: so an update that is stored after it knows.
    pub(in crate::engine) fn disturb(&self, target: Target<'_>) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let group = GROUP.with(Cell::get);
        for witness in
            self.running.lock().iter().filter(|witness| witness.group == 0 || witness.group != group)
        {
            let mut seen = witness.seen.lock();
            match &mut *seen {
                Some(targets) if targets.len() < REMEMBERED => targets.push(target.into()),
                _ => *seen = None,
            }
        }
    }
}

/// One update, from before its function writes until its value is stored or given up.
pub(super) struct Update {
    engine: Engine,
    witness: Arc<Witness>,
}

impl Update {
    pub(super) fn begin(engine: &Engine, group: u64) -> Self {
        let updates = &engine.shared.updates;
        let witness = Arc::new(Witness { group, seen: Mutex::new(Some(Vec::new())) });
        updates.running.lock().push(witness.clone());
        updates.count.fetch_add(1, Ordering::SeqCst);
        Self { engine: engine.clone(), witness }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether somebody else may have written `key` since it began.
    pub(super) fn is_overtaken(&self, key: &str, tags: &[Box<str>]) -> bool {
        let seen = self.witness.seen.lock();
        seen.as_ref().is_none_or(|targets| targets.iter().any(|named| named.target().covers(key, tags)))
    }
}

impl Drop for Update {
    fn drop(&mut self) {
        let updates = &self.engine.shared.updates;
        updates.running.lock().retain(|other| !Arc::ptr_eq(other, &self.witness));
        updates.count.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Runs `change`, which is made for `group`.
pub(super) fn on_behalf_of<R>(group: u64, change: impl FnOnce() -> R) -> R {
    struct Restore(u64);
    impl Drop for Restore {
        fn drop(&mut self) {
            GROUP.with(|group| group.set(self.0));
        }
    }
    let _restore = Restore(GROUP.with(|current| current.replace(group)));
    change()
}
