//! What can be broken on purpose, to see that it is missed: for each guarantee a mechanism behind it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use cache_core::{
    Cache, Connection, Ended, Entry, Fence, Kind, Lease, Lifetime, Listener, Notices, Reply, Set, Stored,
    Strength, Target, Token, Usage, Value,
};

use crate::server::Server;

/// What is broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Switch {
    /// G1: memory takes copies without a fence, as most hybrid caches do.
    CopiesUnfenced,
    /// G2: Redis takes what a load brings whatever has become of its lease.
    PublicationsUnfenced,
    /// G2: what others change is not told.
    NoticesLost,
    /// G2: whoever loads is not told, so that void loads are joined.
    LoadsNotParted,
    /// G2: tags are struck, but their marks stay.
    MarksNotRaised,
    /// G2: a server that has forgotten what it acknowledged is taken for the one that it was.
    ServersAlike,
    /// G3: that the channel is lost, and stands again, is not told.
    CutOffUnnoticed,
    /// G4: what Redis cannot be told is forgotten.
    UndeliveredForgotten,
    /// G5: every process loads.
    LeasesForAll,
    /// G6: memory holds ten times as much.
    CapacityIgnored,
    /// `acked`: nobody is waited for.
    NobodyWaitedFor,
    /// `acked`: who was there is forgotten when Redis forgets it.
    NobodyRemembered,
    /// `acked`: that memory is not believed beyond a lease is not told.
    LeaseUnnoticed,
    /// A token is taken for seen.
    TokensBelieved,
}

impl Switch {
    /// All of them, and which guarantee each one is behind.
    pub const ALL: [(Self, &'static str); 14] = [
        (Self::CopiesUnfenced, "G1"),
        (Self::PublicationsUnfenced, "G2"),
        (Self::NoticesLost, "G2"),
        (Self::LoadsNotParted, "G2"),
        (Self::MarksNotRaised, "G2"),
        (Self::ServersAlike, "G2"),
        (Self::CutOffUnnoticed, "G3"),
        (Self::UndeliveredForgotten, "G4"),
        (Self::LeasesForAll, "G5"),
        (Self::CapacityIgnored, "G6"),
        (Self::NobodyWaitedFor, "acked"),
        (Self::NobodyRemembered, "acked"),
        (Self::LeaseUnnoticed, "acked"),
        (Self::TokensBelieved, "token"),
    ];
}

/// The two tiers, with what is broken in them.
pub(crate) fn break_tiers(
    switch: Option<Switch>,
    near: Arc<dyn Cache>,
    far: Arc<dyn Cache>,
) -> (Arc<dyn Cache>, Arc<dyn Cache>) {
    let Some(switch) = switch else { return (near, far) };
    let sabotaged = |inner| -> Arc<dyn Cache> { Arc::new(Sabotaged { inner, switch: Some(switch) }) };
    match switch {
        Switch::CopiesUnfenced => (sabotaged(near), far),
        _ => (near, sabotaged(far)),
    }
}

/// How much memory holds where it is to hold `capacity`.
pub(crate) fn capacity(switch: Option<Switch>, capacity: usize) -> usize {
    if switch == Some(Switch::CapacityIgnored) { 10 * capacity } else { capacity }
}

/// The whole of it, with what is broken in that.
pub(crate) fn break_whole(switch: Option<Switch>, tiers: impl Cache) -> impl Cache {
    let switch = switch.filter(|switch| *switch == Switch::LoadsNotParted);
    Sabotaged { inner: Arc::new(tiers), switch }
}

/// The server, with what is broken in it.
pub(crate) fn break_server(switch: Option<Switch>, server: &Server) {
    match switch {
        Some(Switch::PublicationsUnfenced) => {
            server.doctor(|script| script.replace("lease <= h.from or lease > h.last", "false"))
        }
        Some(Switch::MarksNotRaised) => {
            server.doctor(|script| script.replace("m.hard = at", "m.hard = m.hard"))
        }
        Some(Switch::NobodyWaitedFor) => {
            server.doctor(|script| script.replace("many, longest = many + 1,", "many, longest = many,"))
        }
        Some(Switch::NobodyRemembered) => {
            server.doctor(|script| script.replace(", 'n:before', lease .. ' 0'", ""))
        }
        Some(Switch::ServersAlike) => server.keep_its_name(),
        _ => {}
    }
}

/// A cache in which something is broken.
struct Sabotaged {
    inner: Arc<dyn Cache>,
    switch: Option<Switch>,
}

impl Sabotaged {
    fn is(&self, switch: Switch) -> bool {
        self.switch == Some(switch)
    }

