//! `#[cached(each = ...)]`: many elements, one call for those that are missing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use larder::{Larder, ManualClock, cached, scope, scope_async};

use super::{Report, User};

/// What the body was called for, call by call.
#[derive(Default)]
struct Calls(Mutex<Vec<Vec<u64>>>);

impl Calls {
    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn with(&self, ids: impl IntoIterator<Item = u64>) {
        self.0.lock().expect("no call panicked").push(ids.into_iter().collect());
    }

    fn taken(&self) -> Vec<Vec<u64>> {
        std::mem::take(&mut self.0.lock().expect("no call panicked"))
    }
}

fn found(ids: &[u64]) -> HashMap<u64, User> {
    ids.iter().filter(|id| **id < 100).map(|&id| (id, User { id })).collect()
}

#[tokio::test]
async fn one_call_for_what_is_missing() {
    static CALLS: Calls = Calls::new();

    #[cached(each = "user:{id}", ttl = "5m")]
    async fn users(ids: &[u64]) -> Result<HashMap<u64, User>, io::Error> {
        CALLS.with(ids.iter().copied());
        tokio::task::yield_now().await;
        if ids.contains(&13) {
            return Err(io::Error::other("down"));
        }
        Ok(found(ids))
    }

    scope_async(&Larder::memory(100), async {
        assert_eq!(users(&[1, 2, 1]).await.unwrap(), found(&[1, 2]));
        assert_eq!(users(&[2, 3, 100]).await.unwrap(), found(&[2, 3]));
        assert_eq!(users(&[1, 2, 3]).await.unwrap(), found(&[1, 2, 3]));
        assert_eq!(users(&[]).await.unwrap(), found(&[]));
        assert_eq!(CALLS.taken(), [vec![1, 2], vec![3, 100]]);
        assert_eq!(users(&[1, 13]).await.unwrap_err().to_string(), "down");
        assert_eq!(CALLS.taken(), [[13]], "errors are not cached, and hits not asked for");

        users::invalidate(&[1, 3]).await.unwrap();
        assert_eq!(users(&[1, 2, 3, 100]).await.unwrap(), found(&[1, 2, 3]));
        assert_eq!(CALLS.taken(), [[1, 3, 100]], "what was not found is not cached");
        assert_eq!(users::key(7), "user:7");
        users::uncached(&[1]).await.unwrap();
        assert_eq!(CALLS.taken(), [[1]]);
    })
    .await;
}

#[tokio::test]
async fn the_entries_are_those_of_a_function_for_one() {
    #[cached(key = "user:{id}", ttl = "5m")]
    async fn user(id: u64) -> User {
        panic!("user {id} is there")
    }
    #[cached(each = "user:{id}", ttl = "5m")]
    async fn users(ids: Vec<u64>) -> BTreeMap<u64, User> {
        found(&ids).into_iter().collect()
    }

    scope_async(&Larder::memory(100), async {
        users(vec![1, 2]).await;
        assert_eq!(user(2).await, User { id: 2 });
    })
    .await;
}

#[tokio::test]
async fn each_key_is_a_flight() {
    static CALLS: Calls = Calls::new();

    #[cached(each = "user:{id}", ttl = "5m")]
    async fn users(ids: &[u64]) -> HashMap<u64, User> {
        CALLS.with(ids.iter().copied());
        tokio::task::yield_now().await;
        found(ids)
    }

    scope_async(&Larder::memory(100), async {
        let (one, two) = tokio::join!(users(&[1, 2]), users(&[2, 3]));
        assert_eq!((one, two), (found(&[1, 2]), found(&[2, 3])));
        let mut calls = CALLS.taken();
        calls.sort();
        assert_eq!(calls, [vec![1, 2], vec![3]]);
    })
    .await;
}

#[test]
fn synchronous_ones_need_no_runtime() {
    static CALLS: Calls = Calls::new();

    #[cached(each = "user:{id}", ttl = "5m", tags = ["users"])]
    fn users(ids: &BTreeSet<u64>) -> Result<Vec<(u64, User)>, Box<dyn std::error::Error>> {
        CALLS.with(ids.iter().copied());
        let number: u64 = "7".parse()?;
        Ok(ids.iter().filter(|id| **id != number).map(|&id| (id, User { id })).collect())
    }

    let cache = Larder::memory(100);
    scope(&cache, || {
        let of = |ids: &[u64]| users(&ids.iter().copied().collect()).unwrap();
        assert_eq!(of(&[3, 1, 7]), [(1, User { id: 1 }), (3, User { id: 3 })]);
        assert_eq!(of(&[1, 2]).len(), 2);
        assert_eq!(CALLS.taken(), [vec![1, 3, 7], vec![2]]);
        cache.invalidate_tag("users").wait().unwrap();
        of(&[1, 2]);
        assert_eq!(CALLS.taken(), [[1, 2]]);
    });
}

struct App {
    cache: Larder,
    calls: Calls,
}

#[cached(each = "school:{school}:user:{who.0}:{who.1}", ttl = "5m", cache = app.cache, skip = [prefix])]
async fn members(
    app: &App,
    school: &str,
    members: &[(u64, String)],
    prefix: String,
) -> HashMap<(u64, String), Arc<Report>> {
    app.calls.with(members.iter().map(|who| who.0));
    members
        .iter()
        .map(|who| (who.clone(), Arc::new(Report(format!("{prefix} {school} {}", who.1)))))
        .collect()
}

