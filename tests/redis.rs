//! A Larder over a Redis of the test's own. Feature `redis`.

#![cfg(feature = "redis")]

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use larder::{Larder, Policy, Redis, Target, Tier, ttl};

struct Server(Child, std::path::PathBuf);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        let _ = std::fs::remove_dir_all(&self.1);
    }
}

impl Server {
    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([&format!("-{signal}"), &self.0.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }
}

fn server() -> (Server, String) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("larder-facade-redis-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder");
    let socket = dir.join("redis.sock");
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--save", "", "--dir"]).arg(&dir).arg("--unixsocket").arg(&socket);
    let child = command.stdout(Stdio::null()).spawn().expect("redis-server is installed");
    let server = Server(child, dir);
    let began = Instant::now();
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "redis-server did not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    (server, format!("unix://{}", socket.display()))
}

#[tokio::test(flavor = "current_thread")]
async fn two_instances_share_their_entries() {
    let (_server, url) = server();
    let redis = || async { Redis::builder(&url).response_timeout(Duration::from_secs(10)).connect().await };
    let one = Larder::builder().namespace("campus").redis(redis().await.expect("a handle")).build();
    let other = Larder::builder().namespace("campus").redis(redis().await.expect("a handle")).build();
    let stranger = Larder::builder().namespace("other").redis(redis().await.expect("a handle")).build();

    let policy = || Policy::ttl(ttl::MEDIUM).tags(["users"]);
    let loads = AtomicU32::new(0);
    let load = |cache: Larder| {
        let loads = &loads;
        async move {
            let loader = || async { loads.fetch_add(1, Ordering::Relaxed) };
            *cache.get_or_load("user:42", policy().in_caller(), loader).await
        }
    };
    assert_eq!((load(one.clone()).await, load(other.clone()).await), (0, 0), "loaded once for both");
    let hit = other.lookup::<u32>("user:42").await.expect("read").expect("there");
    assert_eq!((*hit.value, hit.tier), (0, Tier::L2));

    // Also without a runtime's help: the thread that waits is the runtime's own.
    one.invalidate(Target::Tag("users")).wait().expect("struck");
    assert_eq!(other.get::<u32>("user:42").wait().expect("read"), None);
    assert_eq!(load(other.clone()).await, 1, "loaded anew");

    stranger.set("user:42", 7_u32, ttl::SHORT).await.expect("stored");
    stranger.incr("hits", 1).await.expect("added");
    one.clear().await.expect("cleared");
    assert_eq!(other.get::<u32>("user:42").await.expect("read"), None);
    assert_eq!(stranger.get::<u32>("user:42").await.expect("read").as_deref(), Some(&7));
    assert_eq!(stranger.incr("hits", 1).await.expect("added"), 2);
    assert!(one.health().await.expect("told").troubles.is_empty());
}

/// Runs redis-cli with these arguments, and gives what it prints.
fn cli(url: &str, args: &[&str]) -> String {
    let socket = url.strip_prefix("unix://").expect("a socket");
    let output = Command::new("redis-cli").args(["-s", socket]).args(args).output().expect("redis-cli");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What `src/guide/redis.md` gives to larder's user, as arguments of redis-cli.
fn rights() -> Vec<&'static str> {
    let (_, rest) =
        include_str!("../src/guide/redis.md").split_once("ACL SETUSER").expect("the guide has it");
    let rule = rest.split("```").next().expect("it ends").split_whitespace();
    ["ACL", "SETUSER"].into_iter().chain(rule).collect()
}

