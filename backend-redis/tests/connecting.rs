//! The ways to a Redis: who larder says that it is, which database, and a connection that the program has.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use backend_redis::{Credentials, Redis, RedisBuilder};
use cache_core::{Cache, ErrorKind, Reply, Set, Strength, Target, Value};
use common::plain::{MINUTE, SOON, is_up, put_tagged, there};
use common::{Server, free_port, patient, until, wait};
use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisFuture};

fn put(redis: &Redis, key: &str) -> Reply<'static, ()> {
    let (redis, key) = (redis.clone(), key.to_owned());
    Reply::Pending(Box::pin(async move {
        redis.set(&key, Value::new(Arc::new(key.clone())), Set::new(MINUTE)).await.map(drop)
    }))
}

fn works(redis: &Redis) {
    put(redis, "k").wait().expect("stored");
    assert!(there(redis, "k").expect("read"));
}

fn invalid(builder: RedisBuilder) -> String {
    let error = wait(builder.connect()).expect_err("it cannot be");
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    error.to_string()
}

#[test]
fn database_user_and_password_from_the_url_or_the_builder() {
    let port = free_port();
    let server = Server::start(&["--port", &port.to_string(), "--requirepass", "hunter2"]);
    let client = redis::Client::open(format!("{}?pass=hunter2", server.url())).expect("an URL");
    let mut raw = client.get_connection().expect("a connection");
    let rule = ["SETUSER", "ada", "on", ">p:w/d@", "~*", "+@all"];
    redis::cmd("ACL").arg(&rule).exec(&mut raw).expect("a user");
    let ways = [
        (Redis::builder(&format!("redis://:hunter2@127.0.0.1:{port}/3")), "default", 3),
        (Redis::builder(&format!("redis://ada:p%3Aw%2Fd%40@127.0.0.1:{port}/")), "ada", 0),
        (Redis::builder(&format!("{}?pass=hunter2&db=4", server.url())), "default", 4),
        (Redis::builder(&server.url()).username("ada").password("p:w/d@").database(5), "ada", 5),
        (
            Redis::builder(&format!("{}?pass=wrong&db=9", server.url())).password("hunter2").database(6),
            "default",
            6,
        ),
        (Redis::builder(&format!("redis://:hunter2@127.0.0.1:{port}/?db=8")), "default", 8),
        (Redis::at("127.0.0.1", port).password("hunter2").database(7), "default", 7),
    ];
    for (builder, user, database) in ways {
        assert!(!format!("{builder:?}").contains("hunter2"));
        let redis = wait(patient(builder).connect()).expect("a handle");
        works(&redis);
        let clients: String = redis::cmd("CLIENT").arg("LIST").query(&mut raw).expect("clients");
        let (name, number) = (format!("user={user} "), format!(" db={database} "));
        assert!(clients.lines().any(|line| line.contains(&name) && line.contains(&number)), "{clients}");
    }
}

#[test]
fn what_cannot_be_is_an_error_that_shows_no_secret() {
    assert!(invalid(Redis::builder("")).contains("empty"));
    assert!(invalid(Redis::builder("u:hunter2@localhost:6379")).contains("no scheme"));
    assert!(invalid(Redis::builder("redis://u:hunter2@[broken")).contains("no `]`"));
    assert!(invalid(Redis::builder("http://u:hunter2@localhost/")).contains("REST"));
    assert!(invalid(Redis::builder("redis://u:hunter2@localhost:65536/")).contains("port is out of range"));
    assert!(invalid(Redis::builder("rediss://u:hunter2@localhost/#insecure")).contains("ertificate"));
    assert!(invalid(Redis::builder("redis://:hunter2@localhost/?foo=bar")).contains("parameter"));
    assert!(invalid(Redis::builder("redis://localhost/?pass=hunter2")).contains("parameter"));
    assert!(invalid(Redis::builder("unix:///a/socket?user=u&pass=hunter2&foo=bar")).contains("parameter"));
    assert!(invalid(Redis::builder("redis://:hunter2@localhost/1?db=2")).contains("two databases"));
    assert!(invalid(Redis::builder("redis://:hunter2@localhost/?db=one")).contains("not a number"));
    for nameless in [Redis::builder("redis://ada@localhost/"), Redis::at("localhost", 1).username("ada")] {
        assert!(invalid(nameless).contains("without a password"));
    }
    let server = Server::start(&[]);
    let client = redis::Client::open(server.url()).expect("an URL");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let connection = runtime.block_on(client.get_multiplexed_async_connection()).expect("a connection");
    let given = || Redis::over(connection.clone());
    for builder in [given().password("hunter2"), given().username("u"), given().database(1)] {
        assert!(invalid(builder).contains("logged in already"));
    }
    let ask = || async { Ok::<_, String>(Credentials::password("hunter2")) };
    assert!(invalid(given().credentials(ask)).contains("logged in already"));
    assert!(!format!("{:?}", Credentials::user("ada", "hunter2")).contains("hunter2"));
}

