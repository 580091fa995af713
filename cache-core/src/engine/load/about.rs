//! What one load is about, whatever it loads.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::engine::Engine;
use crate::engine::watch::Began;
use crate::flight::{Caller, Seat, is_loading};
use crate::policy::Policy;
use crate::stats::Event;

/// See the module.
pub(super) struct About<'j> {
    pub(super) engine: &'j Engine,
    pub(super) key: &'j str,
    pub(super) policy: &'j Policy,
    /// Its caller holds its thread.
    pub(super) blocking: bool,
    /// It is called by another load's loader.
    pub(super) nested: bool,
    began: Began,
    /// What this load has been counted as, however often it has to try.
    read: AtomicBool,
    coalesced: AtomicBool,
}

impl<'j> About<'j> {
    pub(super) fn new(engine: &'j Engine, key: &'j str, policy: &'j Policy, blocking: bool) -> Self {
        let (read, coalesced) = (false.into(), false.into());
        Self { engine, key, policy, blocking, nested: is_loading(), began: Began::read(), read, coalesced }
    }

    /// What the read came to: a hit, a miss, or a stale one, once.
    pub(super) fn count_read(&self, event: Event) {
        self.count_once(&self.read, event);
    }

    /// It waits for another caller's load, once.
    pub(super) fn count_coalesced(&self) {
        self.count_once(&self.coalesced, Event::Coalesced);
    }

    fn count_once(&self, counted: &AtomicBool, event: Event) {
        if !counted.swap(true, Ordering::Relaxed) {
            self.saw(event);
        }
    }

    pub(super) fn saw(&self, event: Event) {
        self.engine.saw(self.key, event, self.began);
    }

    /// Sits down in the table of flights.
    pub(super) fn seat(&self, retrying: bool) -> Seat {
        self.engine.shared.flights.seat(self.key, self.policy.tag_list(), self.caller(retrying))
    }

    fn caller(&self, retrying: bool) -> Caller {
        let (capped, queues) = match self.engine.shared.gate.is_set() {
            true => (!self.queues(), self.queues()),
            false => (false, false),
        };
        Caller { blocking: self.blocking, retrying, capped, queues, version: self.policy.version_number() }
    }
}
