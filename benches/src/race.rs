//! Who runs in which race, and in what state a cache comes to its start.

use crate::contender::{Contender, Lap, Profile};
use crate::contenders::{
    Cached, CachedGetThenSet, Dashmap, Foyer, LarderAwait, LarderGetThenSet, LarderWait, Moka, QuickCache,
    QuickCacheGetThenInsert,
};
use crate::workload::Stream;

/// The entrant whose times the others' are divided by.
pub const REFERENCE: &str = "quick_cache";

/// The keys of races in which everything fits.
const FEW: u32 = 10_000;
/// Room for all of them, with what a sharded cache needs on top.
const AMPLE: usize = 20_000;
/// The keys of races with eviction.
const MANY: u32 = 1_000_000;
/// Room for one of them in a hundred.
const SCARCE: usize = 10_000;

type Visit<K> = Box<dyn Fn(&[K]) -> Lap + Sync>;

/// A cache at the start, and what a lap does with it. `K` is what a visit is given.
pub struct Entrant<K> {
    /// As the table has it.
    pub name: &'static str,
    lap: Visit<K>,
}

impl<K> Entrant<K> {
    /// An entrant whose `lap` visits all keys that it is given.
    pub fn new(name: &'static str, lap: impl Fn(&[K]) -> Lap + Sync + 'static) -> Self {
        Self { name, lap: Box::new(lap) }
    }

    /// One lap.
    pub fn lap(&self, keys: &[K]) -> Lap {
        (self.lap)(keys)
    }
}

/// Caches that run against each other over one stream of visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Race {
    /// Everything is there.
    Hit,
    /// Nothing is there, in a cache that holds other keys.
    Miss,
    /// A load on every miss, of a hundred times as many keys as fit.
    GetOrInsert,
    /// The same stream of keys, stored without asking.
    Insert,
}

impl Race {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Hit, Self::Miss, Self::GetOrInsert, Self::Insert];

    /// As the command line has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::GetOrInsert => "get_or_insert",
            Self::Insert => "insert",
        }
    }

    /// What is measured.
    pub fn about(self) -> &'static str {
        match self {
            Self::Hit => "get of 10 000 keys, all present, room for 20 000",
            Self::Miss => "get of 10 000 keys, all absent, among 10 000 others",
            Self::GetOrInsert => "get or insert of 1 000 000 keys, room for 10 000",
            Self::Insert => "insert of 1 000 000 keys, room for 10 000",
        }
    }

    fn is_ample(self) -> bool {
        matches!(self, Self::Hit | Self::Miss)
    }

    /// How many visits make a lap: fewer where they take longer.
    pub fn visits(self) -> usize {
        if self.is_ample() { 1_000_000 } else { 250_000 }
    }

    /// What is visited, in Zipf's proportions.
    pub fn stream(self, visits: usize) -> Stream {
        Stream::zipf(if self.is_ample() { FEW } else { MANY }, visits)
    }

    /// All that run, each in the state in which the race finds it.
    pub fn entrants(self, stream: &Stream) -> Vec<Entrant<&str>> {
        let room = if self.is_ample() { AMPLE } else { SCARCE };
        let loads = self == Self::GetOrInsert;
        let mut field = Field { race: self, stream, entrants: Vec::new() };
        field.enter(QuickCache::new(room));
        if loads {
            field.enter(QuickCacheGetThenInsert::new(room));
            field.enter(CachedGetThenSet::new(room));
        } else {
            field.enter(Dashmap::new());
        }
        field.enter(Cached::new(room));
        field.enter(Moka::new(room));
        field.enter(Foyer::new(room));
        field.enter(LarderWait::new(room));
        field.enter(LarderAwait::new(room));
        field.enter(LarderWait::namespaced(room));
        field.enter(LarderWait::tiered(room));
        if loads {
            field.enter(LarderGetThenSet::new(room));
        } else {
            field.enter(LarderWait::tagged(room));
        }
        field.entrants
    }
}

/// The entrants of one race, as they gather.
struct Field<'k> {
    race: Race,
    stream: &'k Stream,
    entrants: Vec<Entrant<&'k str>>,
}

impl<'k> Field<'k> {
    fn enter<C: Contender>(&mut self, cache: C) {
        let name = cache.name();
        let entrant = match self.race {
            Race::Hit => {
                fill(&cache, self.stream.keys());
                Entrant::new(name, move |keys: &[&'k str]| cache.get_each(keys))
            }
            Race::Miss => {
                let others: Vec<String> = self.stream.keys().map(|key| key.replace("prof", "page")).collect();
                fill(&cache, others.iter().map(String::as_str));
                Entrant::new(name, move |keys: &[&'k str]| cache.get_each(keys))
            }
            Race::GetOrInsert => {
                cache.get_or_insert_each(&self.stream.visits());
                Entrant::new(name, move |keys: &[&'k str]| cache.get_or_insert_each(keys))
            }
            Race::Insert => {
                cache.insert_each(&self.stream.visits());
                Entrant::new(name, move |keys: &[&'k str]| cache.insert_each(keys))
            }
        };
        self.entrants.push(entrant);
    }
}

fn fill<'k>(cache: &impl Contender, keys: impl Iterator<Item = &'k str>) {
    for (id, key) in (0..).zip(keys) {
        cache.insert(key, Profile::new(id));
    }
}
