//! How a [`Tiered`] is put together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Tiered;
use super::near::Near;
use super::pairs::Pairs;
use super::sampler::Sampler;
use super::trust::Trust;
use crate::cache::Cache;
use crate::clock::Clock;
use crate::listener::{Listener, Notices};

/// Puts a [`Tiered`] together.
pub struct TieredBuilder {
    near: Arc<dyn Cache>,
    far: Arc<dyn Cache>,
    clock: Clock,
    l1_ttl: Duration,
    cut_off_ttl: Duration,
    sampler: Option<Duration>,
}

impl TieredBuilder {
    pub(super) fn new(near: Arc<dyn Cache>, far: Arc<dyn Cache>) -> Self {
        let (l1_ttl, cut_off_ttl) = (Duration::MAX, Duration::from_secs(5));
        Self { near, far, clock: Clock::default(), l1_ttl, cut_off_ttl, sampler: None }
    }

    /// For how long a copy in memory is served at most before the store behind is asked again; by default for as long as it
    /// is fresh. Zero keeps no copies.
    #[must_use]
    pub fn l1_ttl(mut self, ttl: Duration) -> Self {
        self.l1_ttl = ttl;
        self
    }

    /// How long copies are believed while this process is not told what others change: five seconds by default. Zero asks
    /// the store behind each time.
    ///
    /// When the channel is lost, what was in memory is believed until so long after the moment at which it was last known
    /// to stand; what comes into memory meanwhile, for so long each. Where the store behind cannot tell at all
    /// ([`Notices::Withheld`]), it is the most that any copy is believed; where nobody else changes it
    /// ([`Notices::Needless`]), it counts for nothing.
    ///
    /// It is also for how long others wait for this process, should it die, before they take a change for acknowledged
    /// ([`Reply::acked`](crate::Reply::acked)); in front of Redis three seconds longer. Give all processes the same.
    #[must_use]
    pub fn cut_off_ttl(mut self, ttl: Duration) -> Self {
        self.cut_off_ttl = ttl;
        self
    }

    /// Compares copies in memory with what the store behind has, in the background, one about `every` so often: a watch over
    /// the promise that they agree. Off by default.
    ///
    /// What is compared is what a hit was answered with, so keys are compared as often as they are read. Where the two
    /// differ, it waits for as long as that may be (two seconds and [`cut_off_ttl`](Self::cut_off_ttl)), and looks again. What
    /// is served still, and still is not what the store has, counts as
    /// [`disagreed`](crate::Coherence::disagreed), is dropped from memory, and is told by
    /// [`health`](crate::Engine::health) for an hour. Something is wrong then: with larder, or with whoever writes to the
    /// store without it being able to tell.
    ///
    /// Each comparison is one read of the store, or two. It runs as refreshes do: on the runtime of the hit it is of, or, where
    /// there is none, on a thread of its own. With it, a hit looks at one more flag; that is all.
    #[must_use]
    pub fn sampler(mut self, every: Duration) -> Self {
        self.sampler = Some(every);
        self
    }

    /// The clock by which copies are believed: that of the store in front.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The cache.
    pub fn build(self) -> Tiered {
        let trust = Trust::new(self.clock.clone(), self.cut_off_ttl);
        let near = Arc::new(Near::new(self.near, trust, self.l1_ttl));
        // Cut off until the channel stands, which may be before this returns.
        let listener: Arc<dyn Listener> = near.clone();
        let notices = self.far.listen(Arc::downgrade(&listener));
        match notices {
            Notices::Given => {}
            Notices::Needless => near.trust.never_cut_off(),
            Notices::Withheld => near.trust.never_told(),
        }
        let sampler = self.sampler.map(|every| Sampler::new(&near, &self.far, self.clock, every));
        Tiered { near, far: self.far, pairs: Pairs::default(), notices, sampler }
    }
}

impl fmt::Debug for TieredBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TieredBuilder")
            .field("l1_ttl", &self.l1_ttl)
            .field("cut_off_ttl", &self.cut_off_ttl)
            .field("sampler", &self.sampler)
            .finish_non_exhaustive()
    }
}
