//! The process's clock: one thread that renews the coarse time and sets off alarms.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::{Alarm, Alarms, Clock, Source, Time};

const TICK: Duration = Duration::from_millis(20);
/// After so many ticks the coarse time is given up; the next read takes it up again. An idle process sleeps.
const TICKS: u32 = 50;
const NOBODY_KEEPS_IT: u64 = u64::MAX;

struct System {
    origin: Instant,
    coarse: Arc<AtomicU64>,
    asleep: AtomicBool,
    alarms: Mutex<Alarms>,
    wake: Condvar,
}

/// Time is the same for everybody, so this is shared; what tests want to turn is a `ManualClock`.
static SYSTEM: LazyLock<Arc<System>> = LazyLock::new(|| {
    let system = Arc::new(System {
        origin: Instant::now(),
        coarse: Arc::new(AtomicU64::new(NOBODY_KEEPS_IT)),
        asleep: AtomicBool::new(false),
        alarms: Mutex::default(),
        wake: Condvar::new(),
    });
    let keeper = system.clone();
    // Without the thread every read asks the precise clock, and nothing is lost but alarms and speed.
    let _ = std::thread::Builder::new().name("larder-clock".into()).spawn(move || keeper.keep());
    system
});

pub(super) fn clock() -> Clock {
    Clock { coarse: SYSTEM.coarse.clone(), source: SYSTEM.clone() }
}

impl System {
    fn elapsed(&self) -> Time {
        Time::ZERO
            .max(Time::from_millis(u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX - 1)))
    }

    fn keep(&self) {
        loop {
            for _ in 0..TICKS {
                self.coarse.store(self.elapsed().as_millis(), Ordering::Relaxed);
                let mut alarms = self.alarms.lock();
                let now = self.elapsed();
                let nap = alarms.next().map_or(TICK, |at| TICK.min(at - now));
                if !nap.is_zero() {
                    self.wake.wait_for(&mut alarms, nap);
                }
                drop(alarms);
                self.ring();
            }
            self.coarse.store(NOBODY_KEEPS_IT, Ordering::Relaxed);
            self.sleep();
        }
    }

    /// Until somebody reads the time; alarms go off meanwhile.
    fn sleep(&self) {
        let mut alarms = self.alarms.lock();
        self.asleep.store(true, Ordering::Release);
        while self.asleep.load(Ordering::Acquire) {
            match alarms.next().map(|at| at - self.elapsed()) {
                None => self.wake.wait(&mut alarms),
                Some(Duration::ZERO) => {
                    MutexGuard::unlocked(&mut alarms, || self.ring());
                    // Whoever read the time just now was most likely the alarm; anybody else does so again.
                    self.asleep.store(true, Ordering::Release);
                }
                Some(nap) => {
                    let _ = self.wake.wait_for(&mut alarms, nap);
                }
            }
        }
    }

    /// Sets off what is due. Meanwhile nobody keeps the coarse time, and readers ask the precise clock.
    fn ring(&self) {
        let mut ringing = false;
        loop {
            let due = self.alarms.lock().take_due(self.elapsed());
            let Some(alarm) = due else { return };
            if !std::mem::replace(&mut ringing, true) {
                self.coarse.store(NOBODY_KEEPS_IT, Ordering::Relaxed);
            }
            // What an alarm runs may be a user's `Drop`; its panic must not stop the clock.
            let _ = catch_unwind(AssertUnwindSafe(|| alarm.go_off()));
        }
    }
}

impl Source for System {
    fn now(&self) -> Time {
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::AcqRel) {
            drop(self.alarms.lock());
            self.wake.notify_one();
        }
        self.elapsed()
    }

    fn set_alarm(&self, at: Time, alarm: Alarm) -> u64 {
        let mut alarms = self.alarms.lock();
        let sooner = alarms.next().is_none_or(|next| at < next);
        let number = alarms.set(at, alarm);
        drop(alarms);
        if sooner {
            self.wake.notify_one();
        }
        number
    }

    fn cancel(&self, at: Time, number: u64) {
        let cancelled = self.alarms.lock().cancel(at, number);
        drop(cancelled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarse_time_is_never_ahead_and_alarms_ring() {
        let clock = clock();
        let (tx, rx) = std::sync::mpsc::channel();
        let at = clock.now() + Duration::from_millis(5);
        clock.run_at(at, move || tx.send(()).unwrap_or(()));
        rx.recv_timeout(Duration::from_secs(5)).expect("the alarm rings");
        assert!(!clock.is_before(at));
        assert!(clock.is_before(clock.now() + Duration::from_secs(10)));
        let coarse = clock.coarse.load(Ordering::Relaxed);
        assert!(coarse == NOBODY_KEEPS_IT || coarse <= clock.now().as_millis());
    }
}
