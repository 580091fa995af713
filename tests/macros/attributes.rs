//! What the attribute can say of each value, each call, and each key.

use std::sync::Arc;
use std::time::Duration;

use larder::{Larder, ManualClock, Memory, Ttl, cached, scope, scope_async};

use super::{Report, Runs, User};

fn manual() -> (Larder, ManualClock) {
    let clock = ManualClock::new();
    let memory = Memory::builder().capacity(100).clock(clock.clock()).build();
    (Larder::builder().memory(memory).clock(clock.clock()).build(), clock)
}

#[test]
fn a_ttl_of_the_value() {
    #[cached(key = "token:{seconds}", ttl = |token| Duration::from_secs(token.1))]
    fn token(seconds: u64) -> Result<(String, u64), String> {
        if seconds == 1 { Err("down".into()) } else { Ok(("secret".into(), seconds)) }
    }

    let (cache, clock) = manual();
    scope(&cache, || {
        assert!(token(1).is_err());
        let _ = (token(60), token(0));
        assert_eq!(cache.ttl("token:60").wait().unwrap(), Ttl::Left(Duration::from_secs(60)));
        assert_eq!(cache.ttl("token:0").wait().unwrap(), Ttl::Missing, "no time to keep it");
        assert_eq!(cache.stats().errors, 0, "which is no trouble");
        clock.advance(Duration::from_secs(61));
        assert_eq!(token::peek(60).wait().unwrap(), None);
        token::prime(30, ("other".to_owned(), 30)).wait().unwrap();
        assert_eq!(cache.ttl("token:30").wait().unwrap(), Ttl::Left(Duration::from_secs(30)));
    });
}

#[tokio::test]
async fn tags_of_the_result_and_choices() {
    static RUNS: Runs = Runs::new();

    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Post {
        author: String,
        draft: bool,
        run: usize,
    }

    #[cached(
        key = "post:{blog}:{id}",
        ttl = "5m",
        tags = ["posts", "blog:{blog}:author:{ret.author}"],
        when = |post| !post.draft && post.run < most
        , skip = [most]
    )]
    async fn post(blog: String, id: u64, most: usize) -> Option<Arc<Post>> {
        let run = RUNS.next();
        tokio::task::yield_now().await;
        (id > 0).then(|| Arc::new(Post { author: format!("a{id} of {blog}"), draft: id > 100, run }))
    }

    let cache = Larder::memory(100);
    scope_async(&cache, async {
        let run = async |id| post("b:1".to_owned(), id, 1000).await.map(|post| post.run);
        assert_eq!((run(7).await, run(7).await, run(8).await), (Some(1), Some(1), Some(2)));
        cache.invalidate_tag(larder::key!("blog:{}:author:{}", "b:1", "a7 of b:1")).await.unwrap();
        assert_eq!((run(7).await, run(8).await), (Some(3), Some(2)));
        cache.invalidate_tag("posts").await.unwrap();
        assert_eq!(run(8).await, Some(4));
        assert_eq!((run(101).await, run(101).await), (Some(5), Some(6)), "drafts are not kept");
        assert_eq!((run(0).await, run(0).await), (None, None));
        assert_eq!(RUNS.count(), 8);
    })
    .await;
}

#[test]
fn a_call_may_go_around_the_cache_or_refresh_it() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "n:{id}", ttl = "5m", bypass = mode == "bypass", refresh = mode == "refresh")]
    fn n(id: u8, mode: &str) -> (u8, usize) {
        (id, RUNS.next())
    }

    scope(&Larder::memory(100), || {
        let run = |mode| n(1, mode).1;
        assert_eq!((run(""), run(""), run("bypass"), run("")), (1, 1, 2, 1));
        assert_eq!((run("refresh"), run(""), n::refresh(1, "").1, run("")), (3, 3, 4, 4));
        assert_eq!(n::key(1), "n:1");
    });
}

