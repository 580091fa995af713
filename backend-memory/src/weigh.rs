//! What values weigh: by their type, as the user says.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cache_core::{Cacheable, Value};

type Weigher = Box<dyn Fn(&dyn Any) -> u32 + Send + Sync>;

/// What a counter weighs: it changes under the shard's lock, where nobody can be asked.
pub(crate) const COUNTER: u32 = 1;

/// A weigher for each type that has one.
#[derive(Default)]
pub(crate) struct Weighers(HashMap<TypeId, Weigher>);

impl Weighers {
    pub(crate) fn add<T: Cacheable>(&mut self, weigh: impl Fn(&T) -> u32 + Send + Sync + 'static) {
        // Asked by type only, so the cast holds.
        let weigh = move |value: &dyn Any| value.downcast_ref().map_or(1, &weigh);
        self.0.insert(TypeId::of::<T>(), Box::new(weigh));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What `value` weighs, at least one; `None` if its weigher panicked. User's code: no lock may be held.
    #[inline]
    pub(crate) fn weigh(&self, value: &Value) -> Option<u32> {
        let value = value.as_any();
        if self.0.is_empty() || value.is::<i64>() {
            return Some(COUNTER);
        }
        let Some(weigh) = self.0.get(&value.type_id()) else { return Some(1) };
        catch_unwind(AssertUnwindSafe(|| weigh(value))).ok().map(|weight| weight.max(1))
    }
}

impl fmt::Debug for Weighers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Weighers({})", self.0.len())
    }
}
