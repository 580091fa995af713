//! A Redis of the test's own: on a socket in a folder of its own, stopped and removed in the end.

pub(crate) mod plain;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use backend_redis::{Redis, RedisBuilder};
use cache_core::{Cache, Ended, Lease};

pub(crate) struct Server {
    child: Child,
    dir: PathBuf,
    args: Vec<String>,
}

#[allow(dead_code, reason = "not every test needs all of it")]
impl Server {
    pub(crate) fn start(args: &[&str]) -> Self {
        let dir = folder();
        let socket = dir.join("redis.sock");
        let all = [
            "--port",
            "0",
            "--save",
            "",
            "--appendonly",
            "no",
            "--unixsocket",
            path(&socket),
            "--dir",
            path(&dir),
        ];
        let args = all.iter().chain(args).map(|arg| (*arg).to_owned()).collect();
        Self::launch(dir, args)
    }

    /// A sentinel at that port, with what is to stand in its file.
    pub(crate) fn sentinel(port: u16, config: &str) -> Self {
        let dir = folder();
        let (file, socket) = (dir.join("sentinel.conf"), dir.join("redis.sock"));
        let own = format!("port {port}\nunixsocket {}\ndir {}\n", path(&socket), path(&dir));
        std::fs::write(&file, own + config).expect("written");
        let args = vec![path(&file).to_owned(), "--sentinel".to_owned()];
        Self::launch(dir, args)
    }

    fn launch(dir: PathBuf, args: Vec<String>) -> Self {
        Self { child: spawn(&dir, &args), dir, args }
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.dir.join("redis.sock")
    }

    /// A handle of the program under test, patient enough for a busy machine.
    pub(crate) fn builder(&self) -> RedisBuilder {
        Redis::builder(&self.url())
            .connect_timeout(Duration::from_secs(10))
            .response_timeout(Duration::from_secs(10))
            .operation_timeout(Duration::from_secs(20))
    }

    pub(crate) fn redis(&self) -> Redis {
        wait(self.builder().connect()).expect("a handle")
    }

    /// A raw client, as anybody's.
    pub(crate) fn raw(&self) -> redis::Connection {
        let client = redis::Client::open(self.url()).expect("an URL");
        client.get_connection_with_timeout(Duration::from_secs(10)).expect("a connection")
    }

    /// Kills it, as a crash would; what it held is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        let _ = std::fs::remove_file(self.socket());
    }

    /// Starts it again after [`kill`](Self::kill), empty.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(&self.dir, &self.args);
    }

    /// Stops it in its tracks, or lets it go on: `STOP`, `CONT`.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([&format!("-{signal}"), &pid]).status().expect("kill runs");
        assert!(status.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("larder-redis-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder for the server");
    dir
}

fn spawn(dir: &Path, args: &[String]) -> Child {
    let socket = dir.join("redis.sock");
    let mut command = Command::new("redis-server");
    let child = command.args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.expect("redis-server is installed");
    let began = Instant::now();
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "redis-server did not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

/// A port that was free a moment ago, and that no other test of this process is given. Below those that systems give to
/// whoever connects.
#[allow(dead_code, reason = "not every test needs it")]
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = std::process::id().wrapping_mul(97).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 10_000 + (next % 20_000) as u16;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Waits for a future, outside any runtime.
pub(crate) fn wait<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let reply = cache_core::Reply::Pending(Box::pin(async { Ok(future.await) }));
    reply.wait().expect("a value")
}

/// Waits until `there` is true.
#[allow(dead_code, reason = "not every test needs it")]
pub(crate) fn until(what: &str, limit: Duration, mut there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether `one`, which waits for a load of `other`, is told how that ended, and does not only look for itself.
#[allow(dead_code, reason = "not every test needs it")]
pub(crate) fn is_told(one: &Redis, other: &Redis) -> bool {
    let once = |key: &str| {
        let theirs = || match one.lease(key, false).wait().expect("asked") {
            Lease::Theirs(ended) => ended,
            _ => panic!("another one loads"),
        };
        let Lease::Mine(fence) = other.lease(key, false).wait().expect("asked") else {
            panic!("nobody loads")
        };
        // It hears when it has waited once.
        wait(theirs());
        let ended = theirs();
        other.settle(key, fence, Ended::Failed);
        wait(ended) == Ended::Failed
    };
    // It looks for itself where the message takes longer than a fifth of a second.
    (0..5).any(|number| once(&format!("told:{number}")))
}
