//! Single flight: the load of a key that its callers share.
//!
//! A flight is *joined* from the table, and *lands* once: with a value, with a failure, or abandoned. Whoever
//! invalidates its key takes it out of the table, so that nobody who comes later joins it; those who had joined
//! still get its value. No lock is held while anybody waits or loads.

mod ambient;
mod follow;
mod table;

use std::any::Any;
use std::sync::Arc;
use std::sync::Weak;
use std::task::Waker;

use crate::clock::Time;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::value::Value;

pub(crate) use ambient::{Ambient, Pilot, Piloted, is_loading};
pub(crate) use follow::Follow;
pub(crate) use table::{Beside, Caller, Flights, Seat};

/// How a flight ended.
#[derive(Clone)]
pub(crate) enum Landing {
    /// Its value.
    Value(Value),
    /// The load failed; its error, where that can be shared.
    Failed(Option<Arc<dyn Any + Send + Sync>>),
    /// The leader found something in the cache: what it is good for now, each follower finds out for itself.
    Found,
    /// A value that nobody else may have: each loads for itself, a few at a time.
    Unshared,
    /// Its leader panicked, was cancelled, or is not polled any more: somebody else must lead.
    Abandoned,
}

/// One load in flight.
pub(crate) struct Flight {
    hash: u64,
    key: Box<str>,
    tags: Box<[Box<str>]>,
    /// A blocking leader runs on its own thread until it is done; only an async one can be forgotten.
    blocking: bool,
    /// The version that its load gives.
    version: u32,
    /// How many tags had been invalidated when it began, or when its source was first read.
    struck: AtomicU64,
    /// Whether its source may have been read.
    reads: AtomicBool,
    /// Whether its load runs, and does not wait for a place to run in.
    started: AtomicBool,
    /// The thread that polled the leader last; see [`ambient::this_thread`].
    thread: AtomicUsize,
    /// Whether there is a landing.
    landed: AtomicBool,
    /// How many load beside its leader, after an earlier load failed.
    beside: AtomicUsize,
    state: Mutex<State>,
    /// The flights that this one's loader waits for.
    waits_for: Mutex<Vec<Weak<Flight>>>,
}

#[derive(Default)]
struct State {
    /// The tags that its loader has named, besides those that were known before.
    late_tags: Vec<Box<str>>,
    landing: Option<Landing>,
    followers: Vec<Option<Waker>>,
    /// The places among them that nobody has.
    free: Vec<usize>,
    leader: Option<Waker>,
    /// Since when the leader owes a sign of life.
    asked: Option<Time>,
    /// The place among the loads that may run, to be given up with the flight.
    place: Option<Arc<dyn GivenUp>>,
}

impl Flight {
    fn new((hash, key): (u64, &str), tags: &[Box<str>], caller: Caller, struck: u64) -> Self {
        Self {
            hash,
            key: key.into(),
            tags: tags.into(),
            blocking: caller.blocking,
            version: caller.version,
            struck: AtomicU64::new(struck),
            reads: AtomicBool::new(false),
            started: AtomicBool::new(!caller.queues),
            thread: AtomicUsize::new(ambient::this_thread()),
            landed: AtomicBool::new(false),
            beside: AtomicUsize::new(0),
            state: Mutex::default(),
            waits_for: Mutex::default(),
        }
    }

    /// Ends the flight, once; a later landing is of no account. Returns whether this was the first.
    fn land(&self, landing: Landing) -> bool {
        let mut state = self.state.lock();
        if state.landing.is_some() {
            return false;
        }
        state.landing = Some(landing);
        self.landed.store(true, Ordering::Release);
        let (leader, followers) = (state.leader.take(), std::mem::take(&mut state.followers));
        let place = state.place.take();
        // A waker may be the last to hold its task, whose drop may drop the lead of this very flight.
        drop(state);
        drop(leader);
        place.inspect(|place| place.give_up());
        followers.into_iter().flatten().for_each(Waker::wake);
        true
    }

    fn bears(&self, tag: &str) -> bool {
        let is_among = |tags: &[Box<str>]| tags.iter().any(|other| **other == *tag);
        is_among(&self.tags) || is_among(&self.state.lock().late_tags)
    }

    fn has_landed(&self) -> bool {
        self.landed.load(Ordering::Acquire)
    }
}

/// What a flight holds, and gives up when it ends, also where its leader is not polled any more.
pub(crate) trait GivenUp: Send + Sync {
    fn give_up(&self);
}

/// The one who loads. Dropped without having landed, it abandons the flight.
pub(crate) struct Lead {
    flights: Arc<Flights>,
    flight: Arc<Flight>,
    landing: Landing,
}

impl Lead {
    fn new(flights: Arc<Flights>, flight: Arc<Flight>) -> Self {
        Self { flights, flight, landing: Landing::Abandoned }
    }

    /// Whether the followers still count on this leader: they give up on one that is not polled.
    pub(crate) fn is_followed(&self) -> bool {
        !self.flight.has_landed()
    }

    /// Its value bears these tags too. To be said before it is published: whoever invalidates one of them after that takes
    /// the flight out of the table, and whoever did before is in the way of the publication.
    pub(crate) fn bears(&self, tags: &[Box<str>]) {
        self.flight.state.lock().late_tags = tags.to_vec();
    }

    /// Whether any tag at all has been invalidated since this flight began.
    pub(crate) fn outlived_a_tag(&self) -> bool {
        self.flights.struck() != self.flight.struck.load(Ordering::SeqCst)
    }

    /// From now on its source is read: what was invalidated before is no matter.
    pub(crate) fn reads(&self) {
        if !self.flight.reads.load(Ordering::SeqCst) {
            self.flight.struck.store(self.flights.struck(), Ordering::SeqCst);
            self.flight.reads.store(true, Ordering::SeqCst);
        }
    }

    /// Its load runs, in this place among those that may.
    pub(crate) fn started(&self, place: Option<&Arc<dyn GivenUp>>) {
        if place.is_some() {
            self.flight.state.lock().place = place.cloned();
        }
        self.flight.started.store(true, Ordering::SeqCst);
    }

    pub(crate) fn key(&self) -> &str {
        &self.flight.key
    }

    /// Ends the flight and wakes its followers.
    pub(crate) fn land(mut self, landing: Landing) {
        self.landing = landing;
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        // Out of the table first: who comes now reads the cache, where the value already is.
        self.flights.remove(&self.flight);
        self.flight.land(std::mem::replace(&mut self.landing, Landing::Abandoned));
    }
}
