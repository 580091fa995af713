//! Methods: `&self`, `Arc<Self>`, associated functions, `impl`s of traits.

use std::sync::Arc;

use larder::{Larder, cached, scope, scope_async};

use super::{Runs, User};

#[derive(Clone)]
struct Tenant {
    name: &'static str,
    runs: Arc<Runs>,
    cache: Larder,
}

impl Tenant {
    fn new(name: &'static str) -> Self {
        Self { name, runs: Arc::new(Runs::new()), cache: Larder::memory(100) }
    }

    #[cached(key = "tenant:{self.name}:user:{id}", ttl = "5m")]
    fn user(&self, id: u64) -> (User, usize) {
        (User { id }, self.runs.next())
    }

    #[cached(key = "user:{id}", ttl = "5m", cache = self.cache)]
    async fn mine(&self, id: u64) -> Result<(User, usize), String> {
        tokio::task::yield_now().await;
        Ok((User { id }, self.runs.next()))
    }

    #[cached(key = "shared:{id}", ttl = "5m", shared)]
    pub(crate) fn shared(&self, id: u64) -> (u64, usize) {
        (id, self.runs.next())
    }

    #[cached(key = "counted:{self.name}:{id}", ttl = "5m", cache = self.cache)]
    async fn counted(self: Arc<Self>, id: u64) -> (u64, usize) {
        (id, self.runs.next())
    }

    #[cached(key = "made:{id}", ttl = "5m", local)]
    fn made(id: u64) -> Arc<Self> {
        let _ = id;
        Arc::new(Self::new("made"))
    }

    #[cached(key = "clone:{self.name}:{page}", ttl = "5m", swr = "1h", cache = self.cache)]
    async fn in_background(&self, page: &str) -> (String, usize) {
        (page.to_owned(), self.runs.next())
    }

    #[cached(key = "used:{self.name}", ttl = "5m")]
    fn used_up(self) -> String {
        self.name.to_owned()
    }
}

#[test]
fn the_key_tells_instances_apart() {
    scope(&Larder::memory(100), || {
        let (one, two) = (Tenant::new("one"), Tenant::new("two"));
        assert_eq!((one.user(7).1, one.user(7).1, two.user(7).1), (1, 1, 1));
        assert_eq!(one.user_key(7), "tenant:one:user:7");
        one.user_invalidate(7).wait().expect("memory answers");
        assert_eq!((one.user(7).1, two.user(7).1), (2, 1));
        assert_eq!(one.user_uncached(7).1, 3);
        assert_eq!(one.user_peek(7).wait().expect("memory answers"), Some((User { id: 7 }, 2)));
        assert_eq!(one.user_refresh(7).1, 4);
        assert_eq!(one.user_warm(7..10, 2).done, 3);
        assert_eq!((one.runs.count(), one.user(9).1), (6, one.user(9).1));
        assert_eq!(one.clone().used_up(), "one");
    });
}

#[tokio::test]
async fn a_cache_of_its_own() {
    let (one, two) = (Tenant::new("one"), Tenant::new("two"));
    for _ in 0..2 {
        assert_eq!((one.mine(7).await.expect("loads").1, two.mine(7).await.expect("loads").1), (1, 1));
    }
    one.mine_invalidate(7).await.expect("memory answers");
    assert_eq!(one.mine(7).await.expect("loads").1, 2);
    one.mine_prime(8, (User { id: 8 }, 0)).await.expect("memory answers");
    assert_eq!(one.mine(8).await.expect("primed").1, 0);
    assert_eq!(one.mine_warm([1, 2, 3], 2).await.done, 3);
    assert_eq!(one.runs.count(), 5);
}

#[tokio::test]
async fn an_arc_of_self() {
    let tenant = Arc::new(Tenant::new("one"));
    assert_eq!((tenant.clone().counted(1).await, tenant.clone().counted(1).await), ((1, 1), (1, 1)));
    tenant.counted_invalidate(1).await.expect("memory answers");
    assert_eq!(tenant.clone().counted(1).await, (1, 2));
    assert_eq!(tenant.clone().counted_warm([1, 2], 1).await.done, 2);
}

