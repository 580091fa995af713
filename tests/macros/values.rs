//! Plain values, `Option` and `Arc`.

use std::sync::Arc;

use larder::{Larder, Local, cached, scope, scope_async};

use super::{Report, Runs, User};

#[test]
fn runs_once_per_key() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "double:{n}", ttl = "5m")]
    fn double(n: u32) -> u32 {
        RUNS.next();
        n * 2
    }

    scope(&Larder::memory(100), || {
        assert_eq!((double(2), double(2), double(3)), (4, 4, 6));
        assert_eq!(RUNS.count(), 2);
    });
}

#[tokio::test]
async fn runs_once_per_key_async() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "double:{n}", ttl = "5m")]
    async fn double(n: u32) -> u32 {
        RUNS.next();
        tokio::task::yield_now().await;
        n * 2
    }

    scope_async(&Larder::memory(100), async {
        assert_eq!((double(2).await, double(2).await, double(3).await), (4, 4, 6));
        assert_eq!(RUNS.count(), 2);
    })
    .await;
}

#[test]
fn an_arc_is_stored_as_it_is() {
    #[cached(key = "report", ttl = "5m")]
    fn report() -> Arc<Report> {
        Arc::new(Report("all well".into()))
    }

    let cache = Larder::memory(100);
    scope(&cache, || {
        let first = report();
        assert!(Arc::ptr_eq(&first, &report()));
        let stored = cache.get::<Report>(report::key()).wait().unwrap().unwrap();
        assert!(Arc::ptr_eq(&first, &stored));
    });
}

#[test]
fn none_is_not_cached() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "find:{id}", ttl = "5m")]
    fn find(id: u64) -> Option<User> {
        (RUNS.next() > 1).then_some(User { id })
    }

    scope(&Larder::memory(100), || {
        assert_eq!(find(7), None);
        assert_eq!(find(7), Some(User { id: 7 }));
        assert_eq!(find(7), Some(User { id: 7 }));
        assert_eq!(RUNS.count(), 2);
    });
}

#[test]
fn an_optional_arc_is_stored_as_it_is() {
    #[cached(key = "find", ttl = "5m")]
    fn find() -> Option<Arc<Report>> {
        Some(Arc::new(Report("found".into())))
    }

    scope(&Larder::memory(100), || assert!(Arc::ptr_eq(&find().unwrap(), &find().unwrap())));
}

#[test]
fn what_cannot_be_encoded_is_cached_in_local() {
    struct Compiled(fn(u8) -> u8);

    #[cached(key = "program", ttl = "5m")]
    fn program() -> Arc<Local<Compiled>> {
        Arc::new(Local(Compiled(|n| n + 1)))
    }

    scope(&Larder::memory(100), || {
        assert!(Arc::ptr_eq(&program(), &program()));
        assert_eq!((program().0.0)(3), 4);
    });
}
