//! Every contender does what it is timed at.

use super::*;
use crate::contender::{Contender, Profile};

fn does_its_job(cache: &impl Contender) {
    let name = cache.name();
    assert_eq!(cache.get("a"), None, "{name}");
    cache.insert("a", Profile::new(1));
    assert_eq!(cache.get("a").as_deref(), Some(&Profile::new(1)), "{name}");
    assert_eq!(*cache.get_or_insert("a", || unreachable!("{name}")), Profile::new(1));
    assert_eq!(*cache.get_or_insert("b", || Profile::new(2)), Profile::new(2), "{name}");
    assert_eq!(cache.get("b").as_deref(), Some(&Profile::new(2)), "{name}");

    assert_eq!(cache.get_each(&["a", "b", "absent"]).misses, 1, "{name}");
    assert_eq!(cache.get_each(&["a", "b", "b"]).sum, 5, "{name}");
    assert_eq!(cache.get_or_insert_each(&["a", "c", "c"]).misses, 1, "{name}");
}

#[test]
fn all_do_their_jobs() {
    does_its_job(&QuickCache::new(100));
    does_its_job(&QuickCacheGetThenInsert::new(100));
    does_its_job(&Dashmap::new());
    does_its_job(&Moka::new(100));
    does_its_job(&Foyer::new(100));
    does_its_job(&Cached::new(100));
    does_its_job(&CachedGetThenSet::new(100));
    does_its_job(&LarderWait::new(100));
    does_its_job(&LarderAwait::new(100));
    does_its_job(&LarderGetThenSet::new(100));
    does_its_job(&LarderWait::namespaced(100));
    does_its_job(&LarderWait::tiered(100));
    does_its_job(&LarderWait::tagged(100));
}
