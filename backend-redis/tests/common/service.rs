//! A Redis that sentinels watch: one that leads, one that follows it, and three who decide.

use std::time::Duration;

use backend_redis::Redis;

use crate::common::plain::SOON;
use crate::common::{Server, free_port, until, wait};

/// A master, its replica, and three sentinels that watch them.
pub(crate) struct Service {
    pub(crate) nodes: [Server; 2],
    #[allow(dead_code, reason = "not every test needs it")]
    pub(crate) ports: [u16; 2],
    pub(crate) sentinels: Vec<Server>,
    pub(crate) urls: Vec<String>,
}

#[allow(dead_code, reason = "not every test needs all of it")]
impl Service {
    pub(crate) fn start() -> Self {
        Self::failing_over_after(Duration::from_millis(500))
    }

    /// A master that does not answer for so long is given up.
    pub(crate) fn failing_over_after(silence: Duration) -> Self {
        let ports = [free_port(), free_port()];
        let node = |port: u16, rest: &[&str]| {
            Server::start(
                &[&["--port", &port.to_string(), "--repl-diskless-sync-delay", "0"][..], rest].concat(),
            )
        };
        let master = node(ports[0], &["--requirepass", "secret", "--masterauth", "secret"]);
        let of = format!("127.0.0.1 {}", ports[0]);
        let replica =
            node(ports[1], &["--requirepass", "secret", "--masterauth", "secret", "--replicaof", &of]);
        let (mut sentinels, mut urls) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let port = free_port();
            let config = format!(
                "sentinel monitor main 127.0.0.1 {} 2\nsentinel auth-pass main secret\n\
                 sentinel down-after-milliseconds main {}\nsentinel failover-timeout main 3000\n",
                ports[0],
                silence.as_millis()
            );
            sentinels.push(Server::sentinel(port, &config));
            urls.push(format!("redis://127.0.0.1:{port}/"));
        }
        let service = Self { nodes: [master, replica], ports, sentinels, urls };
        until("the replica follows", Duration::from_secs(30), || {
            service.info(1).contains("master_link_status:up")
        });
        let seen = |sentinel: &Server, what: &str| {
            let ask = redis::cmd("SENTINEL").arg(what).arg("main").to_owned();
            let found: Vec<redis::Value> = ask.query(&mut sentinel.raw()).expect("told");
            found.len()
        };
        until("the sentinels know everybody", Duration::from_secs(30), || {
            service.sentinels.iter().all(|it| seen(it, "SENTINELS") == 2 && seen(it, "REPLICAS") == 1)
        });
        service
    }

    pub(crate) fn raw(&self, node: usize) -> redis::Connection {
        self.try_raw(node).expect("a connection")
    }

    pub(crate) fn try_raw(&self, node: usize) -> redis::RedisResult<redis::Connection> {
        let client = redis::Client::open(format!("{}?pass=secret", self.nodes[node].url())).expect("an URL");
        client.get_connection_with_timeout(SOON)
    }

    /// Nothing where a sentinel cuts everybody off meanwhile, as it does with who is to follow another one.
    pub(crate) fn info(&self, node: usize) -> String {
        let info = self.try_raw(node).and_then(|mut raw| redis::cmd("INFO").query(&mut raw));
        info.unwrap_or_default()
    }

    /// With every timeout at its default.
    pub(crate) fn redis(&self) -> Redis {
        let urls: Vec<&str> = self.urls.iter().map(String::as_str).collect();
        wait(Redis::sentinel(&urls, "main").password("secret").connect()).expect("a handle")
    }
}
