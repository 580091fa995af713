//! Time that is turned by hand over a real Redis: what is left of every key is shortened, and a millisecond is made to
//! last so long that what passes by itself does not count.

use std::time::Duration;

use backend_redis::Redis;
use cache_core::{
    Cache, Connection, Ended, Entry, Fence, Kind, Lease, Lifetime, Listener, ManualClock, Notices, Reply,
    Set, Stored, Strength, Target, Time, Token, Usage, Value,
};
use std::sync::{Mutex, Weak};

/// So many real ones are one of the test's.
const SLOW: u32 = 20_000;

pub(crate) struct Travelling {
    redis: Redis,
    clock: ManualClock,
    /// With a connection to each server.
    seen: Mutex<(Time, Vec<redis::Connection>)>,
}

impl Travelling {
    pub(crate) fn new(redis: Redis, raws: Vec<redis::Connection>, clock: &ManualClock) -> Self {
        Self { redis, clock: clock.clone(), seen: Mutex::new((clock.clock().now(), raws)) }
    }

    /// The backend at the clock's time.
    fn now(&self) -> &Redis {
        let mut seen = self.seen.lock().expect("no test panics with it");
        let now = self.clock.clock().now();
        let passed = now - seen.0;
        if !passed.is_zero() {
            seen.0 = now;
            let shorten = "for _, key in ipairs(redis.call('KEYS', '*')) do
                local left = redis.call('PTTL', key)
                if left > tonumber(ARGV[1]) then
                    redis.call('PEXPIRE', key, string.format('%.0f', left - ARGV[1]))
                elseif left >= 0 then redis.call('DEL', key) end
            end";
            let ms = slow(passed).as_millis() as u64;
            for raw in &mut seen.1 {
                redis::cmd("EVAL").arg(shorten).arg(0).arg(ms).exec(raw).expect("time passes");
            }
        }
        &self.redis
    }
}

fn slow(duration: Duration) -> Duration {
    // Whole milliseconds first: a part of one counts as one.
    let ms = duration.as_nanos().div_ceil(1_000_000);
    u64::try_from(ms * u128::from(SLOW)).map_or(Duration::MAX, Duration::from_millis)
}

fn slow_life(life: Lifetime) -> Lifetime {
    Lifetime { fresh: slow(life.fresh), total: slow(life.total) }
}

fn fast(duration: Duration) -> Duration {
    if duration == Duration::MAX {
        duration
    } else {
        Duration::from_millis((duration / SLOW).as_millis() as u64)
    }
}

fn fast_up(duration: Duration) -> Duration {
    fast(duration.saturating_add(Duration::from_millis(u64::from(SLOW) - 1)))
}

fn fast_life(left: Lifetime) -> Lifetime {
    Lifetime { fresh: fast_up(left.fresh), total: fast_up(left.total) }
}

#[deny(clippy::missing_trait_methods)]
impl Cache for Travelling {
    fn fresh(&self, key: &str) -> Option<Value> {
        self.now().fresh(key)
    }

    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.now().get(key, kind).map(|entry| {
            entry.map(|entry| Entry {
                left: fast_life(entry.left),
                stale_for: fast(entry.stale_for),
                age: fast(entry.age),
                ..entry
            })
        })
    }

    fn confirmed(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.get(key, kind)
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.now().ttl(key).map(|left| left.map(fast_life))
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        self.now().set(key, value, Set { lifetime: slow_life(options.lifetime), ..options })
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.now().delete(key)
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        self.now().invalidate(target, strength)
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        self.now().expire(key, slow(ttl))
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        self.now().incr(key, delta, slow_life(lifetime))
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        self.now().fence(key)
    }

    fn lease(&self, key: &str, retrying: bool) -> Reply<'_, Lease> {
        self.now().lease(key, retrying)
    }

    fn release(&self, key: &str, fence: Fence) {
        self.now().release(key, fence);
    }

    fn settle(&self, key: &str, fence: Fence, ended: Ended) {
        self.now().settle(key, fence, ended);
    }

    fn listen(&self, listener: Weak<dyn Listener>) -> Notices {
        self.now().listen(listener)
    }

    fn acknowledged(&self) -> Reply<'_, ()> {
        self.now().acknowledged()
    }

    fn token(&self) -> Reply<'_, Token> {
        self.now().token()
    }

    fn read_after(&self, token: &Token) -> Reply<'_, ()> {
        self.now().read_after(token)
    }

    fn troubles(&self) -> Reply<'_, Vec<String>> {
        self.now().troubles()
    }

    fn remote(&self) -> Option<Connection> {
        self.now().remote()
    }

    fn close(&self, within: Duration) -> Reply<'_, u64> {
        self.now().close(within)
    }

    fn usage(&self) -> Usage {
        self.now().usage()
    }
}
