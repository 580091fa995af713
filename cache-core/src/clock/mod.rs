//! The one seam for time: a monotonic clock that a hit can afford to read, alarms, and a manual twin for tests.

#[cfg(feature = "testing")]
mod foreign;
mod manual;
mod system;
mod timer;

use std::future::pending;
use std::ops::{Add, Sub};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;
use std::time::Duration;

#[cfg(feature = "testing")]
pub use foreign::Timer;
pub use manual::ManualClock;
pub(crate) use timer::{Deadline, within};

/// A moment, in milliseconds since its clock began. Arithmetic saturates; [`Time::MAX`] is never.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Time(u64);

impl Time {
    /// The clock's beginning.
    pub const ZERO: Self = Self(0);
    /// Never.
    pub const MAX: Self = Self(u64::MAX);

    /// The moment `ms` milliseconds after the clock's beginning.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the clock's beginning.
    pub const fn as_millis(self) -> u64 {
        self.0
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        // A part of a millisecond counts as a whole one: a TTL of 1 µs is not a TTL of nothing.
        let part = duration.subsec_nanos().div_ceil(1_000_000);
        let ms = duration.as_secs().saturating_mul(1000).saturating_add(part.into());
        Self(self.0.saturating_add(ms))
    }
}

impl Sub for Time {
    type Output = Duration;

    /// The time from `earlier` to `self`, zero if it is the later one; from anything to [`Time::MAX`] is for ever.
    fn sub(self, earlier: Self) -> Duration {
        if self == Self::MAX {
            Duration::MAX
        } else {
            Duration::from_millis(self.0.saturating_sub(earlier.0))
        }
    }
}

/// What an alarm does when its time has come.
pub(crate) enum Alarm {
    Wake(Waker),
    Run(Box<dyn FnOnce() + Send>),
}

impl Alarm {
    fn go_off(self) {
        match self {
            Self::Wake(waker) => waker.wake(),
            Self::Run(run) => run(),
        }
    }
}

trait Source: Send + Sync {
    fn now(&self) -> Time;
    /// Sets an alarm, and says by which number it can be cancelled.
    fn set_alarm(&self, at: Time, alarm: Alarm) -> u64;
    fn cancel(&self, at: Time, number: u64);
}

/// An alarm that wakes somebody, until it is dropped.
pub(crate) struct WakeUp {
    source: Arc<dyn Source>,
    at: Time,
    number: u64,
}

impl Drop for WakeUp {
    fn drop(&mut self) {
        self.source.cancel(self.at, self.number);
    }
}

/// A monotonic clock in milliseconds. Clones share it; the default is the system's.
///
/// Reading the system's clock costs more than a whole cache hit may, so a hit reads a *coarse* time that one
/// thread of the process renews every 20 ms, and asks the precise clock only when a deadline is nearer than
/// 250 ms. While nothing reads the cache, that thread sleeps.
#[derive(Clone)]
pub struct Clock {
    /// Never ahead of the precise time; `u64::MAX` while nobody keeps it.
    coarse: Arc<AtomicU64>,
    source: Arc<dyn Source>,
}

/// How far the coarse time may lag before a deadline could be missed by it.
const MARGIN_MS: u64 = 250;

impl Clock {
    /// The process's clock.
    pub fn system() -> Self {
        system::clock()
    }

    /// The precise time.
    pub fn now(&self) -> Time {
        self.source.now()
    }

    /// Whether `deadline` has not come yet, exactly; costs an atomic load unless the deadline is near.
    #[inline]
    pub fn is_before(&self, deadline: Time) -> bool {
        deadline.0.saturating_sub(self.coarse.load(Ordering::Relaxed)) > MARGIN_MS || self.now() < deadline
    }

    /// Wakes `waker` once, at `at`, unless the alarm is dropped before.
    pub(crate) fn wake_at(&self, at: Time, waker: &Waker) -> WakeUp {
        let number = self.source.set_alarm(at, Alarm::Wake(waker.clone()));
        WakeUp { source: self.source.clone(), at, number }
    }

    /// Returns after `time`.
    pub(crate) async fn sleep(&self, time: Duration) {
        within(self, Some(self.now() + time), pin!(pending::<()>())).await;
    }

    /// Runs `run` once, at `at`, on the clock's thread: for housekeeping that is short.
    pub fn run_at(&self, at: Time, run: impl FnOnce() + Send + 'static) {
        self.source.set_alarm(at, Alarm::Run(Box::new(run)));
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clock({} ms)", self.now().0)
    }
}

/// Alarms by time, earliest first, in the order in which they were set.
#[derive(Default)]
struct Alarms {
    by_time: std::collections::BTreeMap<(Time, u64), Alarm>,
    set: u64,
}

impl Alarms {
    fn set(&mut self, at: Time, alarm: Alarm) -> u64 {
        self.set += 1;
        self.by_time.insert((at, self.set), alarm);
        self.set
    }

    /// The alarm, if it has not gone off; its waker is to be dropped without the lock.
    fn cancel(&mut self, at: Time, number: u64) -> Option<Alarm> {
        self.by_time.remove(&(at, number))
    }

    fn next(&self) -> Option<Time> {
        self.by_time.first_key_value().map(|((at, _), _)| *at)
    }

    fn take_due(&mut self, now: Time) -> Option<Alarm> {
        if self.next()? > now {
            return None;
        }
        self.by_time.pop_first().map(|(_, alarm)| alarm)
    }
}
