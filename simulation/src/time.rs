//! The time of a node, which goes at a rate of its own and may jump ahead.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_core::{Clock, Time};
use larder::testing::Timer;
use tokio::time::{Instant, sleep};

/// The time of a node. Clones share it.
#[derive(Clone, Debug)]
pub struct NodeTime {
    began: Instant,
    /// In thousandths of the true time's.
    rate: u64,
    /// By how many milliseconds it has jumped ahead.
    ahead: Arc<AtomicU64>,
}

impl NodeTime {
    /// One that goes `rate` thousandths as fast as the true time.
    pub fn new(rate: u64) -> Self {
        Self { began: Instant::now(), rate, ahead: Arc::default() }
    }

    /// The clock for a cache.
    pub fn clock(&self) -> Clock {
        Clock::by(self.clone())
    }

    /// Goes ahead at once.
    pub fn jump(&self, by: Duration) {
        self.ahead.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
    }

    fn millis(&self) -> u64 {
        let passed = self.began.elapsed().as_millis() as u64;
        passed * self.rate / 1000 + self.ahead.load(Ordering::Relaxed)
    }
}

impl Timer for NodeTime {
    fn now(&self) -> Time {
        Time::from_millis(self.millis())
    }

    fn at(&self, at: Time, run: Box<dyn FnOnce() + Send>) {
        // Never, and what is as good as that.
        if at - self.now() > Duration::from_secs(3600) {
            return;
        }
        let its = self.clone();
        tokio::spawn(async move {
            loop {
                let left = at.as_millis().saturating_sub(its.millis());
                if left == 0 {
                    return run();
                }
                // It may have jumped meanwhile, so it is looked at now and then.
                sleep(Duration::from_millis((left * 1000 / its.rate).clamp(1, 500))).await;
            }
        });
    }
}
