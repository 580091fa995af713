//! A store that several processes share, as each of them sees it: answers come when they are polled, and notices when
//! the test says so.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use cache_core::testing::Plain;
use cache_core::{
    Cache, Connection, Ended, Entry, Error, ErrorKind, Fence, Kind, Lease, Lifetime, Listener, Listeners,
    ManualClock, Named, Notices, Reply, Set, Stored, Strength, Target, Tier, Token, Usage, Value,
};

/// What the processes share.
pub(crate) struct Hub {
    plain: Plain,
    views: Mutex<Vec<Arc<Channel>>>,
}

/// What one of them is told, and has not heard yet.
#[derive(Default)]
struct Channel {
    listeners: Listeners,
    waiting: Mutex<VecDeque<(Named, Strength)>>,
}

impl Hub {
    pub(crate) fn new(clock: &ManualClock) -> Arc<Self> {
        Arc::new(Self { plain: Plain::new(clock.clock()), views: Mutex::default() })
    }

    /// One process's way to it.
    pub(crate) fn view(self: &Arc<Self>) -> Arc<View> {
        let channel = Arc::<Channel>::default();
        self.views.lock().expect("whole").push(channel.clone());
        let (away, late, mute) = (false.into(), false.into(), false.into());
        let punctual_from = usize::MAX.into();
        Arc::new(View { hub: self.clone(), channel, away, late, mute, confirmed: 0.into(), punctual_from })
    }

    fn changed(&self, target: Target<'_>, strength: Strength) {
        for channel in &*self.views.lock().expect("whole") {
            channel.waiting.lock().expect("whole").push_back((target.into(), strength));
        }
    }
}

/// See [`Hub::view`].
pub(crate) struct View {
    hub: Arc<Hub>,
    channel: Arc<Channel>,
    /// It cannot be reached.
    pub(crate) away: AtomicBool,
    /// Writes are done when their answer is polled, and not when they are called.
    pub(crate) late: AtomicBool,
    /// It gives no notices; to be set before anybody listens.
    pub(crate) mute: AtomicBool,
    /// How often somebody has read past his memory; and from which time on all word comes before the answer to that.
    pub(crate) confirmed: AtomicUsize,
    pub(crate) punctual_from: AtomicUsize,
}

impl View {
    /// The channel stands.
    pub(crate) fn restore(&self) {
        self.channel.listeners.tell(|listener| listener.restored());
    }

    /// A load elsewhere may have taken the place of `key`, or given it up; whether it is loaded here, too.
    pub(crate) fn replace(&self, key: &str) -> bool {
        self.channel.listeners.any(|listener| listener.replaced(key))
    }

    /// The channel can be relied on for so long.
    pub(crate) fn assure(&self, left: Duration) {
        self.channel.listeners.tell(|listener| listener.assured(left));
    }

    /// For how long those who listen believe their copies without it.
    pub(crate) fn belief(&self) -> Duration {
        self.channel.listeners.longest(|listener| listener.belief())
    }

    /// What was not heard yet is lost with the channel.
    pub(crate) fn cut_off(&self, since: Duration) {
        self.lose();
        self.channel.listeners.tell(|listener| listener.cut_off(since));
    }

    pub(crate) fn lose(&self) {
        self.channel.waiting.lock().expect("whole").clear();
    }

    /// All notices that wait, in their order.
    pub(crate) fn hear(&self) {
        let waiting = std::mem::take(&mut *self.channel.waiting.lock().expect("whole"));
        waiting.iter().for_each(|notice| self.tell(notice));
    }

    /// All of them, the last one first, and then all of them again.
    pub(crate) fn hear_badly(&self) {
        let waiting = std::mem::take(&mut *self.channel.waiting.lock().expect("whole"));
        waiting.iter().rev().chain(&waiting).for_each(|notice| self.tell(notice));
    }

    fn tell(&self, (target, strength): &(Named, Strength)) {
        self.channel.listeners.tell(|listener| listener.changed(target.target(), *strength));
    }

