//! `after_commit`: what writers change waits for the transaction they are part of.

use std::sync::Arc;

use larder::testing::{Fault, Faulty, Op, Plain, Remote};
use larder::{
    ErrorKind, Larder, Memory, Target, after_commit, cached, invalidates, scope, scope_async, ttl, updates,
};

use super::{Runs, User};

#[invalidates(keys = ["user:{id}"])]
fn rename(id: u64) -> Result<(), String> {
    if id == 0 { Err("no such user".into()) } else { Ok(()) }
}

#[invalidates(keys = ["user:{id}"])]
async fn rename_async(id: u64) {
    let _ = id;
    tokio::task::yield_now().await;
}

#[updates(key = "user:{ret.id}", ttl = "5m")]
fn save(id: u64) -> User {
    User { id }
}

fn filled() -> Larder {
    let cache = Larder::memory(100);
    for id in 0..10 {
        cache.set(key(id), User { id: 100 + id }, ttl::DAY).wait().expect("a key");
    }
    cache
}

fn key(id: u64) -> String {
    format!("user:{id}")
}

/// What is cached of each user: nothing, or the id that it bears.
fn users<const N: usize>(cache: &Larder, ids: [u64; N]) -> [Option<u64>; N] {
    ids.map(|id| cache.get::<User>(key(id)).wait().expect("a user").map(|user| user.id))
}

#[test]
fn changes_wait_for_the_commit() {
    let cache = filled();
    let changes = after_commit();
    scope(&cache, || {
        changes.scope(|| {
            rename(1).unwrap();
            rename(0).unwrap_err();
            save(2);
        });
    });
    assert_eq!(changes.len(), 2);
    assert_eq!(users(&cache, [0, 1, 2]), [Some(100), Some(101), Some(102)]);
    changes.committed().wait().unwrap();
    assert_eq!(users(&cache, [0, 1, 2]), [Some(100), None, Some(2)]);
    cache.set(key(1), User { id: 1 }, ttl::DAY).wait().unwrap();
    changes.committed().wait().unwrap();
    assert_eq!(users(&cache, [1]), [Some(1)], "once is enough");
}

#[test]
fn a_rollback_an_error_and_a_panic_change_nothing() {
    let cache = filled();
    let transaction = |end: &dyn Fn()| {
        let changes = after_commit();
        changes.scope(|| {
            scope(&cache, || {
                rename(1).unwrap();
                save(2);
            });
            end();
        });
        changes.rolled_back();
    };
    transaction(&|| ());
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| transaction(&|| panic!("in the transaction"))))
        .unwrap_err();
    let failing = || -> Result<(), String> {
        let changes = after_commit();
        changes.scope(|| scope(&cache, || rename(1).and_then(|()| rename(0))))?;
        changes.committed().wait().map_err(|error| error.to_string())
    };
    failing().unwrap_err();
    assert_eq!(users(&cache, [1, 2]), [Some(101), Some(102)]);
    scope(&cache, || rename(1).unwrap());
    assert_eq!(users(&cache, [1]), [None], "outside, as ever");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_goes_with_its_future_and_with_nothing_else() {
    let cache = filled();
    let changes = Arc::new(after_commit());
    let (own, inside) = (cache.clone(), changes.clone());
    let transaction = tokio::spawn(async move {
        let writes = async {
            rename_async(1).await;
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            save(2);
            tokio::join!(rename_async(3), rename_async(4));
        };
        inside.scope_async(scope_async(&own, writes)).await;
    });
    for id in [5, 6] {
        scope_async(&cache, rename_async(id)).await;
        tokio::task::yield_now().await;
    }
    transaction.await.unwrap();
    assert_eq!(users(&cache, [1, 2, 3, 4]), [101, 102, 103, 104].map(Some));
    assert_eq!(users(&cache, [5, 6]), [None, None], "others are not in it");
    changes.committed().await.unwrap();
    assert_eq!(users(&cache, [1, 2, 3, 4]), [None, Some(2), None, None]);
}

#[test]
fn changes_are_made_in_their_order() {
    let cache = filled();
    let changes = after_commit();
    scope(&cache, || {
        changes.scope(|| {
            save(1);
            rename(1).unwrap(); // after it, so nothing is left
            rename(2).unwrap();
            save(2); // after it, so it stays
            rename(3).unwrap();
            save(3);
            rename(3).unwrap();
        });
    });
    changes.committed().wait().unwrap();
    assert_eq!(users(&cache, [1, 2, 3]), [None, Some(2), None]);
}

#[test]
fn what_another_changes_meanwhile_is_not_overwritten() {
    let cache = filled();
    let changes = after_commit();
    scope(&cache, || {
        changes.scope(|| save(1));
        save(1); // another transaction, committed first or not: nobody knows
        changes.committed().wait().unwrap();
    });
    assert_eq!(users(&cache, [1]), [None]);
}

#[test]
fn a_load_that_began_before_the_release_is_not_stored_after_it() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "user:{id}", ttl = "5m", skip = [meanwhile])]
    fn user(id: u64, meanwhile: impl FnOnce()) -> User {
        RUNS.next();
        meanwhile();
        User { id }
    }

    let cache = Larder::memory(100);
    let changes = after_commit();
    scope(&cache, || {
        changes.scope(|| rename(1).unwrap());
        // It reads the old row, the transaction commits, and only then it is done.
        user(1, || changes.committed().wait().unwrap());
        assert_eq!(users(&cache, [1]), [None]);
        user(1, || ());
        user(1, || ());
        assert_eq!(RUNS.count(), 2);
    });
}

