//! A clock that tests turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::{Alarm, Alarms, Clock, Source, Time};

/// A clock that stands until it is turned; clones share it.
///
/// ```
/// use std::time::Duration;
/// use larder::ManualClock;
///
/// let manual = ManualClock::new();
/// let clock = manual.clock();
/// let start = clock.now();
/// manual.advance(Duration::from_secs(60));
/// assert_eq!(clock.now() - start, Duration::from_secs(60));
/// ```
#[derive(Clone, Default)]
pub struct ManualClock(Arc<Shared>);

#[derive(Default)]
struct Shared {
    now: Arc<AtomicU64>,
    alarms: Mutex<Alarms>,
}

impl ManualClock {
    /// A clock that stands at its beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// The clock to give to caches.
    pub fn clock(&self) -> Clock {
        Clock { coarse: self.0.now.clone(), source: self.0.clone() }
    }

    /// Turns the clock forward, and runs what falls due, in order, on this thread.
    pub fn advance(&self, by: Duration) {
        let end = self.0.now() + by;
        loop {
            let due = {
                let mut alarms = self.0.alarms.lock();
                let at = alarms.next().filter(|at| *at <= end).unwrap_or(end);
                self.0.now.fetch_max(at.as_millis(), Ordering::Release);
                alarms.take_due(end)
            };
            match due {
                Some(alarm) => alarm.go_off(),
                None => return,
            }
        }
    }
}

impl Source for Shared {
    fn now(&self) -> Time {
        Time::from_millis(self.now.load(Ordering::Acquire))
    }

    fn set_alarm(&self, at: Time, alarm: Alarm) -> u64 {
        let mut alarms = self.alarms.lock();
        // Under the lock, under which the clock is turned.
        if at > self.now() {
            return alarms.set(at, alarm);
        }
        drop(alarms);
        alarm.go_off();
        0
    }

    fn cancel(&self, at: Time, number: u64) {
        let cancelled = self.alarms.lock().cancel(at, number);
        drop(cancelled);
    }
}

impl std::fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ManualClock({} ms)", self.0.now().as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_go_off_in_order_and_may_set_new_ones() {
        let manual = ManualClock::new();
        let (clock, log) = (manual.clock(), Arc::new(Mutex::new(Vec::new())));
        let (inner, first) = (clock.clone(), log.clone());
        clock.run_at(Time::from_millis(5), move || {
            first.lock().push(("first", inner.now().as_millis()));
            let (again, second) = (inner.clone(), first.clone());
            inner.run_at(Time::from_millis(8), move || {
                second.lock().push(("second", again.now().as_millis()))
            });
        });
        manual.advance(Duration::from_millis(4));
        assert!(log.lock().is_empty());
        manual.advance(Duration::from_millis(10));
        assert_eq!(*log.lock(), [("first", 5), ("second", 8)]);
        assert_eq!(clock.now().as_millis(), 14);
    }
}