/// A token that changes: each connection has the one that is good when it is made.
#[test]
fn credentials_are_asked_for_at_each_connect() {
    let server = Server::start(&["--requirepass", "token-1"]);
    let asked = Arc::new(AtomicUsize::new(0));
    let its = asked.clone();
    let ask = move || {
        let number = its.fetch_add(1, Ordering::SeqCst) + 1;
        async move {
            tokio::task::yield_now().await;
            match number {
                2 => panic!("the second time"),
                3 => Err("the vault is closed"),
                number => Ok(Credentials::password(format!("token-{number}"))),
            }
        }
    };
    let redis = wait(server.builder().credentials(ask).connect()).expect("a handle");
    works(&redis);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let client = redis::Client::open(format!("{}?pass=token-1", server.url())).expect("an URL");
    let mut raw = client.get_connection().expect("a connection");
    redis::cmd("CONFIG").arg(&["SET", "requirepass", "token-4"]).exec(&mut raw).expect("changed");
    redis::cmd("CLIENT").arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]).exec(&mut raw).expect("ended");
    let mut words = String::new();
    until("it is asked again", SOON, || {
        words += &redis.troubles().wait().expect("words").concat();
        asked.load(Ordering::SeqCst) == 4 && is_up(&redis)
    });
    assert!(words.contains("it panicked") && words.contains("the vault is closed"), "{words}");
    works(&redis);
}

/// One that never answers is a failed attempt.
#[test]
fn credentials_that_do_not_come() {
    let server = Server::start(&[]);
    let ask = || std::future::pending::<Result<Credentials, String>>();
    let redis = wait(Redis::builder(&server.url()).credentials(ask).connect()).expect("a handle");
    until("health says why", SOON, || {
        redis.troubles().wait().expect("words").iter().any(|it| it.contains("credentials function"))
    });
}

/// A runtime of the program's, with a thread of its own.
fn runtime() -> tokio::runtime::Handle {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
}

#[test]
fn a_connection_that_the_program_has() {
    let server = Server::start(&[]);
    let (runtime, client) = (runtime(), redis::Client::open(server.url()).expect("an URL"));
    let (sender, receiver) = std::sync::mpsc::channel();
    runtime.spawn(async move {
        let connection = client.get_multiplexed_async_connection().await.expect("a connection");
        sender.send(connection).expect("taken");
    });
    let connection = receiver.recv_timeout(SOON).expect("a connection");
    let redis = wait(Redis::over(connection).response_timeout(SOON).connect()).expect("a handle");
    works(&redis);
    let other = server.redis();
    assert!(there(&other, "k").expect("read"), "they share what they hold");
    redis.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
    assert!(!there(&other, "k").expect("read"));
    assert!(
        common::is_told(&other, &redis) && !common::is_told(&redis, &other),
        "it has no other connection"
    );
    // It is the program's: larder cannot make it anew, and says so.
    redis::cmd("CLIENT")
        .arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"])
        .exec(&mut server.raw())
        .expect("ended");
    until("it is lost", SOON, || there(&redis, "k").is_err());
    assert!(!redis.troubles().wait().expect("words").is_empty());
}

/// Where the connection lives on the caller's own thread, waiting for it can only fail: it does, soon, and says why.
#[test]
fn waiting_on_the_thread_of_the_connection_is_an_error() {
    let server = Server::start(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = redis::Client::open(server.url()).expect("an URL");
        let connection = client.get_multiplexed_async_connection().await.expect("a connection");
        let redis = Redis::over(connection).connect().await.expect("a handle");
        put(&redis, "k").await.expect("stored, as it is awaited");
        let error = there(&redis, "k").expect_err("its connection cannot move");
        assert!(error.to_string().contains("one thread"), "{error}");
    });
}

