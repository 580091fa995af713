//! Looks now and then whether what memory serves is what the store behind has.
//!
//! ```text
//! a hit, once one is due ─► far has that value ──────────────────────────────► compared
//!                              │ it does not
//!                              └─► the bound is waited for ─► far has it now, or near serves it no more ─► compared
//!                                                               │ neither
//!                                                               └─► compared, and disagreed
//! ```
//!
//! Near is looked at before far is asked, and again when far has answered: what far told before its answer is then handled,
//! where word and answers come on one way. One comparison is under way at a time, and no hit waits for it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::near::{Near, is_here_alone};
use super::twins::are_twins;
use crate::cache::Cache;
use crate::clock::{Clock, Time};
use crate::coherence::Coherence;
use crate::deadline::Freshness;
use crate::runtime;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::target::{Strength, Target};
use crate::value::Value;

/// A break is noticed within this; from then on copies are believed for `cut_off_ttl` (G3).
const NOTICED: Duration = Duration::from_secs(2);
/// For how long health tells of a copy that disagreed.
const TOLD_FOR: Duration = Duration::from_secs(3600);

/// See the module.
pub(super) struct Sampler(Arc<Shared>);

/// What a comparison under way has of it, too.
struct Shared {
    near: Arc<Near>,
    far: Arc<dyn Cache>,
    clock: Clock,
    every: Duration,
    /// For how long a copy may be served that is not what far has.
    bound: Duration,
    /// Whether the next hit is to be compared.
    due: AtomicBool,
    /// Whether the cache is closed.
    over: AtomicBool,
    compared: AtomicU64,
    disagreed: AtomicU64,
    /// When it last was.
    last: Mutex<Option<Time>>,
}

/// What one look at both stores says.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Look {
    Agrees,
    Differs,
    /// Near does not serve that copy any more.
    Gone,
    /// Far cannot be asked.
    Unknown,
}

impl Sampler {
    pub(super) fn new(near: &Arc<Near>, far: &Arc<dyn Cache>, clock: Clock, every: Duration) -> Self {
        let bound = near.trust.alone().saturating_add(NOTICED);
        let shared = Arc::new(Shared {
            near: near.clone(),
            far: far.clone(),
            clock,
            every,
            bound,
            due: AtomicBool::new(false),
            over: AtomicBool::new(false),
            compared: AtomicU64::new(0),
            disagreed: AtomicU64::new(0),
            last: Mutex::new(None),
        });
        due_later(&shared);
        Self(shared)
    }

    /// From now on nothing is compared.
    pub(super) fn end(&self) {
        self.0.over.store(true, Ordering::SeqCst);
        self.0.due.store(false, Ordering::SeqCst);
    }

    /// Near has answered with `value`.
    #[inline]
    pub(super) fn saw(&self, key: &str, value: &Value) {
        if self.0.due.load(Ordering::Relaxed) {
            self.take(key, value);
        }
    }

    #[cold]
    fn take(&self, key: &str, value: &Value) {
        if self.0.due.swap(false, Ordering::AcqRel) {
            let turn = Turn(Arc::downgrade(&self.0));
            runtime::spawn(Box::pin(turn.compare(key.into(), value.clone())), false);
        }
    }

    /// Adds what it has counted.
    pub(super) fn count(&self, coherence: &mut Coherence) {
        coherence.compared += self.0.compared.load(Ordering::Relaxed);
        coherence.disagreed += self.0.disagreed.load(Ordering::Relaxed);
    }

    /// What it has found lately, in words.
    pub(super) fn trouble(&self) -> Option<String> {
        let ago = self.0.clock.now() - (*self.0.last.lock())?;
        if ago > TOLD_FOR {
            return None;
        }
        let [disagreed, compared] =
            [&self.0.disagreed, &self.0.compared].map(|count| count.load(Ordering::Relaxed));
        Some(format!(
            "{disagreed} of {compared} compared entries of memory differed from the store behind for more than {:?}, the \
             last one {} s ago, and were dropped: does all that writes there go by it, so that it can tell of it? Until \
             that is found, a short `l1_ttl` bounds how old an entry of memory can be",
            self.0.bound,
            ago.as_secs()
        ))
    }
}

/// After a while the next hit is compared.
fn due_later(shared: &Arc<Shared>) {
    let (clock, weak) = (&shared.clock, Arc::downgrade(shared));
    clock.run_at(clock.now() + shared.every, move || {
        if let Some(shared) = weak.upgrade().filter(|shared| !shared.over.load(Ordering::SeqCst)) {
            shared.due.store(true, Ordering::Release);
        }
    });
}

/// One comparison. When it is over, however that comes, there is another one later.
struct Turn(Weak<Shared>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.upgrade().iter().for_each(due_later);
    }
}

impl Turn {
    /// Holds the stores while it looks at them, and not while it waits.
    async fn compare(self, key: Box<str>, value: Value) {
        let Some(shared) = self.0.upgrade() else { return };
        match shared.look(&key, &value).await {
            Look::Differs => {}
            // It was struck while far was asked, or is for near alone.
            Look::Gone => return,
            look => return shared.looked(&key, look),
        }
        let (clock, bound) = (shared.clock.clone(), shared.bound);
        drop(shared);
        clock.sleep(bound).await;
        if let Some(shared) = self.0.upgrade() {
            let look = shared.look(&key, &value).await;
            shared.looked(&key, look);
        }
    }
}

impl Shared {
    async fn look(&self, key: &str, value: &Value) -> Look {
        let copy = |key| {
            let copy = self.near.held(key, value.kind())?;
            let is_it = copy.value.is(value) && copy.freshness() == Freshness::Fresh;
            (is_it && !is_here_alone(&copy)).then_some(copy)
        };
        let Some(before) = copy(key) else { return Look::Gone };
        let found = self.far.confirmed(key, value.kind()).await;
        match are_twins(&before, found) {
            None => Look::Unknown,
            Some(true) => Look::Agrees,
            Some(false) if copy(key).is_none() => Look::Gone,
            Some(false) => Look::Differs,
        }
    }

    /// The comparison is over.
    fn looked(&self, key: &str, look: Look) {
        if look == Look::Unknown {
            return;
        }
        self.compared.fetch_add(1, Ordering::Relaxed);
        if look == Look::Differs {
            self.disagreed.fetch_add(1, Ordering::Relaxed);
            *self.last.lock() = Some(self.clock.now());
            self.near.strike(Target::Key(key), Strength::Remove);
        }
    }
}
