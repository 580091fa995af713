//! Expansions under every lint that there is: what clippy says here, it says of them.

#![deny(clippy::pedantic, clippy::nursery, unused, unused_qualifications, elided_lifetimes_in_paths)]
#![deny(single_use_lifetimes, unreachable_pub, let_underscore_drop, unused_results)]

use std::sync::Arc;
use std::time::Duration;

use larder::{Larder, cached, scope};

struct Page {
    number: u32,
}

#[cached(key = "plain:{id}", ttl = "5m", tags = ["plain"])]
fn plain(id: u64) -> u64 {
    id
}

#[cached(key = "all:{name}:{number}", ttl = |value| Duration::from_secs(value.1), swr = "1m", sie = "1h",
    jitter = 0.1, refresh_ahead = 0.8, negative_ttl = "1s", version = 2, tags = ["n:{name}", "a:{ret.0}:{name}"],
    when = |value| value.1 > 0 && !name.is_empty(), bypass = number > &7, refresh = number > &8, local)]
async fn all(name: &str, Page { number, .. }: Page) -> Result<Option<Arc<(String, u64)>>, String> {
    tokio::task::yield_now().await;
    Ok(Some(Arc::new((name.to_owned(), u64::from(number)))))
}

#[derive(Clone)]
struct Tenant {
    id: u64,
    cache: Larder,
}

impl Tenant {
    #[cached(key = "page:{self.id}:{name}", ttl = "5m", xfetch = 1.0, cache = self.cache)]
    fn page(&self, name: &str) -> Option<String> {
        (self.id > 0).then(|| name.to_owned())
    }

    #[cached(key = "counted:{self.id}", ttl = "5m")]
    async fn counted(self: Arc<Self>) -> u64 {
        tokio::task::yield_now().await;
        self.id
    }
}

trait Pages {
    fn pages(&self, of: &str) -> usize;
}

#[cached]
impl Pages for Tenant {
    #[cached(key = "pages:{self.id}:{of}", ttl = "5m")]
    fn pages(&self, of: &str) -> usize {
        of.len()
    }
}

#[tokio::test]
async fn they_are_silent_and_work() {
    let cache = Larder::memory(10);
    let tenant = Tenant { id: 1, cache: cache.clone() };
    scope(&cache, || {
        assert_eq!((plain(1), tenant.page("a"), tenant.pages("ab")), (1, Some("a".to_owned()), 2));
    });
    assert_eq!(Arc::new(tenant).counted().await, 1);
    assert!(all("a", Page { number: 1 }).await.is_ok_and(|value| value.is_some()));
}
