//! TTL, SWR, SIE and tags.

use std::time::Duration;

use larder::{Larder, Ttl, cached, scope, scope_async};

use super::Runs;

const BRIEF: Duration = Duration::from_millis(20);

fn left(cache: &Larder, key: impl AsRef<str>) -> Duration {
    match cache.ttl(key).wait() {
        Ok(Ttl::Left(left)) => left,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_ttl_is_a_string_or_an_expression() {
    #[cached(key = "string", ttl = "1h30m")]
    fn string() -> u8 {
        0
    }
    #[cached(key = "constant", ttl = larder::ttl::DAY)]
    fn constant() -> u8 {
        0
    }
    #[cached(key = "computed:{minutes}", ttl = Duration::from_secs(60 * minutes))]
    fn computed(minutes: u64) -> u64 {
        minutes
    }

    let cache = Larder::memory(100);
    scope(&cache, || {
        let _ = (string(), constant(), computed(3));
        for (key, seconds) in [(string::key(), 5_400), (constant::key(), 86_400), (computed::key(3), 180)] {
            let left = left(&cache, &key);
            let ttl = Duration::from_secs(seconds);
            assert!(left <= ttl && left + Duration::from_secs(10) > ttl, "{key}: {left:?}");
        }
    });
}

#[test]
fn what_is_expired_runs_again() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "brief", ttl = BRIEF)]
    fn brief() -> usize {
        RUNS.next()
    }

    scope(&Larder::memory(100), || {
        assert_eq!(brief(), 1);
        std::thread::sleep(BRIEF * 3);
        assert_eq!(brief(), 2);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn with_swr_the_stale_value_is_served_while_one_run_refreshes() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "count:{name}", ttl = BRIEF, swr = "1h")]
    async fn count(name: String) -> (String, usize) {
        (name, RUNS.next())
    }

    scope_async(&Larder::memory(100), async {
        assert_eq!(count("a".into()).await.1, 1);
        tokio::time::sleep(BRIEF * 3).await;
        assert_eq!(count("a".into()).await.1, 1);
        for _ in 0..100 {
            tokio::time::sleep(BRIEF / 4).await;
            if RUNS.count() > 1 && count("a".into()).await.1 > 1 {
                return;
            }
        }
        panic!("never refreshed");
    })
    .await;
}

#[test]
fn with_swr_a_synchronous_function_is_refreshed_on_another_thread() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "count:{name}", ttl = BRIEF, swr = "1h", tags = ["name:{name}"])]
    fn count(name: String) -> Result<(String, usize), Box<dyn std::error::Error + Send + Sync>> {
        Ok((name, RUNS.next()))
    }

    scope(&Larder::memory(100), || {
        assert_eq!(count("a".into()).unwrap().1, 1);
        std::thread::sleep(BRIEF * 3);
        assert_eq!(count("a".into()).unwrap().1, 1);
        for _ in 0..100 {
            std::thread::sleep(BRIEF / 4);
            if RUNS.count() > 1 && count("a".into()).unwrap().1 > 1 {
                return;
            }
        }
        panic!("never refreshed");
    });
}

#[test]
fn with_sie_the_stale_value_stands_in_for_an_error() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "flaky", ttl = BRIEF, sie = "1h")]
    fn flaky() -> Result<usize, String> {
        if RUNS.next() == 1 { Ok(1) } else { Err("down".into()) }
    }

    scope(&Larder::memory(100), || {
        assert_eq!(flaky(), Ok(1));
        std::thread::sleep(BRIEF * 3);
        assert_eq!(flaky(), Ok(1));
        assert_eq!(RUNS.count(), 2);
    });
}

#[test]
fn tags_invalidate() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "school:{school}:user:{id}", ttl = "5m", tags = ["users", "school:{school}"])]
    fn user(school: &str, id: u64) -> (String, u64, usize) {
        (school.into(), id, RUNS.next())
    }

    let cache = Larder::memory(100);
    scope(&cache, || {
        let (first, other) = (user("a:b", 1), user("c", 1));
        cache.invalidate_tag(larder::key!("school:{}", "a:b").as_ref()).wait().unwrap();
        assert_ne!(user("a:b", 1), first);
        assert_eq!(user("c", 1), other);
        cache.invalidate_tag("users").wait().unwrap();
        assert_ne!(user("c", 1), other);
    });
}
