//! One thread's work: reads, loads, writes, counters, and invalidations of every kind.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use larder::{Larder, Policy, Target};

use super::truth::{Covered, GROUPS, Truth};
use crate::workload::Random;

const SOUND: &str = "memory answers";

/// What all threads have done together.
#[derive(Default)]
pub struct Tally {
    /// Operations.
    pub operations: AtomicU64,
    /// Values that were held against the truth.
    pub checked: AtomicU64,
    /// Values older than they may be.
    pub stale: AtomicU64,
    /// Loads that failed, on purpose.
    pub failures: AtomicU64,
    /// Counters that lost or gained something.
    pub miscounted: AtomicU64,
}

/// One thread.
pub struct Worker<'s> {
    cache: &'s Larder,
    truth: &'s Truth,
    tally: &'s Tally,
    random: Random,
    /// Of this thread alone.
    counter: String,
    count: i64,
}

impl<'s> Worker<'s> {
    /// The `number`th.
    pub fn new(cache: &'s Larder, truth: &'s Truth, tally: &'s Tally, number: u64) -> Self {
        let random = Random::seeded(number + 1);
        Self { cache, truth, tally, random, counter: format!("counter:{number}"), count: 0 }
    }

    /// Works until told to stop.
    pub fn run(mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            for _ in 0..64 {
                self.step();
            }
            self.tally.operations.fetch_add(64, Ordering::Relaxed);
        }
    }

    fn step(&mut self) {
        let key = self.key();
        // Of a million steps: a group goes some twenty times a second, so that the cache has time to fill.
        match self.random.below(1_000_000) {
            0..560_000 => self.get(key),
            560_000..900_000 => self.load(key),
            900_000..910_000 => self.failing_load(key),
            910_000..950_000 => self.set(key),
            950_000..965_000 => self.incr(),
            965_000..985_000 => self.change(Covered::Key(key), Target::Key(&name(key))),
            985_000..985_040 => self.change(Covered::Group(key % GROUPS), Target::Tag(&tag(key))),
            985_040..985_080 => {
                let pattern = format!("group:{}:*", key % GROUPS);
                self.change(Covered::Group(key % GROUPS), Target::Pattern(&pattern));
            }
            985_080 => self.change(Covered::All, Target::Pattern("group:*")),
            985_081..985_120 => drop(self.cache.mark_stale(Target::Tag(&tag(key))).wait()),
            _ => drop(self.cache.expire(name(key), self.ttl()).wait()),
        }
    }

    /// A tenth of the keys has nine tenths of the reads; the rest comes and goes.
    fn key(&mut self) -> usize {
        let keys = self.truth.keys();
        let range = if self.random.below(10) < 9 { keys / 10 } else { keys };
        self.random.below(range.max(1))
    }

    fn ttl(&mut self) -> Duration {
        Duration::from_millis(50 + self.random.below(3000) as u64)
    }

    fn policy(&mut self, key: usize) -> Policy {
        let policy = Policy::ttl(self.ttl()).tags([tag(key)]);
        match self.random.below(3) {
            0 => policy,
            1 => policy.swr(Duration::from_secs(1)),
            _ => policy.sie(Duration::from_secs(1)),
        }
    }

    fn check(&self, least: u64, version: u64) {
        self.tally.checked.fetch_add(1, Ordering::Relaxed);
        if version < least {
            self.tally.stale.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn get(&self, key: usize) {
        let least = self.truth.least(key);
        if let Some(version) = self.cache.get::<u64>(name(key)).wait().expect(SOUND) {
            self.check(least, *version);
        }
    }

    fn load(&mut self, key: usize) {
        let policy = self.policy(key).in_caller();
        let least = self.truth.least(key);
        let version = self.cache.get_or_compute(name(key), policy, || self.truth.version());
        self.check(least, *version);
    }

    fn failing_load(&mut self, key: usize) {
        let policy = self.policy(key).in_caller();
        let least = self.truth.least(key);
        match self.cache.try_get_or_compute(name(key), policy, || Err::<u64, ()>(())) {
            Ok(version) => self.check(least, *version),
            Err(()) => drop(self.tally.failures.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// A write through the cache: the value stored is of the version that the change made.
    fn set(&mut self, key: usize) {
        let policy = self.policy(key);
        let truth = self.truth;
        truth.change(Covered::Key(key), || {
            self.cache.set(name(key), truth.version(), policy).wait().expect(SOUND);
        });
    }

    fn change(&self, covered: Covered, target: Target<'_>) {
        self.truth.change(covered, || self.cache.invalidate(target).wait().expect(SOUND));
    }

    /// Counters may be evicted, and then begin anew; otherwise they are exact.
    fn incr(&mut self) {
        self.count += 1;
        let count = self.cache.incr(&*self.counter, 1).wait().expect(SOUND);
        if count != self.count {
            if count != 1 {
                self.tally.miscounted.fetch_add(1, Ordering::Relaxed);
            }
            self.count = count;
        }
    }
}

fn name(key: usize) -> String {
    format!("group:{}:item:{key}", key % GROUPS)
}

fn tag(key: usize) -> String {
    format!("tag:{}", key % GROUPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many stale reads a worker reports while a writer changes the source again and again.
    fn stale_reads(tell: impl Fn(&Larder)) -> u64 {
        let (cache, truth, tally) = (Larder::memory(1000), Truth::new(640), Tally::default());
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| Worker::new(&cache, &truth, &tally, 0).run(&stop));
            while tally.checked.load(Ordering::Relaxed) < 20_000 {
                truth.change(Covered::All, || tell(&cache));
                std::thread::yield_now();
            }
            stop.store(true, Ordering::Relaxed);
        });
        tally.stale.load(Ordering::Relaxed)
    }

    #[test]
    fn a_writer_who_forgets_to_tell_the_cache_is_found() {
        assert_eq!(stale_reads(|cache| cache.clear().wait().expect(SOUND)), 0);
        assert!(stale_reads(|_| ()) > 0);
    }
}