#[tokio::test]
async fn none_is_kept_for_the_negative_ttl() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "value:{id}", ttl = "1h", swr = "1h", negative_ttl = "1m")]
    async fn value(id: u64) -> Result<Option<User>, String> {
        RUNS.next();
        Ok((id > 0).then_some(User { id }))
    }
    #[cached(key = "shared:{id}", ttl = "1h", negative_ttl = "1m")]
    async fn shared(id: u64) -> Option<Arc<Report>> {
        RUNS.next();
        (id > 0).then(|| Arc::new(Report("there".into())))
    }
    #[cached(key = "local:{id}", ttl = "1h", negative_ttl = "1m", local)]
    async fn local(id: u64) -> Option<Arc<fn() -> u8>> {
        RUNS.next();
        (id > 0).then(|| Arc::new((|| 1) as fn() -> u8))
    }

    let (cache, clock) = manual();
    scope_async(&cache, async {
        for _ in 0..2 {
            assert_eq!((value(0).await, value(1).await), (Ok(None), Ok(Some(User { id: 1 }))));
            assert!(shared(0).await.is_none() && local(0).await.is_none());
            assert!(Arc::ptr_eq(&shared(1).await.unwrap(), &shared(1).await.unwrap()));
            assert!(Arc::ptr_eq(&local(1).await.unwrap(), &local(1).await.unwrap()));
        }
        assert_eq!(RUNS.count(), 6);
        for id in [0, 1] {
            let seconds = if id == 0 { 60 } else { 3600 };
            for key in [value::key(id), shared::key(id), local::key(id)] {
                assert_eq!(cache.ttl(&key).wait().unwrap(), Ttl::Left(Duration::from_secs(seconds)), "{key}");
            }
        }
        assert_eq!(value::peek(0).await.unwrap(), Some(Ok(None)));
        clock.advance(Duration::from_secs(61));
        assert_eq!(value::peek(0).await.unwrap(), None);
        local::prime(5, None).await.unwrap();
        assert_eq!(cache.ttl("local:5").await.unwrap(), Ttl::Left(Duration::from_secs(60)));
    })
    .await;
}

#[test]
fn versions_and_ages_are_held_against_what_is_there() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "total:{id}", ttl = "5m", version = 2)]
    fn total(id: u8) -> (u8, usize) {
        (id, RUNS.next())
    }
    #[cached(key = "total:{id}", ttl = "5m", max_age = "10s")]
    fn young(id: u8) -> (u8, usize) {
        (id, RUNS.next())
    }

    let (cache, clock) = manual();
    cache.set("total:1", (1_u8, 0_usize), Duration::from_secs(300)).wait().unwrap();
    scope(&cache, || {
        assert_eq!(total::peek(1).wait().unwrap(), None, "of no version");
        assert_eq!((total(1).1, total(1).1), (1, 1));
        assert_eq!(total::peek(1).wait().unwrap(), Some((1, 1)));
        total::prime(1, (1, 77)).wait().unwrap();
        assert_eq!(total(1).1, 77);

        cache.set("total:2", (2_u8, 0_usize), Duration::from_secs(300)).wait().unwrap();
        assert_eq!(young(2).1, 0);
        clock.advance(Duration::from_secs(11));
        assert_eq!((young(2).1, young(2).1), (2, 2));
    });
}

#[test]
fn numbers_reach_the_policy() {
    #[cached(key = "spread:{id}", ttl = "1000s", jitter = 0.5, refresh_ahead = 0.9, xfetch = 1, sie = "1m")]
    fn spread(id: u16) -> u16 {
        id
    }

    let (cache, _clock) = manual();
    scope(&cache, || {
        let mut shortened = 0;
        for id in 0..50 {
            spread(id);
            let Ok(Ttl::Left(left)) = cache.ttl(spread::key(id)).wait() else { panic!("it is there") };
            assert!(left >= Duration::from_secs(500) && left <= Duration::from_secs(1000), "{left:?}");
            shortened += usize::from(left < Duration::from_secs(990));
        }
        assert!(shortened > 40, "{shortened}");
    });
}

#[derive(Debug)]
enum Trouble {
    Slow,
}

impl From<larder::Timeout> for Trouble {
    fn from(_: larder::Timeout) -> Self {
        Self::Slow
    }
}

#[tokio::test]
async fn a_hard_timeout_ends_in_an_error() {
    #[cached(key = "slow", ttl = "5m", hard_timeout = "10ms")]
    async fn slow() -> Result<u8, Trouble> {
        std::future::pending().await
    }
    #[cached(key = "judged", ttl = "5m", hard_timeout = "10ms", soft_timeout = "5ms", sie = "1m", when = |n| *n > 0)]
    async fn judged() -> Result<u8, Trouble> {
        std::future::pending().await
    }

    let cache = Larder::memory(10);
    let both = scope_async(&cache, async { (slow().await, judged().await) });
    let both = tokio::time::timeout(Duration::from_secs(10), both).await.expect("given up in time");
    assert!(matches!(both, (Err(Trouble::Slow), Err(Trouble::Slow))));
}

#[test]
fn without_a_key_the_path_and_all_arguments_are_it() {
    fn one() -> (u8, larder::Key) {
        #[cached(ttl = "5m", skip = [_log])]
        fn get(id: u8, name: &str, _log: &str) -> u8 {
            let _ = name;
            id
        }
        (get(1, "a:b", "x"), get::key(1, "a:b"))
    }
    fn two() -> (u8, larder::Key) {
        #[cached(ttl = "5m")]
        fn get(id: u8, _name: &str) -> u8 {
            id + 1
        }
        (get(1, "a:b"), get::key(1, "a:b"))
    }

    scope(&Larder::memory(10), || {
        assert_eq!((one().0, two().0), (1, 2));
        let key = one().1;
        // Inside a function the path is not enough: it bears the place, too.
        assert!(key.contains("one::get@") && key.ends_with(":1:a%3Ab"), "{key}");
    });
}
