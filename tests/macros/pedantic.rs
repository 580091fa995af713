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

mod writers {
    use std::collections::HashMap;

    use larder::{Larder, cached, invalidates, scope, updates};

    use super::super::User;

    struct Users(Larder);

    impl Users {
        #[invalidates(keys = ["user:{id}", "name:{ret}"], tags = ["users"], cache = self.0)]
        fn rename(&mut self, id: u64, name: String) -> Result<String, String> {
            if name.is_empty() {
                return Err(format!("user {id} needs a name"));
            }
            Ok(name)
        }
    }

    #[updates(key = "user:{id}", ttl = "5m", tags = ["users:{ret.id}"])]
    #[invalidates(patterns = ["page:*"], always)]
    async fn save(id: u64) -> Option<User> {
        Some(User { id })
    }

    #[invalidates(tags = ["users"])]
    fn touch() {}

    #[rustfmt::skip]
    #[invalidates(keys = ["user:{id}"])]
    async fn in_one_line(id: u64) -> u64 { id }

    #[cached(each = "user:{id}", ttl = "5m")]
    fn users(ids: &[u64]) -> HashMap<u64, User> {
        ids.iter().map(|&id| (id, User { id })).collect()
    }

    #[tokio::test]
    async fn are_silent_too() {
        let cache = Larder::memory(10);
        let mut names = Users(cache.clone());
        assert_eq!(names.rename(1, "Ada".to_owned()).as_deref(), Ok("Ada"));
        assert_eq!(larder::scope_async(&cache, save(1)).await, Some(User { id: 1 }));
        assert_eq!(larder::scope_async(&cache, in_one_line(1)).await, 1);
        scope(&cache, || {
            touch();
            assert_eq!(users(&[1]).len(), 1);
        });
    }
}
