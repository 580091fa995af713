//! A Redis that is not listened to as it should be: this the tests have to find.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use larder::{
    Cache, Connection, Ended, Entry, Fence, Kind, Lease, Lifetime, Listener, Notices, Redis, Reply, Set,
    Stored, Strength, Target, Token, Usage, Value,
};
use serde::{Deserialize, Serialize};

/// What is not heard.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum To {
    /// What others change.
    Notices,
    /// That the channel is lost, and for how long memory may be believed.
    Loss,
}

pub(crate) struct Deaf {
    inner: Redis,
    to: To,
}

impl Deaf {
    pub(crate) fn new(inner: Redis, to: To) -> Self {
        Self { inner, to }
    }
}

#[deny(clippy::missing_trait_methods)]
impl Cache for Deaf {
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
        self.inner.set(key, value, options)
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.inner.delete(key)
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        self.inner.invalidate(target, strength)
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
        self.inner.lease(key, retrying)
    }

    fn release(&self, key: &str, fence: Fence) {
        self.inner.release(key, fence);
    }

    fn settle(&self, key: &str, fence: Fence, ended: Ended) {
        self.inner.settle(key, fence, ended);
    }

    fn listen(&self, listener: Weak<dyn Listener>) -> Notices {
        let deaf: Arc<dyn Listener> =
            Arc::new(Ears { listener, deaf: self.to, stands: AtomicBool::new(false) });
        let notices = self.inner.listen(Arc::downgrade(&deaf));
        // For as long as the process lives.
        std::mem::forget(deaf);
        notices
    }

    fn acknowledged(&self) -> Reply<'_, ()> {
        self.inner.acknowledged()
    }

    fn token(&self) -> Reply<'_, Token> {
        self.inner.token()
    }

    fn read_after(&self, token: &Token) -> Reply<'_, ()> {
        self.inner.read_after(token)
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

/// Who passes on what is heard.
struct Ears {
    listener: Weak<dyn Listener>,
    deaf: To,
    stands: AtomicBool,
}

impl Ears {
    fn pass(&self, to: Option<To>, pass: impl FnOnce(&dyn Listener)) {
        if to != Some(self.deaf)
            && let Some(listener) = self.listener.upgrade()
        {
            pass(&*listener);
        }
    }
}

impl Listener for Ears {
    fn changed(&self, target: Target<'_>, strength: Strength) {
        self.pass(Some(To::Notices), |listener| listener.changed(target, strength));
    }

    fn replaced(&self, key: &str) -> bool {
        let mut loads = false;
        self.pass(Some(To::Notices), |listener| loads = listener.replaced(key));
        loads
    }

    fn belief(&self) -> Duration {
        self.listener.upgrade().map_or(Duration::ZERO, |listener| listener.belief())
    }

    fn assured(&self, left: Duration) {
        let left = if self.deaf == To::Loss { Duration::from_secs(3600) } else { left };
        self.pass(None, |listener| listener.assured(left));
    }

    fn cut_off(&self, since: Duration) {
        self.pass(Some(To::Loss), |listener| listener.cut_off(since));
    }

    fn restored(&self) {
        let again = self.stands.swap(true, Ordering::SeqCst).then_some(To::Loss);
        self.pass(again, |listener| listener.restored());
    }
}