#[tokio::test]
async fn the_rights_that_the_guide_names_are_enough() {
    let (_server, url) = server();
    assert_eq!(cli(&url, &rights()).trim(), "OK");
    let cache = || async {
        let redis = Redis::builder(&url).namespace("campus").username("campus").password("PASSWORD");
        let redis = redis.response_timeout(Duration::from_secs(10)).connect().await.expect("a handle");
        Larder::builder().redis(redis).build()
    };
    let (cache, other) = (cache().await, cache().await);
    let policy = || Policy::ttl(ttl::MEDIUM).swr(ttl::SHORT).tags(["users"]);
    cache.set("plain", 1_u32, ttl::SHORT).await.expect("set");
    cache.set("user:1", 1_u32, policy()).await.expect("set with tags");
    assert!(cache.set_if_absent("absent", 1_u32, ttl::SHORT).await.expect("set if absent"));
    assert!(cache.expire("plain", ttl::MEDIUM).await.expect("expire"));
    assert_eq!(cache.incr("hits", 2).await.expect("incr"), 2);
    assert_eq!(other.get::<u32>("user:1").await.expect("get").as_deref(), Some(&1));

    // One loads, the other waits for it.
    let load = |cache: Larder, pause| async move {
        let loader = || async move {
            tokio::time::sleep(pause).await;
            7_u32
        };
        *cache.get_or_load("user:7", policy().in_caller(), loader).await
    };
    let pause = Duration::from_millis(400);
    let both = async { tokio::join!(load(cache.clone(), pause), load(other.clone(), pause)) };
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), both).await.expect("in time"), (7, 7));

    cache.mark_stale(Target::Tag("users")).await.expect("marked stale");
    assert!(other.lookup::<u32>("user:7").await.expect("read").is_some());
    cache.mark_stale(Target::Key("plain")).await.expect("marked stale");
    cache.invalidate_tag("users").await.expect("a tag");
    cache.invalidate_pattern("abs*").await.expect("a pattern");
    assert!(!other.exists("absent").await.expect("read") && !other.exists("user:1").await.expect("read"));
    cache.delete("hits").await.expect("deleted");
    cache.clear().await.expect("cleared");
    assert!(cache.health().await.expect("told").ok);
    assert_eq!(cache.stats().errors + other.stats().errors, 0);
    // What Redis refused, whoever put up with it.
    let refused = cli(&url, &["ACL", "LOG"]);
    assert!(refused.trim().is_empty(), "{refused}");
}

/// Constant work, whatever else there is.
#[tokio::test(flavor = "current_thread")]
async fn to_clear_a_namespace_looks_at_nothing_else() {
    let (_server, url) = server();
    cli(&url, &["EVAL", "for i = 1, 300000 do redis.call('SET', 'x:' .. i, '') end", "0"]);
    let redis =
        Redis::builder(&url).response_timeout(Duration::from_secs(10)).connect().await.expect("a handle");
    let cache = Larder::builder().namespace("campus").redis(redis).build();
    cache.set("k", 1_u32, ttl::SHORT).await.expect("stored");
    cli(&url, &["CONFIG", "RESETSTAT"]);
    cache.clear().await.expect("cleared");
    let stats = cli(&url, &["INFO", "commandstats"]);
    // What was cleared is swept behind the caller's back, which takes 586 steps.
    let scans = stats.lines().find(|line| line.starts_with("cmdstat_scan:")).unwrap_or_default();
    let calls: u32 = scans.split(['=', ',']).nth(1).and_then(|calls| calls.parse().ok()).unwrap_or(0);
    assert!(calls < 300, "{scans}");
    assert!(cache.get::<u32>("k").await.expect("read").is_none());
}

/// What one namespace's process could not deliver is no matter of another's.
#[tokio::test(flavor = "current_thread")]
async fn what_overflows_in_one_namespace_leaves_the_others_alone() {
    let (server, url) = server();
    let redis = Redis::builder(&url).max_queued(2).connect().await.expect("a handle");
    let one = Larder::builder().namespace("one").redis(redis).build();
    let redis =
        Redis::builder(&url).response_timeout(Duration::from_secs(10)).connect().await.expect("a handle");
    let other = Larder::builder().namespace("other").redis(redis).build();
    assert_eq!(other.incr("orders", 41).await.expect("added"), 41);
    one.set("k", 1_u32, ttl::SHORT).await.expect("stored");
    server.signal("STOP");
    for key in 0..5 {
        one.invalidate(format!("k:{key}").as_str()).await.expect_err("queued");
    }
    server.signal("CONT");
    let left = one.close(Duration::from_secs(10)).await.expect("delivered");
    assert_eq!(left.invalidations, 0);
    assert!(one.get::<u32>("k").await.expect("read").is_none(), "it became everything, in its own namespace");
    assert_eq!(other.incr("orders", 1).await.expect("added"), 42, "the other namespace was cleared");
}

