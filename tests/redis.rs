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

fn server() -> (Server, String) {
    let dir = std::env::temp_dir().join(format!("larder-facade-redis-{}", std::process::id()));
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