#[test]
fn any_time_may_be_given_but_none_and_too_little() {
    let times: [fn(RedisBuilder, Duration) -> RedisBuilder; 4] = [
        RedisBuilder::connect_timeout,
        RedisBuilder::response_timeout,
        RedisBuilder::operation_timeout,
        RedisBuilder::max_load,
    ];
    let server = Server::start(&[]);
    for set in times {
        invalid(set(server.builder(), Duration::ZERO));
        let long = wait(set(server.builder(), Duration::MAX).connect()).expect("a handle");
        works(&long);
        put_tagged(&long, "tagged", "v", &["t"], None).expect("stored");
        long.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
        works(&long);
    }
    invalid(server.builder().max_load(Duration::from_millis(999)));
    let short = wait(server.builder().max_load(Duration::from_secs(1)).connect()).expect("a handle");
    short.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
    until("in use", SOON, || is_up(&short) && there(&short, "k").is_ok());
    put_tagged(&short, "tagged", "v", &["t"], None).expect("stored");
    assert!(there(&short, "tagged").expect("read"));
}

/// However long it may take: it is an attempt, and no end of waiting.
#[cfg(feature = "cluster")]
#[test]
fn a_cluster_may_be_given_any_time_to_connect() {
    let (done, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let nowhere = Redis::cluster(&["redis://127.0.0.1:1/"]).connect_timeout(Duration::MAX);
        let _ = done.send(wait(nowhere.connect()).map(|redis| redis.connection()));
    });
    let connection = told.recv_timeout(SOON).expect("it ends").expect("a handle");
    assert!(connection.trouble.is_some());
}

/// A connection of the program's that panics takes nobody with it.
#[test]
fn what_panics_in_the_connection_is_a_trouble_that_passes() {
    let server = Server::start(&[]);
    let panics = Panics(Arc::new(AtomicBool::new(true)), redis::Client::open(server.url()).expect("an URL"));
    let redis = wait(Redis::over(panics.clone()).connect()).expect("a handle");
    let trouble = redis.connection().trouble.expect("it is down");
    assert!(trouble.contains("panicked"), "{trouble}");
    put(&redis, "k").wait().expect_err("refused at once");
    panics.0.store(false, Ordering::Relaxed);
    until("in use", SOON, || is_up(&redis));
    // An invalidation that nobody may lose, and so is a set.
    let strike = |key: &str| redis.invalidate(Target::Key(key), Strength::Remove).wait();
    let set = |key: &str| put(&redis, key).wait();
    for invalidate in [&strike as &dyn Fn(&str) -> cache_core::Result<()>, &set] {
        works(&redis);
        panics.0.store(true, Ordering::Relaxed);
        let error = invalidate("k").expect_err("it panics");
        // Before the connection is tried by itself, which would begin anew with nothing.
        panics.0.store(false, Ordering::Relaxed);
        assert_eq!(error.kind(), ErrorKind::Queued, "{error}");
        until("in use", SOON, || is_up(&redis));
        assert!(!there(&redis, "k").expect("read"), "it was lost in a panic: {error}");
    }
}

#[derive(Clone)]
struct Panics(Arc<AtomicBool>, redis::Client);

impl ConnectionLike for Panics {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, redis::Value> {
        Box::pin(
            async move { self.1.get_multiplexed_async_connection().await?.req_packed_command(command).await },
        )
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<redis::Value>> {
        assert!(!self.0.load(Ordering::Relaxed), "the program's own connection panics");
        Box::pin(async move {
            let mut connection = self.1.get_multiplexed_async_connection().await?;
            connection.req_packed_commands(commands, offset, count).await
        })
    }

    fn get_db(&self) -> i64 {
        0
    }
}

/// Who is connected stands in `CLIENT LIST`.
#[test]
fn its_connections_have_a_name() {
    let server = Server::start(&[]);
    let rule = ["SETUSER", "few", "on", ">pw", "~*", "&*", "+@all", "-client|setname"];
    redis::cmd("ACL").arg(&rule).exec(&mut server.raw()).expect("a user");
    let named = |name: &str| {
        let clients: String = redis::cmd("CLIENT").arg("LIST").query(&mut server.raw()).expect("clients");
        clients.lines().filter(|line| line.contains(&format!(" name={name} "))).count()
    };
    let one = server.redis();
    assert_eq!(named("larder:-"), 1);
    let within = one.within("school 7é").expect("a namespace");
    works(&within);
    assert_eq!(named("larder:school_7_"), 1);
    let two = wait(server.builder().client_name("campus\n").connect()).expect("a handle");
    works(&two);
    assert_eq!(named("campus_"), 1);
    let url = format!("{}?user=few&pass=pw", server.url());
    let few = wait(patient(Redis::builder(&url)).client_name("few").connect()).expect("a handle");
    works(&few);
    assert_eq!(named("few"), 0);
}