#[tokio::test]
async fn elements_have_fields_and_there_are_other_arguments() {
    let app = App { cache: Larder::memory(100), calls: Calls::default() };
    let ada = (1, "Ada:*".to_owned());
    let bob = (2, "Bob".to_owned());
    let first = members(&app, "a", std::slice::from_ref(&ada), "x".into()).await;
    let again = members(&app, "a", &[ada.clone(), bob.clone()], "y".into()).await;
    assert!(Arc::ptr_eq(&first[&ada], &again[&ada]), "an Arc is shared");
    assert_eq!(again[&bob].0, "y a Bob");
    members(&app, "b", std::slice::from_ref(&ada), "z".into()).await;
    assert_eq!(app.calls.taken(), [[1], [2], [1]]);
    assert_eq!(members::key("a", ada.clone()), "school:a:user:1:Ada%3A%2A");
    members::invalidate(&app, "a", std::slice::from_ref(&ada)).await.unwrap();
    members(&app, "a", &[ada, bob], "y".into()).await;
    assert_eq!(app.calls.taken(), [[1]]);
}

#[tokio::test]
async fn with_swr_what_is_stale_is_refreshed_in_one_call_in_the_background() {
    static CALLS: Calls = Calls::new();

    #[cached(each = "user:{id}", ttl = "1m", swr = "1h", skip = [db])]
    async fn users(db: Arc<str>, ids: Vec<u64>) -> Result<HashMap<u64, User>, io::Error> {
        CALLS.with(ids.iter().copied());
        let _ = db;
        Ok(found(&ids))
    }

    let clock = ManualClock::new();
    let cache = Larder::builder().clock(clock.clock()).build();
    scope_async(&cache, async {
        let of = |ids: &[u64]| users("db".into(), ids.to_vec());
        of(&[1, 2]).await.unwrap();
        clock.advance(Duration::from_secs(90));
        CALLS.taken();
        assert_eq!(of(&[1, 2, 3]).await.unwrap().len(), 3);
        cache.settle().await.unwrap();
        let mut calls = CALLS.taken();
        calls.sort();
        assert_eq!(calls, [vec![1, 2], vec![3]]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_can_be_spawned() {
    #[cached(each = "name:{name}", ttl = "5m")]
    async fn lengths(names: &[String]) -> Result<HashMap<String, usize>, io::Error> {
        tokio::task::yield_now().await;
        Ok(names.iter().map(|name| (name.clone(), name.len())).collect())
    }

    let cache = Larder::memory(100);
    let spawned = tokio::spawn(async move { scope_async(&cache, lengths(&["Ada".to_owned()])).await });
    assert_eq!(spawned.await.unwrap().unwrap()["Ada"], 3);
}

struct School {
    id: u64,
    cache: Larder,
    calls: Calls,
}

#[cached]
impl School {
    #[cached(each = "school:{self.id}:user:{id}", ttl = "5m", cache = self.cache)]
    async fn users(&self, ids: &[u64]) -> Result<HashMap<u64, User>, io::Error> {
        self.calls.with(ids.iter().copied());
        tokio::task::yield_now().await;
        Ok(found(ids))
    }

    #[cached(each = "user:{id}", ttl = "5m", shared, cache = self.cache)]
    fn all(&self, ids: Vec<u64>) -> HashMap<u64, User> {
        self.calls.with(ids.iter().copied());
        found(&ids)
    }
}

#[tokio::test]
async fn methods_have_batches() {
    let school = School { id: 3, cache: Larder::memory(100), calls: Calls::default() };
    school.users(&[1, 2]).await.unwrap();
    assert_eq!(school.users(&[2, 3]).await.unwrap(), found(&[2, 3]));
    assert_eq!(school.users_key(1), "school:3:user:1");
    school.users_invalidate(&[1]).await.unwrap();
    school.users(&[1, 2]).await.unwrap();
    assert_eq!(school.all(vec![1]), school.all(vec![1]));
    assert_eq!(school.calls.taken(), [vec![1, 2], vec![3], vec![1], vec![1]]);
}

#[test]
fn counts_bear_tags_too() {
    static CALLS: Calls = Calls::new();

    #[cached(each = "class:{id}:size", ttl = "5m", tags = ["classes"])]
    fn sizes(ids: &[u64]) -> HashMap<u64, i64> {
        CALLS.with(ids.iter().copied());
        ids.iter().map(|id| (*id, 20 + *id as i64)).collect()
    }

    scope(&Larder::memory(100), || {
        assert_eq!(sizes(&[1, 2]), HashMap::from([(1, 21), (2, 22)]));
        assert_eq!(sizes(&[1, 2, 3])[&3], 23);
        larder::global().invalidate_tag("classes").wait().unwrap();
        assert_eq!(sizes(&[1])[&1], 21);
        assert_eq!(CALLS.taken(), [vec![1, 2], vec![3], vec![1]]);
    });
}

#[test]
fn an_element_that_is_named_twice_is_loaded_once() {
    #[cached(each = "twice:{id}", ttl = "5m")]
    fn twice(ids: &[u64]) -> Vec<(u64, usize)> {
        ids.iter().map(|id| (*id, ids.len())).collect()
    }

    larder::scope(&larder::Larder::memory(10), || assert_eq!(twice(&[1, 2, 1]), [(1, 2), (2, 2)]));
}

#[test]
fn what_a_batch_returns_unasked_is_dropped_and_counted() {
    // Its own name, `x1`, is the key of the element `1`.
    #[cached(each = "x{id}", ttl = "5m")]
    fn rows(ids: &[String]) -> Vec<(String, u64)> {
        let found = ids.iter().map(|id| (id.clone(), 7));
        found.chain([("x1".to_owned(), 8), ("z".to_owned(), 9)]).collect()
    }

    let cache = Larder::memory(10);
    scope(&cache, || {
        assert_eq!(rows(&["1".to_owned(), "2".to_owned()]).len(), 2);
        assert_eq!(rows(&["1".to_owned()]), [("1".to_owned(), 7)]);
    });
    assert_eq!((cache.stats().errors, cache.stats().entries), (1, 2));
}
