//! What every library is asked to do.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The TTL of every entry where the library has one: longer than any run.
pub const TTL: Duration = Duration::from_secs(6 * 3600);

/// What is cached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    words: [u64; 4],
}

impl Profile {
    /// The profile of the `id`th user.
    pub fn new(id: u64) -> Self {
        Self { words: [id; 4] }
    }

    /// Something of it, so that whoever got it must also have read it.
    #[inline]
    pub fn glance(&self) -> u64 {
        self.words[0]
    }
}

/// What one lap over a stream came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lap {
    /// Visits that found nothing.
    pub misses: u64,
    /// Of what was found, so that it had to be read.
    pub sum: u64,
}

impl Lap {
    /// One visit more.
    #[inline]
    pub fn visit(&mut self, found: Option<&Profile>) {
        match found {
            Some(profile) => self.sum = self.sum.wrapping_add(profile.glance()),
            None => self.misses += 1,
        }
    }
}

/// One library, in one way of using it.
pub trait Contender: Sync + 'static {
    /// As the tables have it.
    fn name(&self) -> &'static str;

    /// The value of `key`.
    fn get(&self, key: &str) -> Option<Arc<Profile>>;

    /// Stores `value`, with the [`TTL`] where the library has one.
    fn insert(&self, key: &str, value: Profile);

    /// The value of `key`; what `load` gives is stored where there is none.
    fn get_or_insert(&self, key: &str, load: impl FnOnce() -> Profile) -> Arc<Profile>;

    /// One lap of [`get`](Contender::get). To be overridden by what must be awaited.
    #[inline]
    fn get_each(&self, keys: &[&str]) -> Lap {
        let mut lap = Lap::default();
        for key in keys {
            lap.visit(self.get(key).as_deref());
        }
        lap
    }

    /// One lap of [`get_or_insert`](Contender::get_or_insert). To be overridden by what must be awaited.
    #[inline]
    fn get_or_insert_each(&self, keys: &[&str]) -> Lap {
        let mut lap = Lap::default();
        for key in keys {
            let mut missed = 0;
            let profile = self.get_or_insert(key, || {
                missed = 1;
                Profile::new(7)
            });
            lap.visit(Some(&profile));
            lap.misses += missed;
        }
        lap
    }

    /// One lap of [`insert`](Contender::insert).
    #[inline]
    fn insert_each(&self, keys: &[&str]) -> Lap {
        for key in keys {
            self.insert(key, Profile::new(7));
        }
        Lap::default()
    }
}