    /// Whether a change is forgotten.
    fn forgets(&self) -> bool {
        self.is(Switch::UndeliveredForgotten)
            && self.inner.remote().is_some_and(|connection| connection.connected_for.is_none())
    }
}

#[deny(clippy::missing_trait_methods)]
impl Cache for Sabotaged {
    fn fresh(&self, key: &str) -> Option<Value> {
        self.inner.fresh(key)
    }

    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.inner.get(key, kind)
    }

    fn confirmed(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.inner.confirmed(key, kind)
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.inner.ttl(key)
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        let options = if self.is(Switch::CopiesUnfenced) { Set { fence: None, ..options } } else { options };
        self.inner.set(key, value, options)
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        if self.forgets() { Reply::ready(false) } else { self.inner.delete(key) }
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        if self.forgets() { Reply::ready(()) } else { self.inner.invalidate(target, strength) }
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        self.inner.expire(key, ttl)
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        self.inner.incr(key, delta, lifetime)
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        self.inner.fence(key)
    }

    fn lease(&self, key: &str, retrying: bool) -> Reply<'_, Lease> {
        if self.is(Switch::LeasesForAll) {
            return self.inner.fence(key).map(Lease::Mine);
        }
        self.inner.lease(key, retrying)
    }

    fn release(&self, key: &str, fence: Fence) {
        self.inner.release(key, fence);
    }

    fn settle(&self, key: &str, fence: Fence, ended: Ended) {
        self.inner.settle(key, fence, ended);
    }

    fn listen(&self, listener: Weak<dyn Listener>) -> Notices {
        match self.switch {
            Some(Switch::LoadsNotParted) => Notices::Given,
            Some(switch @ (Switch::NoticesLost | Switch::CutOffUnnoticed | Switch::LeaseUnnoticed)) => {
                let deaf: Arc<dyn Listener> =
                    Arc::new(Deaf { inner: listener, switch, stands: AtomicBool::new(false) });
                let notices = self.inner.listen(Arc::downgrade(&deaf));
                // For as long as the node lives, and it is a short life.
                std::mem::forget(deaf);
                notices
            }
            _ => self.inner.listen(listener),
        }
    }

    fn acknowledged(&self) -> Reply<'_, ()> {
        self.inner.acknowledged()
    }

    fn token(&self) -> Reply<'_, Token> {
        self.inner.token()
    }

    fn read_after(&self, token: &Token) -> Reply<'_, ()> {
        if self.is(Switch::TokensBelieved) { Reply::ready(()) } else { self.inner.read_after(token) }
    }

    fn troubles(&self) -> Reply<'_, Vec<String>> {
        self.inner.troubles()
    }

    fn remote(&self) -> Option<Connection> {
        self.inner.remote()
    }

    fn close(&self, within: Duration) -> Reply<'_, u64> {
        self.inner.close(within)
    }

    fn usage(&self) -> Usage {
        self.inner.usage()
    }
}

/// One who does not hear everything.
struct Deaf {
    inner: Weak<dyn Listener>,
    switch: Switch,
    stands: AtomicBool,
}

impl Listener for Deaf {
    fn changed(&self, target: Target<'_>, strength: Strength) {
        if self.switch != Switch::NoticesLost {
            self.inner.upgrade().into_iter().for_each(|listener| listener.changed(target, strength));
        }
    }

    fn replaced(&self, key: &str) -> bool {
        self.switch != Switch::NoticesLost
            && self.inner.upgrade().is_some_and(|listener| listener.replaced(key))
    }

    fn belief(&self) -> Duration {
        self.inner.upgrade().map_or(Duration::ZERO, |listener| listener.belief())
    }

    fn assured(&self, left: Duration) {
        // By its own clock it would notice all the same.
        let notices = !matches!(self.switch, Switch::CutOffUnnoticed | Switch::LeaseUnnoticed);
        let left = if notices { left } else { Duration::from_secs(3600) };
        self.inner.upgrade().into_iter().for_each(|listener| listener.assured(left));
    }

    fn cut_off(&self, since: Duration) {
        if self.switch != Switch::CutOffUnnoticed {
            self.inner.upgrade().into_iter().for_each(|listener| listener.cut_off(since));
        }
    }

    fn restored(&self) {
        if self.switch != Switch::CutOffUnnoticed || !self.stands.swap(true, Ordering::Relaxed) {
            self.inner.upgrade().into_iter().for_each(|listener| listener.restored());
        }
    }
}