/// The builder's namespace is within that of the Redis, and is the same as one of the Redis' own.
#[tokio::test(flavor = "current_thread")]
async fn namespaces_are_joined() {
    let (_server, url) = server();
    let connect = |namespace: &str| {
        let redis = Redis::builder(&url).namespace(namespace).response_timeout(Duration::from_secs(10));
        async move { redis.connect().await.expect("a handle") }
    };
    let by_redis = Larder::over(connect("campus").await);
    let by_builder = Larder::builder().namespace("campus").redis(connect("").await).build();
    let within = Larder::builder().namespace("mail").redis(connect("campus").await).build();
    let again =
        Larder::over(connect("").await.within("campus").and_then(|it| it.within("mail")).expect("a handle"));
    by_redis.set("k", 1_u32, ttl::SHORT).await.expect("stored");
    within.set("k", 2_u32, ttl::SHORT).await.expect("stored");
    let read = async |cache: &Larder| cache.get::<u32>("k").await.expect("read").map(|value| *value);
    assert_eq!(read(&by_builder).await, Some(1));
    assert_eq!(read(&again).await, Some(2));
    by_builder.clear().await.expect("cleared");
    assert_eq!((read(&by_redis).await, read(&within).await), (None, Some(2)));

    let error = Larder::builder().namespace("a:b").redis(connect("").await).try_build().map(drop);
    assert_eq!(error.expect_err("refused").kind(), larder::ErrorKind::InvalidKey);
    let error = connect("").await.within("a:b").expect_err("refused");
    assert_eq!(error.kind(), larder::ErrorKind::InvalidConfig);
}

/// Types that say in their serialised form less than their deserialiser asks for: by the codec that describes itself.
#[cfg(feature = "json")]
#[tokio::test(flavor = "current_thread")]
async fn types_that_need_a_self_describing_codec_go_through_redis() {
    use std::collections::BTreeMap;

    use larder::wire::Codec;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
    #[serde(untagged)]
    enum Id {
        Number(u64),
        Name(String),
    }

    #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
    struct Page {
        id: Id,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        #[serde(flatten)]
        rest: BTreeMap<String, u32>,
    }

    let (_server, url) = server();
    let connect = || Redis::builder(&url).response_timeout(Duration::from_secs(10));
    let one = Larder::over(connect().codec(Codec::Json).connect().await.expect("a handle"));
    // Whoever reads knows all codecs.
    let other = Larder::over(connect().connect().await.expect("a handle"));
    let rest = BTreeMap::from([("views".to_owned(), 7), ("likes".to_owned(), 2)]);
    let pages = [
        Page { id: Id::Number(42), title: None, rest: rest.clone() },
        Page { id: Id::Name("home".to_owned()), title: Some("Home".to_owned()), rest: BTreeMap::new() },
    ];
    for page in pages {
        one.set("page", page.clone(), ttl::SHORT).await.expect("stored");
        let loaded = one.get_or_load("loaded", ttl::SHORT, || async { page.clone() }).await;
        assert_eq!(*loaded, page);
        for reader in [&one, &other] {
            for key in ["page", "loaded"] {
                let read = reader.get::<Page>(key).await.expect("read").expect("there");
                assert_eq!(*read, page);
            }
        }
        one.invalidate("loaded").await.expect("invalidated");
    }
    let name = cli(&url, &["KEYS", "*:k:page"]);
    let stored = cli(&url, &["GET", name.trim()]);
    assert!(stored.contains("\"title\":\"Home\""), "other languages read it: {stored:?}");
    let failed = other.set("page", Page { id: Id::Number(1), title: None, rest }, ttl::SHORT).await;
    assert_eq!(failed.expect_err("postcard cannot bring it back").kind(), larder::ErrorKind::Codec);
    assert!(
        one.get::<Page>("page").await.expect("read").is_none(),
        "the old value does not stay in its place"
    );
}

