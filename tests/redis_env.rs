//! `Larder::from_env` with a real Redis, in a process of its own: what one program stores, the next one finds.
#![cfg(all(feature = "redis", feature = "memory"))]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use larder::{ErrorKind, Larder, ttl};

struct Server(Child, u16);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn start() -> Server {
    let port = free_port();
    let args = ["--port", &port.to_string(), "--requirepass", "p:w/d@", "--save", "", "--appendonly", "no"];
    // Ready when the socket is: who tries a port that nobody listens at yet may meet himself there.
    let socket = std::env::temp_dir().join(format!("larder-env-{}-{port}.sock", std::process::id()));
    let mut command = Command::new("redis-server");
    let child = command.args(args).arg("--unixsocket").arg(&socket).stdout(Stdio::null()).spawn();
    let server = Server(child.expect("redis-server is installed"), port);
    let began = Instant::now();
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "redis-server did not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = std::fs::remove_file(&socket);
    server
}

fn this_again(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this"));
    for name in ["REDIS_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_DB", "REDIS_USERNAME", "REDIS_PASSWORD"] {
        command.env_remove(name);
    }
    command.args([test, "--exact", "--nocapture"]);
    command
}

/// What the processes of `a_bad_url_is_told_what_is_wrong_with_it` do.
#[tokio::test]
async fn as_one_with_a_bad_url() {
    let Ok(expected) = std::env::var("LARDER_TEST_REFUSED_FOR") else { return };
    let error = Larder::from_env().await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    let said = error.to_string();
    assert!(said.contains("REDIS_URL") && said.contains(&expected), "{said}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{said}");
}

#[test]
fn a_bad_url_is_told_what_is_wrong_with_it() {
    let bad = [
        ("u:hunter2@10.0.0.1:6379", "no scheme"),
        ("http://u:hunter2@10.0.0.1:6379", "REST"),
        ("tcp://u:hunter2@10.0.0.1:6379", "none that larder knows"),
        ("redis://u:hunter2@10.0.0.1:six", "port is not a number"),
        ("redis://u:hunter2@10.0.0.1:99999", "port is out of range"),
        ("redis://u:hunter2@10.0.0.1:6379/one", "not a number"),
        ("redis://u:hunt#er2/hunter2@10.0.0.1", "%2F"),
        ("unix://?pass=hunter2", "no path"),
        #[cfg(not(feature = "tls"))]
        ("rediss://u:hunter2@10.0.0.1", "feature `tls`"),
    ];
    for (url, words) in bad {
        let mut command = this_again("as_one_with_a_bad_url");
        let output = command.env("REDIS_URL", url).env("LARDER_TEST_REFUSED_FOR", words).output();
        let output = output.expect("it runs");
        assert!(output.status.success(), "{url}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What the other processes of `processes_share_what_the_environment_names` do.
#[tokio::test]
async fn as_another_process() {
    let Ok(expected) = std::env::var("LARDER_TEST_EXPECTS") else { return };
    let cache = Larder::from_env().await.expect("a cache");
    let health = cache.health().await.expect("told");
    assert!(health.remote.as_ref().is_none_or(|remote| remote.trouble.is_none()), "{health:?}");
    let found = cache.get::<String>("name").await.expect("read");
    assert_eq!(found.as_deref().map_or("", String::as_str), expected);
    cache.set("name", "Ada".to_owned(), ttl::LONG).await.expect("stored");
    let copies = u64::from(std::env::var_os("LARDER_L1_TTL").is_none());
    // What is read before the channel stands is thrown out when it does.
    let began = Instant::now();
    loop {
        cache.get::<String>("name").await.expect("read");
        if health.remote.is_none() || cache.stats().entries == copies {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "a copy is kept of what is read, unless told");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    if std::env::var_os("LARDER_TEST_CLEARS").is_some() {
        cache.clear().await.expect("cleared");
    }
}

fn another(server: &Server, expects: &str, variables: &[(&str, &str)]) {
    let mut command = this_again("as_another_process");
    command.env("LARDER_TEST_EXPECTS", expects);
    command.env("LARDER_REDIS_RESPONSE_TIMEOUT", "10s").env("LARDER_REDIS_CONNECT_TIMEOUT", "10s");
    command.env("REDIS_PASSWORD", "p:w/d@").env("REDIS_PORT", server.1.to_string());
    let output = command.envs(variables.iter().copied()).output().expect("it runs");
    assert!(output.status.success(), "{variables:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn processes_share_what_the_environment_names() {
    let server = start();
    let host = [("REDIS_HOST", "127.0.0.1")];
    let url = format!("redis://127.0.0.1:{}/", server.1);
    another(&server, "", &host);
    another(&server, "Ada", &host);
    another(&server, "Ada", &[("REDIS_URL", &url)]);
    another(&server, "Ada", &[host[0], ("LARDER_L1_TTL", "0"), ("LARDER_CUT_OFF_TTL", "1s500ms")]);
    another(&server, "", &[("REDIS_URL", &url), ("REDIS_DB", "1")]);
    // An empty one counts as not set.
    another(&server, "Ada", &[("REDIS_URL", ""), host[0]]);
    another(&server, "", &[("REDIS_URL", " ")]);
    let campus = ("LARDER_NAMESPACE", "campus");
    another(&server, "", &[host[0], campus]);
    let mut names = Command::new("redis-cli");
    names.args([
        "-p",
        &server.1.to_string(),
        "-a",
        "p:w/d@",
        "--scan",
        "--pattern",
        "larder:campus:*:k:name",
    ]);
    let names = names.stderr(Stdio::null()).output().expect("redis-cli is installed").stdout;
    assert_eq!(names.split(|byte| *byte == b'\n').filter(|name| !name.is_empty()).count(), 1);
    // Without a namespace is one of its own.
    another(&server, "Ada", &[host[0], ("LARDER_TEST_CLEARS", "1")]);
    another(&server, "Ada", &[host[0], campus, ("LARDER_TEST_CLEARS", "1")]);
    another(&server, "", &[host[0], campus]);
    #[cfg(feature = "json")]
    another(&server, "Ada", &[host[0], campus, ("LARDER_REDIS_CODEC", "json")]);
    another(&server, "Ada", &[host[0], campus]);
    another(&server, "", &[]);
}
