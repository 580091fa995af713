//! `Result`, by whatever name.

use std::cell::Cell;
use std::error::Error;
use std::io;
use std::sync::Arc;

use larder::{Larder, cached, scope, scope_async};
use serde::{Deserialize, Serialize};

use super::{Report, Runs, User};

/// Neither `Clone` nor `Sync`.
#[derive(Debug)]
struct Broken(#[allow(dead_code)] Cell<u8>);

#[test]
fn an_error_is_returned_and_not_cached() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "user:{id}", ttl = "5m")]
    fn user(id: u64) -> Result<User, Broken> {
        if RUNS.next() == 1 { Err(Broken(Cell::new(0))) } else { Ok(User { id }) }
    }

    scope(&Larder::memory(100), || {
        assert!(user(7).is_err());
        assert_eq!(user(7).unwrap().id, 7);
        assert_eq!(user(7).unwrap().id, 7);
        assert_eq!(RUNS.count(), 2);
    });
}

#[tokio::test]
async fn an_error_is_returned_and_not_cached_async() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "user:{id}", ttl = "5m", swr = "1m")]
    async fn user(id: u64) -> io::Result<User> {
        if RUNS.next() == 1 { Err(io::Error::other("down")) } else { Ok(User { id }) }
    }

    scope_async(&Larder::memory(100), async {
        assert!(user(7).await.is_err());
        assert_eq!(user(7).await.unwrap().id, 7);
        assert_eq!(user(7).await.unwrap().id, 7);
        assert_eq!(RUNS.count(), 2);
    })
    .await;
}

#[test]
fn a_result_is_told_by_type_not_by_name() {
    type Answer<T> = std::result::Result<T, Box<dyn Error>>;
    static RUNS: Runs = Runs::new();

    #[cached(key = "answer", ttl = "5m")]
    fn answer() -> Answer<u8> {
        if RUNS.next() == 1 { Err("not yet".into()) } else { Ok(42) }
    }

    scope(&Larder::memory(100), || {
        assert_eq!(answer().unwrap_err().to_string(), "not yet");
        assert_eq!((answer().unwrap(), answer().unwrap()), (42, 42));
        assert_eq!(RUNS.count(), 2);
    });
}

#[test]
fn a_type_that_is_only_called_result_is_a_value() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Result {
        Lost,
    }
    static RUNS: Runs = Runs::new();

    #[cached(key = "match", ttl = "5m")]
    fn outcome() -> Result {
        RUNS.next();
        Result::Lost
    }

    scope(&Larder::memory(100), || {
        assert_eq!((outcome(), outcome()), (Result::Lost, Result::Lost));
        assert_eq!(RUNS.count(), 1);
    });
}

#[test]
fn of_a_result_of_an_option_only_a_value_is_cached() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "find:{id}", ttl = "5m")]
    fn find(id: u64) -> Result<Option<User>, Broken> {
        match RUNS.next() {
            1 => Err(Broken(Cell::new(0))),
            2 => Ok(None),
            _ => Ok(Some(User { id })),
        }
    }

    scope(&Larder::memory(100), || {
        assert!(find(7).is_err());
        assert_eq!(find(7).unwrap(), None);
        assert_eq!(find(7).unwrap(), Some(User { id: 7 }));
        assert_eq!(find(7).unwrap(), Some(User { id: 7 }));
        assert_eq!(RUNS.count(), 3);
    });
}

#[test]
fn an_arc_in_a_result_is_stored_as_it_is() {
    #[cached(key = "report", ttl = "5m")]
    fn report() -> Result<Arc<Report>, Broken> {
        Ok(Arc::new(Report("all well".into())))
    }

    #[cached(key = "maybe", ttl = "5m")]
    fn maybe() -> Result<Option<Arc<Report>>, Broken> {
        Ok(Some(Arc::new(Report("all well".into()))))
    }

    scope(&Larder::memory(100), || {
        assert!(Arc::ptr_eq(&report().unwrap(), &report().unwrap()));
        assert!(Arc::ptr_eq(&maybe().unwrap().unwrap(), &maybe().unwrap().unwrap()));
    });
}

// Counts are what dashboards ask for, and databases count in `i64`.
#[test]
fn an_i64_is_a_value_like_any_other() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "a:{of}", ttl = "5m", tags = ["counts"])]
    fn bare(of: u8) -> i64 {
        RUNS.next();
        of.into()
    }
    #[cached(key = "b:{of}", ttl = "5m", tags = ["counts"])]
    fn maybe(of: u8) -> Option<i64> {
        RUNS.next();
        Some(of.into())
    }
    #[cached(key = "c:{of}", ttl = "5m", sie = "1h")]
    fn fallible(of: u8) -> io::Result<i64> {
        RUNS.next();
        Ok(of.into())
    }
    #[cached(key = "d:{of}", ttl = "5m", tags = ["counts"], negative_ttl = "1m")]
    fn either(of: u8) -> io::Result<Option<i64>> {
        RUNS.next();
        Ok((of > 0).then_some(of.into()))
    }

    scope(&Larder::memory(100), || {
        for _ in 0..3 {
            assert_eq!((bare(7), maybe(7), fallible(7).unwrap()), (7, Some(7), 7));
            assert_eq!((either(7).unwrap(), either(0).unwrap()), (Some(7), None));
        }
        assert_eq!(RUNS.count(), 5);
        larder::global().invalidate_tag("counts").wait().unwrap();
        assert_eq!((bare(7), maybe(7), fallible(7).unwrap()), (7, Some(7), 7));
        assert_eq!((either(7).unwrap(), either(0).unwrap()), (Some(7), None));
        assert_eq!(RUNS.count(), 9);
        assert_eq!(larder::global().stats().errors, 0);
    });
}

#[test]
fn an_err_inside_is_not_cached_either() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "inside:{id}", ttl = "5m")]
    fn inside(id: u64) -> Option<Result<usize, String>> {
        let run = RUNS.next();
        (id > 0).then(|| if run < 3 { Err(format!("run {run}")) } else { Ok(run) })
    }

    #[cached(key = "twice:{id}", ttl = "5m")]
    fn twice(id: u64) -> Result<Result<std::sync::Arc<usize>, String>, std::fmt::Error> {
        let run = RUNS.next();
        Ok(if run < 6 { Err(format!("run {run} of {id}")) } else { Ok(run.into()) })
    }

    larder::scope(&larder::Larder::memory(10), || {
        assert_eq!(inside(1), Some(Err("run 1".to_owned())));
        assert_eq!(inside(1), Some(Err("run 2".to_owned())));
        assert_eq!((inside(1), inside(1)), (Some(Ok(3)), Some(Ok(3))));
        assert_eq!(inside(0), None); // run 4
        assert!(twice(1).is_ok_and(|inner| inner.is_err()));
        assert_eq!((twice(1), twice(1)), (Ok(Ok(6.into())), Ok(Ok(6.into()))));
        assert_eq!(inside::warm([0, 1], 1).failed, 0);
    });
}