/// Memory in front of Redis: what is read again needs no round trip, what this process changes is seen at once, and what
/// others change when Redis has told of it.
#[tokio::test]
async fn memory_stands_in_front_of_redis() {
    let (_server, url) = server();
    let clock = larder::ManualClock::new();
    let memory = larder::Memory::builder().capacity(100).clock(clock.clock()).build();
    let cache = async |namespace: &str, memory: larder::Memory| {
        let redis = Redis::builder(&url).response_timeout(Duration::from_secs(10)).connect().await;
        let builder = Larder::builder().clock(clock.clock()).namespace(namespace);
        builder.memory(memory).redis(redis.expect("a handle")).build()
    };
    let here = cache("campus", memory.clone()).await;
    let elsewhere = cache("campus", larder::Memory::builder().clock(clock.clock()).build()).await;
    let stranger = cache("mail", memory).await;

    let tier = async |cache: &Larder| {
        cache.lookup::<u32>("k").await.expect("read").map(|hit| (*hit.value, hit.tier))
    };
    let until = async |cache: &Larder, there| {
        let began = Instant::now();
        while tier(cache).await != there {
            assert!(began.elapsed() < Duration::from_secs(10), "never {there:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    here.set("k", 1_u32, ttl::MEDIUM).await.expect("set");
    until(&here, Some((1, Tier::L1))).await;
    assert!(matches!(here.get::<u32>("k"), larder::Reply::Ready(Ok(Some(_)))));
    assert_eq!(tier(&stranger).await, None, "one memory, another namespace");
    elsewhere.set("k", 2_u32, ttl::MEDIUM).await.expect("set");
    until(&here, Some((2, Tier::L1))).await;
    here.invalidate("k").await.expect("invalidated");
    assert_eq!(tier(&here).await, None);
    assert_eq!(here.health().await.expect("told").troubles, Vec::<String>::new());
}

/// One that is switched off serves nothing and stores nothing; but what it changes, those who are on must not keep.
#[tokio::test(flavor = "current_thread")]
async fn what_a_disabled_cache_changes_others_do_not_keep() {
    let (_server, url) = server();
    let redis = || async { Redis::builder(&url).response_timeout(Duration::from_secs(10)).connect().await };
    let on = Larder::builder().redis(redis().await.expect("a handle")).build();
    let off = Larder::builder().redis(redis().await.expect("a handle")).disabled(true).build();
    let fill = || async { on.set("k", 1_u8, Policy::ttl(ttl::SHORT).tags(["t"])).await.expect("stored") };
    let there = || async { on.get::<u8>("k").await.expect("read").is_some() };
    for target in [Target::Key("k"), Target::Tag("t"), Target::Pattern("*"), Target::All] {
        fill().await;
        assert_eq!(off.get::<u8>("k").await.expect("answered"), None);
        assert!(!off.exists("k").await.expect("answered") && there().await);
        off.invalidate(target).await.expect("struck");
        assert!(!there().await, "{target:?}");
    }
    fill().await;
    off.set("k", 2_u8, ttl::SHORT).await.expect("answered");
    assert!(!there().await, "the old value is void, and the new one is not stored");
    fill().await;
    off.delete("k").await.expect("answered");
    assert!(!there().await);
    fill().await;
    assert!(off.set_if_absent("k", 2_u8, ttl::SHORT).await.expect("answered"));
    assert_eq!(off.get_or_load("k", ttl::SHORT, || async { 3_u8 }).await.as_ref(), &3);
    assert_eq!(on.get::<u8>("k").await.expect("read").as_deref(), Some(&1), "neither changes anything");
}

#[larder::cached(key = "struck:{id}", ttl = "5m")]
async fn struck(id: u64) -> u64 {
    id
}

/// What the companions of a function invalidate, they invalidate once.
#[tokio::test(flavor = "current_thread")]
async fn a_function_is_invalidated_once() {
    let (_server, url) = server();
    let redis =
        Redis::builder(&url).response_timeout(Duration::from_secs(10)).connect().await.expect("a handle");
    let cache = Larder::builder().redis(redis).build();
    larder::scope_async(&cache, async {
        assert_eq!(struck(7).await, 7);
        struck::invalidate(7).await.expect("invalidated");
        assert_eq!(cache.stats().invalidations, 1);
        assert!(!cache.exists("struck:7").await.expect("answered"));
        drop(struck::mark_stale(7));
        assert_eq!(cache.stats().invalidations, 2);
    })
    .await;
}
