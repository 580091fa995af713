//! How a store that several share tells each of them what the others change.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::sync::Mutex;
use crate::target::{Strength, Target};

/// Hears what anybody changes in a store (what its own process changes may be told too): a tier in front drops its copies,
/// an engine lets nobody join the loads in flight.
///
/// It is called on the store's own thread, so it must not block, nor ask the store anything.
pub trait Listener: Send + Sync {
    /// What `target` covers was written, removed, invalidated or has expired; or, with [`Strength::MarkStale`], may still be
    /// served as stale. Said after it is so in the store. The notice is handled when this returns.
    ///
    /// Notices may come more than once, late, and in any order.
    fn changed(&self, target: Target<'_>, strength: Strength);

    /// What stands under `key` has changed; but it may be no more than that a load elsewhere has taken its place there, or
    /// given it up. Copies are dropped. Returns whether a load of the key is under way here: only the store knows whether
    /// that is void, and then says [`changed`](Self::changed).
    fn replaced(&self, key: &str) -> bool {
        self.changed(Target::Key(key), Strength::Remove);
        false
    }

    /// For how long copies are believed here once they are cut off: the store's word for how long it has to wait for who
    /// does not answer. Who keeps none, believes none.
    fn belief(&self) -> Duration {
        Duration::ZERO
    }

    /// Copies are to be believed for `left` from now on and not longer, unless this is said again: whoever waits for this
    /// process to handle a change waits no longer than that. Said before the channel [stands](Self::restored), and from then
    /// on again and again; zero: nothing is to be believed, until more than that is said. A store that never says it need not.
    fn assured(&self, left: Duration) {
        let _ = left;
    }

    /// Changes can no longer be told. They were last known to be told `since` ago. May be said again while it is so.
    fn cut_off(&self, since: Duration);

    /// From before now on changes are told (again). What was changed before is not told any more.
    fn restored(&self);
}

/// What a store answers to who wants to [`listen`](crate::Cache::listen).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Notices {
    /// It tells of every change. Whoever asked is cut off until it is told that the channel stands
    /// ([`Listener::restored`]).
    Given,
    /// Nobody changes it but who was asked: what is in this process, and belongs to it alone.
    Needless,
    /// Others may change it, and it cannot tell of that. What a store says that knows nothing of notices.
    Withheld,
}

/// Those who listen to a store: for the store to keep.
#[derive(Debug, Default)]
pub struct Listeners(Mutex<Vec<Weak<dyn Listener>>>);

impl Listeners {
    /// One more.
    pub fn add(&self, listener: Weak<dyn Listener>) {
        self.add_if(listener, |_| true);
    }

    /// The only one there is; false if there is another.
    pub fn add_first(&self, listener: Weak<dyn Listener>) -> bool {
        self.add_if(listener, <[_]>::is_empty)
    }

    fn add_if(&self, listener: Weak<dyn Listener>, may: impl FnOnce(&[Weak<dyn Listener>]) -> bool) -> bool {
        let mut listeners = self.0.lock();
        listeners.retain(|other| other.strong_count() > 0);
        let may = may(&listeners);
        if may {
            listeners.push(listener);
        }
        may
    }

    /// Calls each that is still there, in the order in which they came. No lock is held meanwhile.
    pub fn tell(&self, tell: impl Fn(&dyn Listener)) {
        self.present().iter().for_each(|listener| tell(&**listener));
    }

    /// The same; whether any of them says so.
    pub fn any(&self, ask: impl Fn(&dyn Listener) -> bool) -> bool {
        self.present().iter().fold(false, |any, listener| ask(&**listener) | any)
    }

    /// The longest that any of them says.
    pub fn longest(&self, ask: impl Fn(&dyn Listener) -> Duration) -> Duration {
        self.present().iter().map(|listener| ask(&**listener)).max().unwrap_or_default()
    }

    fn present(&self) -> Vec<Arc<dyn Listener>> {
        self.0.lock().iter().filter_map(Weak::upgrade).collect()
    }
}
