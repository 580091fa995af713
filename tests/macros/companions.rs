//! What the companions promise, beyond what they are called for elsewhere.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use larder::{Larder, cached, scope, scope_async};

use super::{Report, Runs};

#[test]
fn warming_runs_on_threads_and_counts_failures() {
    #[cached(key = "warm:{n}", ttl = "5m", skip = [barrier])]
    fn warmed(n: u64, barrier: &std::sync::Barrier) -> Result<u64, String> {
        // Two runs at a time, or none gets on.
        barrier.wait();
        if n == 3 { Err("odd".into()) } else { Ok(n) }
    }

    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let cache = Larder::memory(100);
        scope(&cache, || {
            let barrier = std::sync::Barrier::new(2);
            let progress = warmed::warm((0..4).map(|n| (n, &barrier)), 2);
            send.send((progress.done, progress.failed, progress.total, cache.stats().loads)).unwrap();
        });
    });
    let done = receive.recv_timeout(Duration::from_secs(20)).expect("two at a time");
    assert_eq!(done, (4, 1, Some(4), 4));
}

#[tokio::test]
async fn a_refresh_joins_no_run_that_began_before_it() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "slow", ttl = "5m", skip = [gate])]
    async fn slow(gate: &tokio::sync::Semaphore) -> usize {
        let run = RUNS.next();
        if run == 1 {
            drop(gate.acquire().await);
        }
        run
    }

    let gate = tokio::sync::Semaphore::new(0);
    scope_async(&Larder::memory(10), async {
        let first = slow(&gate);
        let later = async {
            assert_eq!(slow::refresh(&gate).await, 2);
            assert_eq!(slow(&gate).await, 2);
            gate.add_permits(1);
        };
        let both = async { tokio::join!(first, later).0 };
        let first = tokio::time::timeout(Duration::from_secs(10), both).await.expect("nobody waits");
        assert_eq!(first, 1);
        assert_eq!(slow(&gate).await, 2, "the older run did not replace what the refresh stored");
    })
    .await;
}

#[tokio::test]
async fn a_failed_refresh_says_so_and_leaves_what_was_there() {
    #[cached(key = "flaky", ttl = "5m", sie = "1h")]
    async fn flaky() -> Result<usize, String> {
        static RUNS: Runs = Runs::new();
        if RUNS.next() == 1 { Ok(1) } else { Err("down".into()) }
    }

    scope_async(&Larder::memory(10), async {
        assert_eq!(flaky().await, Ok(1));
        assert_eq!(flaky::refresh().await, Err("down".into()));
        assert_eq!(flaky().await, Ok(1));
    })
    .await;
}

#[test]
fn what_is_primed_is_shared_as_it_is() {
    #[cached(key = "report:{n}", ttl = "5m", tags = ["reports"])]
    fn report(n: u8) -> Result<Option<Arc<Report>>, String> {
        Err(format!("no report {n}"))
    }

    let cache = Larder::memory(10);
    scope(&cache, || {
        let mine = Arc::new(Report("mine".into()));
        report::prime(1, Ok(Some(mine.clone()))).wait().unwrap();
        assert!(Arc::ptr_eq(&report(1).unwrap().unwrap(), &mine));
        report::prime(2, Report("yours".into())).wait().unwrap();
        report::prime(3, Ok(None)).wait().unwrap();
        assert!(report(2).is_ok() && report(3).is_err());
        cache.invalidate_tag("reports").wait().unwrap();
        assert!(report(1).is_err() && report(2).is_err());
    });
}

#[test]
fn a_primed_value_can_be_invalidated() {
    #[cached(key = "n", ttl = "5m")]
    fn n() -> Option<u8> {
        None
    }

    scope(&Larder::memory(10), || {
        n::prime(7).wait().unwrap();
        assert_eq!(n(), Some(7));
        n::invalidate().wait().unwrap();
        assert_eq!((n(), n::peek().wait().unwrap()), (None, None));
    });
}
