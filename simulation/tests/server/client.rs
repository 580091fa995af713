//! The client that larder uses, over a stream in memory, in virtual time.

use std::time::Duration;

use larder_simulation::server::{Server, Value as Said};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, PushInfo, PushKind, Value,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::spawn_local;
use tokio::time::{Instant, timeout};

use crate::twins::{connect, simulated};

async fn client(server: &Server) -> (MultiplexedConnection, UnboundedReceiver<PushInfo>) {
    let (mouth, ears) = unbounded_channel();
    let info: ConnectionInfo = "redis://nowhere".into_connection_info().expect("an URL");
    let info = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let config = AsyncConnectionConfig::new().set_push_sender(mouth);
    let connected = MultiplexedConnection::new_with_config(&info, connect(server), config);
    let (connection, driver) = connected.await.expect("it greets");
    spawn_local(driver);
    (connection, ears)
}

/// The names that it is told of next.
async fn invalidated(told: &mut UnboundedReceiver<PushInfo>) -> Value {
    let push = timeout(Duration::from_secs(7200), told.recv()).await.expect("in time").expect("told");
    assert_eq!(push.kind, PushKind::Invalidate);
    push.data.into_iter().next().expect("names")
}

fn name(name: &str) -> Value {
    Value::BulkString(name.as_bytes().to_vec())
}

#[test]
fn redis_rs_speaks_with_it() {
    simulated(async {
        let began = Instant::now();
        let server = Server::new(1);
        let ((mut one, mut told), (mut other, _)) = (client(&server).await, client(&server).await);
        let mut track = redis::cmd("CLIENT");
        track.arg("TRACKING").arg("ON").arg("BCAST").arg("NOLOOP").arg("PREFIX").arg("l:");
        track.exec_async(&mut one).await.expect("it tracks");

        let mut both = redis::pipe();
        both.cmd("SET").arg("l:2").arg("x").cmd("SET").arg("l:1").arg(7).cmd("GET").arg("l:1");
        let answers: (String, String, i64) = both.query_async(&mut other).await.expect("answers");
        assert_eq!(answers, ("OK".to_owned(), "OK".to_owned(), 7));
        let names = invalidated(&mut told).await;
        assert_eq!(names, Value::Array(vec![name("l:1"), name("l:2")]));

        let script = redis::Script::new("return {redis.call('INCR', KEYS[1]), ARGV[1]}");
        let (sum, arg): (i64, String) = script.key("l:1").arg("a").invoke_async(&mut one).await.expect("run");
        assert_eq!((sum, &*arg), (8, "a"));
        assert_eq!(invalidated(&mut told).await, Value::Array(vec![name("l:1")]));

        // Nobody asks for it; it goes within a tenth of a second all the same, and no timer has ticked before.
        let set = redis::cmd("SET").arg("l:3").arg("x").arg("EX").arg(3600).exec_async(&mut other).await;
        set.expect("set");
        invalidated(&mut told).await;
        let before = Instant::now();
        assert_eq!(invalidated(&mut told).await, Value::Array(vec![name("l:3")]));
        let after = before.elapsed() - Duration::from_secs(3600);
        assert!(after <= Duration::from_millis(102), "{after:?}");
        assert!(began.elapsed() < Duration::from_secs(3601));

        server.flush();
        assert_eq!(invalidated(&mut told).await, Value::Nil);
        server.run(&[b"SET", b"l:4", b"x"]);
        invalidated(&mut told).await;
        server.evict(|name| name == b"l:4");
        assert_eq!(invalidated(&mut told).await, Value::Array(vec![name("l:4")]));
        assert_eq!(server.run(&[b"DBSIZE"]), Said::Int(0));
        assert_eq!(server.counts().commands["SET"], 4);

        server.kill();
        let lost = timeout(Duration::from_secs(1), told.recv()).await.expect("told");
        assert_eq!(lost.map(|push| push.kind), Some(PushKind::Disconnection));
        redis::cmd("PING").exec_async(&mut other).await.expect_err("it is down");
    });
}
