//! larder, over any of its backends.

use std::sync::Arc;
use std::time::Duration;

use larder::{Larder, Policy, key};

use super::{Answer, Loaded, Loader, SYNCHRONOUS, done, on_a_thread};
use crate::races::library::{Library, Windows};
use crate::races::verdict::Stop;

const TTL: Duration = Duration::from_secs(60);
const SOUND: &str = "the cache is in this process";

struct OverBackend {
    name: &'static str,
    make: fn() -> Larder,
    cache: Larder,
    /// Whether its loads are those of synchronous callers.
    blocking: bool,
}

/// Over the backend that `make` gives it; `blocking` callers are threads.
pub(super) fn over(name: &'static str, make: fn() -> Larder, blocking: bool) -> Arc<dyn Library> {
    Arc::new(OverBackend { name, make, cache: make(), blocking })
}

impl OverBackend {
    fn load_under(&self, key: &str, policy: Policy, loader: Loader) -> Answer<'static, Loaded> {
        let (cache, key) = (self.cache.clone(), key.to_owned());
        if self.blocking {
            let runtime = tokio::runtime::Handle::current();
            // Refreshes run after their caller has gone, so the loader takes the runtime with it.
            return on_a_thread(move |_| {
                let load = move || runtime.block_on(loader());
                cache.try_get_or_compute(key, policy, load).map(|value| *value)
            });
        }
        Box::pin(async move { Ok(cache.try_get_or_load(key, policy, loader).await.map(|value| *value)) })
    }
}

impl Library for OverBackend {
    fn name(&self) -> &'static str {
        self.name
    }

    fn another(&self) -> Arc<dyn Library> {
        over(self.name, self.make, self.blocking)
    }

    fn load(&self, key: &str, loader: Loader) -> Answer<'static, Loaded> {
        self.load_under(key, Policy::ttl(TTL), loader)
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>> {
        Box::pin(async move { Ok(self.cache.get(key).await.expect(SOUND).map(|value| *value)) })
    }

    fn set<'a>(&'a self, key: &'a str, value: u64) -> Answer<'a, ()> {
        done(async move { self.cache.set(key, value, TTL).await.expect(SOUND) })
    }

    fn remove<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        done(async move { self.cache.invalidate(key).await.expect(SOUND) })
    }

    fn clear(&self) -> Answer<'_, ()> {
        done(async move { self.cache.clear().await.expect(SOUND) })
    }

    fn remove_prefix<'a>(&'a self, prefix: &'a str) -> Answer<'a, ()> {
        done(async move { self.cache.invalidate_pattern(format!("{prefix}*")).await.expect(SOUND) })
    }

    fn load_tagged(&self, key: &str, tag: &str, loader: Loader) -> Answer<'static, Loaded> {
        self.load_under(key, Policy::ttl(TTL).tags([tag]), loader)
    }

    fn remove_tag<'a>(&'a self, tag: &'a str) -> Answer<'a, ()> {
        done(async move { self.cache.invalidate_tag(tag).await.expect(SOUND) })
    }

    fn load_stale(&self, key: &str, windows: Windows, loader: Loader) -> Answer<'static, Loaded> {
        self.load_under(key, Policy::ttl(windows.ttl).swr(windows.swr).sie(windows.sie).tags([key]), loader)
    }

    fn set_for<'a>(&'a self, key: &'a str, value: u64, ttl: Duration) -> Answer<'a, ()> {
        // A TTL that is refused must store nothing; that is what a reader then sees.
        done(async move { self.cache.set(key, value, ttl).await.unwrap_or_default() })
    }

    fn can_be_cancelled(&self) -> Result<(), Stop> {
        if self.blocking { Err(SYNCHRONOUS) } else { Ok(()) }
    }

    fn fills_in_the_background(&self) -> Result<(), Stop> {
        Ok(())
    }

    fn key_of(&self, a: &str, b: &str) -> Result<String, Stop> {
        Ok(key!("parts:{}:{}", a, b).into())
    }

    fn remove_first_argument<'a>(&'a self, a: &'a str) -> Answer<'a, ()> {
        done(async move {
            let pattern = format!("{}*", key!("parts:{}:", a));
            self.cache.invalidate_pattern(pattern).await.expect(SOUND);
        })
    }
}
