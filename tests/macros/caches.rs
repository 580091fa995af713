//! Which cache is used.

use std::sync::Arc;
use std::time::Duration;

use larder::{Larder, cached, scope};

use super::{Runs, User};

struct App {
    cache: Larder,
    runs: Runs,
}

impl App {
    fn new() -> Self {
        Self { cache: Larder::memory(100), runs: Runs::new() }
    }
}

#[cached(key = "user:{id}", ttl = "5m", cache = app.cache)]
fn user(app: &App, id: u64) -> User {
    app.runs.next();
    User { id }
}

#[test]
fn one_of_an_argument() {
    let (one, two) = (App::new(), App::new());
    assert_eq!(
        (user(&one, 7), user(&one, 7), user(&two, 7)),
        (User { id: 7 }, User { id: 7 }, User { id: 7 })
    );
    assert_eq!((one.runs.count(), two.runs.count()), (1, 1));

    user::invalidate(&one, 7).wait().unwrap();
    let _ = (user(&one, 7), user(&two, 7));
    assert_eq!((one.runs.count(), two.runs.count()), (2, 1));
    assert_eq!(user::key(7), "user:7");
}

#[cached(key = "user:{id}", ttl = "5m", swr = "1m", cache = app.cache, tags = ["users"])]
async fn owned(app: Arc<App>, id: u64) -> Result<User, String> {
    app.runs.next();
    Ok(User { id })
}

#[tokio::test]
async fn one_of_an_argument_taken_by_value() {
    let app = Arc::new(App::new());
    assert_eq!(owned(app.clone(), 7).await, owned(app.clone(), 7).await);
    assert_eq!(app.runs.count(), 1);
    owned::invalidate(app.clone(), 7).await.unwrap();
    owned(app.clone(), 7).await.unwrap();
    assert_eq!(app.runs.count(), 2);
}

#[test]
fn an_argument_itself() {
    #[cached(key = "owned", ttl = "5m", cache = cache)]
    fn by_value(cache: Larder) -> bool {
        cache.exists("owned").wait().unwrap()
    }
    #[cached(key = "borrowed", ttl = "5m", cache = cache)]
    fn by_reference(cache: &Larder) -> bool {
        cache.exists("borrowed").wait().unwrap()
    }

    let cache = Larder::memory(100);
    assert_eq!((by_value(cache.clone()), by_reference(&cache)), (false, false));
    assert!(cache.exists("owned").wait().unwrap() && cache.exists("borrowed").wait().unwrap());
}

#[test]
fn one_that_a_function_returns() {
    fn mine() -> Larder {
        thread_local!(static CACHE: Larder = Larder::memory(100));
        CACHE.with(Clone::clone)
    }
    static RUNS: Runs = Runs::new();

    #[cached(key = "n", ttl = "5m", cache = mine())]
    fn n() -> usize {
        RUNS.next()
    }

    assert_eq!((n(), n()), (1, 1));
    assert!(mine().exists("n").wait().unwrap());
    n::invalidate().wait().unwrap();
    assert_eq!(n(), 2);
}

#[test]
fn a_disabled_one_caches_nothing() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "n", ttl = "5m")]
    fn n() -> usize {
        RUNS.next()
    }

    scope(&Larder::disabled(), || assert_eq!((n(), n()), (1, 2)));
}

#[test]
fn no_policy_or_tag_is_made_on_a_hit() {
    static POLICIES: Runs = Runs::new();

    fn ttl() -> Duration {
        POLICIES.next();
        Duration::from_secs(60)
    }

    #[cached(key = "n", ttl = ttl())]
    fn n() -> u8 {
        1
    }

    scope(&Larder::memory(100), || assert_eq!((n(), n(), n()), (1, 1, 1)));
    assert_eq!(POLICIES.count(), 1);
}
