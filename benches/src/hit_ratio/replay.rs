//! The replay itself.

use larder_traces::Trace;

use super::caches::Replayed;

/// The keys of a trace, as text.
pub struct Keys(Vec<String>);

impl Keys {
    /// One for each of the trace's.
    pub fn of(trace: &Trace) -> Self {
        Self((0..trace.unique_keys).map(|number| format!("key:{number}")).collect())
    }
}

/// The part of all accesses that found their key, per cent: get, then insert on a miss, from an empty cache on.
pub fn hit_ratio(trace: &Trace, keys: &Keys, cache: &mut dyn Replayed) -> f64 {
    let hits = trace.accesses.iter().filter(|number| cache.visit(&keys.0[**number as usize])).count();
    100.0 * hits as f64 / trace.accesses.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hit_ratio::CACHES;

    #[test]
    fn every_cache_hits_what_fits_but_not_the_first_time() {
        // Each of ten keys four times in a row.
        let trace = Trace { accesses: (0..40).map(|access| access / 4).collect(), unique_keys: 10 };
        for (name, make) in CACHES {
            let ratio = hit_ratio(&trace, &Keys::of(&trace), &mut *make(1000));
            assert!((ratio - 75.0).abs() < 1e-9, "{name}: {ratio}");
        }
    }

    #[test]
    fn no_cache_holds_much_more_than_its_capacity() {
        // A loop over ten times as many keys as fit: what is hit was kept from the round before.
        let trace = Trace { accesses: (0..20_000).map(|access| access % 5000).collect(), unique_keys: 5000 };
        for (name, make) in CACHES {
            let ratio = hit_ratio(&trace, &Keys::of(&trace), &mut *make(500));
            assert!(ratio < 11.0, "{name}: {ratio}");
        }
    }
}