    /// Reads at once, and answers later.
    fn read<'a, T: Send + 'a>(&'a self, read: impl FnOnce(&Plain) -> Reply<'_, T>) -> Reply<'a, T> {
        if self.away.load(SeqCst) {
            return away();
        }
        let answer = read(&self.hub.plain).wait();
        Reply::Pending(Box::pin(async move { answer }))
    }

    /// Writes, and tells of it.
    fn write<'a, T: Send + 'a>(
        &'a self,
        target: Target<'_>,
        strength: Strength,
        write: impl FnOnce(&Plain) -> cache_core::Result<T> + Send + 'a,
    ) -> Reply<'a, T> {
        if self.away.load(SeqCst) {
            return away();
        }
        let target = Named::from(target);
        let run = move || {
            let answer = write(&self.hub.plain);
            self.hub.changed(target.target(), strength);
            answer
        };
        if self.late.load(SeqCst) {
            return Reply::Pending(Box::pin(async move { run() }));
        }
        let answer = run();
        Reply::Pending(Box::pin(async move { answer }))
    }
}

fn away<'a, T>() -> Reply<'a, T> {
    Reply::error(Error::new(ErrorKind::Unavailable, "the hub is away"))
}

#[deny(clippy::missing_trait_methods)]
impl Cache for View {
    fn fresh(&self, _: &str) -> Option<Value> {
        None
    }

    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.read(|plain| plain.get(key, kind))
            .map(|entry| entry.map(|entry| Entry { tier: Tier::L2, ..entry }))
    }

    fn confirmed(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        let answer = self.get(key, kind);
        if self.confirmed.fetch_add(1, SeqCst) >= self.punctual_from.load(SeqCst) {
            self.hear();
        }
        answer
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.read(|plain| plain.ttl(key))
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        let (name, tags) = (key.to_owned(), options.tags.to_vec());
        let options = Set { tags: &[], ..options };
        let Set { lifetime, glance, origin, fence, if_absent, .. } = options;
        self.write(Target::Key(key), Strength::Remove, move |plain| {
            plain.set(&name, value, Set { lifetime, glance, origin, tags: &tags, fence, if_absent }).wait()
        })
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        let name = key.to_owned();
        self.write(Target::Key(key), Strength::Remove, move |plain| plain.delete(&name).wait())
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        let owned = Named::from(target);
        self.write(target, strength, move |plain| plain.invalidate(owned.target(), strength).wait())
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        let name = key.to_owned();
        self.write(Target::Key(key), Strength::Remove, move |plain| plain.expire(&name, ttl).wait())
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        let name = key.to_owned();
        self.write(Target::Key(key), Strength::Remove, move |plain| plain.incr(&name, delta, lifetime).wait())
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        self.read(|plain| plain.fence(key))
    }

    fn lease(&self, key: &str, _: bool) -> Reply<'_, Lease> {
        self.fence(key).map(Lease::Mine)
    }

    fn release(&self, key: &str, fence: Fence) {
        self.hub.plain.release(key, fence);
    }

    fn settle(&self, key: &str, fence: Fence, _: Ended) {
        self.release(key, fence);
    }

    fn listen(&self, listener: Weak<dyn Listener>) -> Notices {
        if self.mute.load(SeqCst) {
            return Notices::Withheld;
        }
        self.channel.listeners.add(listener);
        Notices::Given
    }

    fn acknowledged(&self) -> Reply<'_, ()> {
        Reply::ready(())
    }

    fn token(&self) -> Reply<'_, Token> {
        Reply::ready(Token::default())
    }

    fn read_after(&self, _: &Token) -> Reply<'_, ()> {
        Reply::ready(())
    }

    fn troubles(&self) -> Reply<'_, Vec<String>> {
        Reply::ready(Vec::new())
    }

    fn remote(&self) -> Option<Connection> {
        None
    }

    fn close(&self, _: Duration) -> Reply<'_, u64> {
        Reply::ready(0)
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }
}
