//! A Redis whose notices nobody hears: this the tests have to find.

use std::sync::{Arc, Weak};
use std::time::Duration;

use larder::{
    Cache, Connection, Ended, Entry, Fence, Kind, Lease, Lifetime, Listener, Notices, Redis, Reply, Set,
    Stored, Strength, Target, Token, Usage, Value,
};

pub(crate) struct Deaf(pub(crate) Redis);

#[deny(clippy::missing_trait_methods)]
impl Cache for Deaf {
    fn fresh(&self, key: &str) -> Option<Value> {
        self.0.fresh(key)
    }

    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.0.get(key, kind)
    }

    fn confirmed(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.0.confirmed(key, kind)
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.0.ttl(key)
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        self.0.set(key, value, options)
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.0.delete(key)
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        self.0.invalidate(target, strength)
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        self.0.expire(key, ttl)
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        self.0.incr(key, delta, lifetime)
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        self.0.fence(key)
    }

    fn lease(&self, key: &str, retrying: bool) -> Reply<'_, Lease> {
        self.0.lease(key, retrying)
    }

    fn release(&self, key: &str, fence: Fence) {
        self.0.release(key, fence);
    }

    fn settle(&self, key: &str, fence: Fence, ended: Ended) {
        self.0.settle(key, fence, ended);
    }

    fn listen(&self, listener: Weak<dyn Listener>) -> Notices {
        let deaf: Arc<dyn Listener> = Arc::new(HearsNothing(listener));
        let notices = self.0.listen(Arc::downgrade(&deaf));
        // For as long as the process lives.
        std::mem::forget(deaf);
        notices
    }

    fn acknowledged(&self) -> Reply<'_, ()> {
        self.0.acknowledged()
    }

    fn token(&self) -> Reply<'_, Token> {
        self.0.token()
    }

    fn read_after(&self, token: &Token) -> Reply<'_, ()> {
        self.0.read_after(token)
    }

    fn troubles(&self) -> Reply<'_, Vec<String>> {
        self.0.troubles()
    }

    fn remote(&self) -> Option<Connection> {
        self.0.remote()
    }

    fn close(&self, within: Duration) -> Reply<'_, u64> {
        self.0.close(within)
    }

    fn usage(&self) -> Usage {
        self.0.usage()
    }
}

/// Of what is told passes on only whether anything is told at all.
struct HearsNothing(Weak<dyn Listener>);

impl Listener for HearsNothing {
    fn changed(&self, _: Target<'_>, _: Strength) {}

    fn replaced(&self, _: &str) -> bool {
        false
    }

    fn belief(&self) -> Duration {
        self.0.upgrade().map_or(Duration::ZERO, |listener| listener.belief())
    }

    fn assured(&self, left: Duration) {
        self.0.upgrade().into_iter().for_each(|listener| listener.assured(left));
    }

    fn cut_off(&self, since: Duration) {
        self.0.upgrade().into_iter().for_each(|listener| listener.cut_off(since));
    }

    fn restored(&self) {
        self.0.upgrade().into_iter().for_each(|listener| listener.restored());
    }
}
