//! A clock by a time that somebody else keeps: a simulation's.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::Mutex;

use super::{Alarm, Clock, Source, Time};

/// A time of its own, for a [`Clock`] to go by.
pub trait Timer: Send + Sync + 'static {
    /// The time, which never goes back.
    fn now(&self) -> Time;

    /// Runs `run` once it is `at`; not before this has returned.
    fn at(&self, at: Time, run: Box<dyn FnOnce() + Send>);
}

struct Foreign<T> {
    timer: T,
    alarms: Arc<Mutex<Set>>,
}

/// Alarms that have neither gone off nor been cancelled.
#[derive(Default)]
struct Set {
    by_number: HashMap<u64, Alarm>,
    count: u64,
}

impl Clock {
    /// A clock by the time of `timer` (feature `testing`).
    pub fn by(timer: impl Timer) -> Self {
        // Nobody keeps the coarse time: it is the precise one that is read.
        Self {
            coarse: Arc::new(AtomicU64::new(u64::MAX)),
            source: Arc::new(Foreign { timer, alarms: Arc::default() }),
        }
    }
}

impl<T: Timer> Source for Foreign<T> {
    fn now(&self) -> Time {
        self.timer.now()
    }

    fn set_alarm(&self, at: Time, alarm: Alarm) -> u64 {
        let number = {
            let mut set = self.alarms.lock();
            set.count += 1;
            let number = set.count;
            set.by_number.insert(number, alarm);
            number
        };
        let alarms = self.alarms.clone();
        self.timer.at(
            at,
            Box::new(move || {
                let alarm = alarms.lock().by_number.remove(&number);
                alarm.into_iter().for_each(Alarm::go_off);
            }),
        );
        number
    }

    fn cancel(&self, _: Time, number: u64) {
        let cancelled = self.alarms.lock().by_number.remove(&number);
        drop(cancelled);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::task::Waker;

    use super::*;

    type Runs = Mutex<Vec<(Time, Box<dyn FnOnce() + Send>)>>;

    #[derive(Clone, Default)]
    struct Kept(Arc<(AtomicU64, Runs)>);

    impl Timer for Kept {
        fn now(&self) -> Time {
            Time::from_millis(self.0.0.load(Ordering::Relaxed))
        }

        fn at(&self, at: Time, run: Box<dyn FnOnce() + Send>) {
            self.0.1.lock().push((at, run));
        }
    }

    #[test]
    fn alarms_go_off_once_and_not_when_they_are_cancelled() {
        let (kept, rung) = (Kept::default(), Arc::new(AtomicU64::new(0)));
        let clock = Clock::by(kept.clone());
        let its = rung.clone();
        clock.run_at(Time::from_millis(5), move || {
            its.fetch_add(1, Ordering::Relaxed);
        });
        drop(clock.wake_at(Time::from_millis(6), Waker::noop()));
        kept.0.0.store(7, Ordering::Relaxed);
        assert_eq!(clock.now().as_millis(), 7);
        assert!(!clock.is_before(Time::from_millis(7)) && clock.is_before(Time::from_millis(8)));
        let due = std::mem::take(&mut *kept.0.1.lock());
        assert_eq!(due.len(), 2);
        due.into_iter().for_each(|(_, run)| run());
        assert_eq!(rung.load(Ordering::Relaxed), 1);
    }
}