#[test]
fn an_explicit_invalidation_is_made_at_once_and_again() {
    let cache = filled();
    let refill = |id| cache.set(key(id), User { id: 200 + id }, ttl::DAY).wait().unwrap();
    let changes = after_commit();
    changes.scope(|| {
        cache.invalidate(key(1)).wait().unwrap();
        cache.delete(key(2)).wait().unwrap();
        assert_eq!(users(&cache, [1, 2]), [None, None], "as it promises");
    });
    // A reader loads the old rows, since nothing is committed yet.
    refill(1);
    refill(2);
    changes.committed().wait().unwrap();
    assert_eq!(users(&cache, [1, 2]), [None, None]);
}

#[test]
fn by_hand() {
    let cache = filled();
    let changes = after_commit();
    changes.invalidate(&cache, Target::Pattern("user:*")).unwrap();
    changes.invalidate(&cache, &key(1)).unwrap();
    let error = changes.invalidate(&cache, "").unwrap_err();
    assert_eq!((error.kind(), changes.len()), (ErrorKind::InvalidKey, 2));
    assert_eq!(users(&cache, [1, 2]), [Some(101), Some(102)]);
    changes.committed().wait().unwrap();
    assert_eq!(users(&cache, [1, 2]), [None, None]);
    cache.set(key(1), User { id: 1 }, ttl::DAY).wait().unwrap();
    changes.invalidate(&cache, &key(1)).unwrap();
    assert_eq!(users(&cache, [1]), [None], "late: at once");
}

#[test]
fn a_savepoint_waits_for_the_transaction_and_can_be_rolled_back_alone() {
    let cache = filled();
    let outer = after_commit();
    scope(&cache, || {
        outer.scope(|| {
            rename(1).unwrap();
            let kept = outer.savepoint();
            kept.scope(|| (rename(2).unwrap(), save(3)));
            kept.committed().wait().unwrap();
            let undone = outer.savepoint();
            undone.scope(|| rename(4).unwrap());
            undone.rolled_back();
            rename(5).unwrap();
        });
    });
    assert_eq!(users(&cache, [1, 2, 3, 4, 5]), [101, 102, 103, 104, 105].map(Some));
    outer.committed().wait().unwrap();
    assert_eq!(users(&cache, [1, 2, 3, 4, 5]), [None, None, Some(3), Some(104), None]);
}

#[test]
fn a_transaction_inside_another_one_is_released_at_once_and_again() {
    let cache = filled();
    let outer = after_commit();
    scope(&cache, || {
        outer.scope(|| {
            let inner = after_commit();
            inner.scope(|| (rename(1).unwrap(), save(2)));
            inner.committed().wait().unwrap();
        });
    });
    assert_eq!(users(&cache, [1, 2]), [None, None], "it may be a transaction of its own");
    cache.set(key(1), User { id: 1 }, ttl::DAY).wait().unwrap();
    outer.committed().wait().unwrap();
    assert_eq!(users(&cache, [1]), [None], "it may have been a part of this one");
}

#[test]
fn what_cannot_be_delivered_is_reported_and_the_rest_is_delivered() {
    let backend = Faulty::new(Memory::builder().capacity(100).build())
        .script([Fault::error_on(Op::Invalidate).times(2)]);
    let cache = Larder::over(backend);
    for id in 1..=3 {
        cache.set(key(id), User { id }, ttl::DAY).wait().unwrap();
    }
    let changes = after_commit();
    scope(&cache, || changes.scope(|| [1, 2, 3].map(|id| rename(id).unwrap())));
    let error = changes.committed().wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("2 of 3"), "{error}");
    assert_eq!(users(&cache, [3]), [None]);
}

#[tokio::test]
async fn all_is_under_way_when_committed_returns() {
    let cache = Larder::over(Remote::new(Plain::default()));
    cache.set(key(1), User { id: 1 }, ttl::DAY).await.unwrap();
    cache.set(key(2), User { id: 1 }, ttl::DAY).await.unwrap();
    let changes = after_commit();
    scope(&cache, || changes.scope(|| (rename(1).unwrap(), save(2))));
    drop(changes.committed());
    assert!(!cache.exists(key(1)).await.unwrap());
    assert_eq!(cache.get::<User>(key(2)).await.unwrap().unwrap().id, 2);
}

#[test]
fn too_many_changes_become_one() {
    let cache = filled();
    let changes = after_commit();
    scope(&cache, || changes.scope(|| (0..30_000).for_each(|id| rename(id + 1000).unwrap())));
    assert!(changes.len() <= 10_000);
    changes.committed().wait().unwrap();
    assert_eq!(users(&cache, [1]), [None]);
}

#[tokio::test]
async fn a_writer_that_is_dropped_in_a_transaction_is_part_of_it() {
    #[invalidates(keys = ["user:1"])]
    async fn hang() {
        std::future::pending::<()>().await;
    }

    let cache = filled();
    let changes = after_commit();
    let call = changes.scope_async(scope_async(&cache, hang()));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(1), call).await.is_err());
    assert_eq!(users(&cache, [1]), [Some(101)]);
    changes.committed().await.unwrap();
    assert_eq!(users(&cache, [1]), [None]);
}
