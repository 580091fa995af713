//! Counters in stripes, one for each thread: its only writer needs no atomic addition.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

const STRIPES: usize = 64;
const COUNTERS: usize = 13;

/// Two cache lines, so that neighbours do not fetch each other's.
#[repr(align(128))]
#[derive(Default)]
struct Stripe([AtomicU64; COUNTERS]);

/// A set of counters. The first threads have a stripe of their own; further ones share the last.
pub(super) struct Stripes(Box<[Stripe]>);

impl Default for Stripes {
    fn default() -> Self {
        Self((0..=STRIPES).map(|_| Stripe::default()).collect())
    }
}

impl Stripes {
    #[inline]
    pub(super) fn add(&self, counter: usize, count: u64) {
        let seat = seat();
        if seat < STRIPES {
            let counter = &self.0[seat].0[counter];
            counter.store(counter.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
        } else {
            self.0[STRIPES].0[counter].fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(super) fn sum(&self, counter: usize) -> u64 {
        self.0.iter().map(|stripe| stripe.0[counter].load(Ordering::Relaxed)).sum()
    }
}

/// Which stripes are free. Handing one on goes through this lock, so the new writer sees the old one's count.
static SEATS: Mutex<Seats> = Mutex::new(Seats { free: Vec::new(), given: 0 });

struct Seats {
    free: Vec<usize>,
    given: usize,
}

/// Gives the seat back when its thread ends.
struct Seated(usize);

impl Drop for Seated {
    fn drop(&mut self) {
        // Whatever this thread still counts goes to the shared stripe.
        SEAT.set(STRIPES);
        SEATS.lock().free.push(self.0);
    }
}

const UNSEATED: usize = usize::MAX;

thread_local! {
    static SEAT: Cell<usize> = const { Cell::new(UNSEATED) };
    static SEATED: RefCell<Option<Seated>> = const { RefCell::new(None) };
}

#[inline]
fn seat() -> usize {
    match SEAT.get() {
        UNSEATED => take_seat(),
        seat => seat,
    }
}

#[cold]
fn take_seat() -> usize {
    let mut seats = SEATS.lock();
    let seat = seats.free.pop().or_else(|| {
        let next = seats.given;
        seats.given += usize::from(next < STRIPES);
        (next < STRIPES).then_some(next)
    });
    drop(seats);
    let seat = match seat {
        // Where the thread is ending already, nobody would give the seat back.
        Some(seat) if SEATED.try_with(|seated| seated.replace(Some(Seated(seat)))).is_ok() => seat,
        _ => STRIPES,
    };
    SEAT.set(seat);
    seat
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_over_more_threads_than_stripes() {
        let stripes = Stripes::default();
        std::thread::scope(|scope| {
            for _ in 0..3 * STRIPES {
                scope.spawn(|| (0..100).for_each(|_| stripes.add(2, 1)));
            }
        });
        assert_eq!(stripes.sum(2), 300 * STRIPES as u64);
        assert_eq!(stripes.sum(1), 0);
    }
}