#[test]
fn instances_may_share() {
    scope(&Larder::memory(100), || {
        let (one, two) = (Tenant::new("one"), Tenant::new("two"));
        assert_eq!((one.shared(1), two.shared(1)), ((1, 1), (1, 1)));
        assert_eq!(two.runs.count(), 0);
        assert!(Arc::ptr_eq(&Tenant::made(1), &Tenant::made(1)));
        Tenant::made_invalidate(1).wait().expect("memory answers");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_borrowed_is_cloned_for_the_background() {
    let tenant = Tenant::new("one");
    assert_eq!(tenant.in_background("a").await.1, 1);
    tenant.in_background_mark_stale("a").await.expect("memory answers");
    assert_eq!(tenant.in_background("a").await.1, 1, "stale, at once");
    tenant.cache.settle().await.expect("memory answers");
    assert_eq!(tenant.in_background("a").await.1, 2, "refreshed");
}

trait Users {
    type Error;

    async fn find(&self, id: u64) -> Result<User, Self::Error>;
    fn name(&self) -> String;
    fn count() -> usize;
}

static COUNTS: Runs = Runs::new();

#[cached]
impl Users for Tenant {
    type Error = String;

    #[cached(key = "find:{self.name}:{id}", ttl = "5m", cache = self.cache)]
    async fn find(&self, id: u64) -> Result<User, Self::Error> {
        self.runs.next();
        if id == 0 { Err::<_, Self::Error>("nobody".to_owned()) } else { Ok(User { id }) }
    }

    fn name(&self) -> String {
        self.name.to_owned()
    }

    #[larder::cached(key = "count", ttl = "5m")]
    fn count() -> usize {
        COUNTS.next()
    }
}

#[tokio::test]
async fn of_a_trait() {
    let tenant = Tenant::new("one");
    assert_eq!((tenant.find(1).await, tenant.find(1).await), (Ok(User { id: 1 }), Ok(User { id: 1 })));
    assert!(tenant.find(0).await.is_err() && tenant.find(0).await.is_err());
    assert_eq!(tenant.runs.count(), 3);
    assert_eq!(Users::name(&tenant), "one");
    tenant.find_invalidate(1).await.expect("memory answers");
    assert_eq!(tenant.find(1).await, Ok(User { id: 1 }));
    assert_eq!(tenant.runs.count(), 4);
    scope_async(&Larder::memory(10), async {
        assert_eq!((<Tenant as Users>::count(), <Tenant as Users>::count()), (1, 1));
        assert_eq!(Tenant::count_key(), "count");
    })
    .await;
}

struct Pair<T>(T);

#[cached]
impl<T: larder::KeyPart + Clone + Send + Sync + 'static> Pair<T>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    #[cached(key = "double:{self.0}", ttl = "5m")]
    fn double(&self) -> (T, T) {
        (self.0.clone(), self.0.clone())
    }

    #[cached(key = "fixed:{n}", ttl = "5m", shared)]
    fn fixed(n: u8) -> u8 {
        n
    }
}

#[test]
fn of_a_generic_type_and_without_self() {
    scope(&Larder::memory(10), || {
        assert_eq!((Pair(1_u8).double(), Pair("a".to_owned()).double().0), ((1, 1), "a".to_owned()));
        assert_eq!((Pair::<u8>::fixed(2), &*Pair::<u8>::fixed_key(2)), (2, "fixed:2"));
    });
}

/// Without a key, the path of the type is in it.
mod paths {
    use super::*;

    struct One;
    struct Two;

    impl One {
        #[cached(ttl = "5m", shared)]
        fn get(&self, id: u8) -> (u8, u8) {
            (1, id)
        }
    }

    impl Two {
        #[cached(ttl = "5m", shared)]
        fn get(&self, id: u8) -> (u8, u8) {
            (2, id)
        }
    }

    #[test]
    fn tell_types_apart() {
        scope(&Larder::memory(10), || {
            assert_eq!((One.get(3), Two.get(3), One.get(3)), ((1, 3), (2, 3), (1, 3)));
            assert!(One.get_key(3).ends_with("paths::One::get:3"), "{}", One.get_key(3));
        });
    }
}

trait Store<T> {
    type Error;
    const PLUS: usize;

    fn get(&self, id: T) -> Result<(T, usize), Self::Error>;
    async fn all<'a>(&'a self, query: &'a str) -> Result<Vec<T>, Self::Error>;
}

#[cached]
impl<T> Store<T> for Pair<T>
where
    T: larder::KeyPart + larder::Cacheable + Clone + serde::Serialize + serde::de::DeserializeOwned,
{
    type Error = String;
    const PLUS: usize = 1;

    #[cached(key = "get:{self.0}:{id}", ttl = "5m")]
    fn get(&self, id: T) -> Result<(T, usize), Self::Error> {
        Ok((id, Self::PLUS))
    }

    #[cached(key = "all:{self.0}:{query}", ttl = "5m")]
    async fn all<'a>(&'a self, query: &'a str) -> Result<Vec<T>, Self::Error> {
        Ok(vec![self.0.clone(); query.len() + Self::PLUS])
    }
}

#[tokio::test]
async fn of_a_generic_trait() {
    scope_async(&Larder::memory(10), async {
        let pair = Pair("a".to_owned());
        assert_eq!(pair.get("b".into()), Ok(("b".to_owned(), 1)));
        assert_eq!(pair.all("q").await, Ok(vec!["a".to_owned(); 2]));
        assert_eq!(pair.all_peek("q").await.expect("memory answers"), Some(Ok(vec!["a".to_owned(); 2])));
    })
    .await;
}
