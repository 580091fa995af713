//! A Redis Cluster of the test's own: three primaries, and replicas where they are asked for.

use std::time::{Duration, Instant};

use backend_redis::{Redis, RedisBuilder};
use redis::{Cmd, Connection, FromRedisValue};

use crate::common::{Server, free_port, patient, until};

pub(crate) struct Nodes {
    pub(crate) all: Vec<Server>,
    pub(crate) ports: Vec<u16>,
    pub(crate) ids: Vec<String>,
}

const SLOTS: [(u16, u16); 3] = [(0, 5460), (5461, 10922), (10923, 16383)];
const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) fn ask<T: FromRedisValue>(raw: &mut Connection, words: &[&str]) -> T {
    let answer = command(words).query(raw);
    answer.unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

fn command(words: &[&str]) -> Cmd {
    redis::cmd(words[0]).arg(&words[1..]).to_owned()
}

#[allow(dead_code, reason = "not every test needs all of it")]
impl Nodes {
    /// The primaries, then so many replicas, of the first ones.
    pub(crate) fn start(replicas: usize) -> Self {
        let (mut all, mut ports) = (Vec::new(), Vec::new());
        for _ in 0..3 + replicas {
            let (port, bus) = (free_port(), free_port());
            let rest = [
                "--cluster-enabled",
                "yes",
                "--cluster-node-timeout",
                "1000",
                "--enable-debug-command",
                "yes",
                "--repl-diskless-sync-delay",
                "0",
            ];
            let where_to = ["--port", &port.to_string(), "--cluster-port", &bus.to_string()];
            let server = Server::start(&[&where_to[..], &rest].concat());
            ports.push((port, bus));
            all.push(server);
        }
        let ids = all.iter().map(|node| ask(&mut node.raw(), &["CLUSTER", "MYID"])).collect();
        let nodes = Self { all, ports: ports.iter().map(|(port, _)| *port).collect(), ids };
        for (node, (from, to)) in SLOTS.iter().enumerate() {
            let words = ["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()];
            ask::<()>(&mut nodes.raw(node), &words);
        }
        let mut met: Option<Instant> = None;
        until("all know all", PATIENCE, || {
            // Who has not answered within a node timeout is forgotten.
            if met.is_none_or(|met| met.elapsed() > Duration::from_secs(4)) {
                for (port, bus) in &ports {
                    let words = ["CLUSTER", "MEET", "127.0.0.1", &port.to_string(), &bus.to_string()];
                    ask::<()>(&mut nodes.raw(0), &words);
                }
                met = Some(Instant::now());
            }
            (0..nodes.all.len())
                .all(|node| nodes.info(node).contains(&format!("known_nodes:{}", nodes.all.len())))
        });
        for replica in 0..replicas {
            ask::<()>(&mut nodes.raw(3 + replica), &["CLUSTER", "REPLICATE", &nodes.ids[replica]]);
        }
        nodes.until_well();
        until("the replicas follow", PATIENCE, || {
            let info = |node| ask::<String>(&mut nodes.raw(node), &["INFO", "replication"]);
            (3..nodes.all.len()).all(|node| info(node).contains("master_link_status:up"))
        });
        nodes
    }

    fn info(&self, node: usize) -> String {
        ask(&mut self.raw(node), &["CLUSTER", "INFO"])
    }

    pub(crate) fn until_well(&self) {
        until("the cluster is well", PATIENCE, || {
            (0..self.all.len()).all(|node| self.info(node).contains("cluster_state:ok"))
        });
    }

    pub(crate) fn raw(&self, node: usize) -> Connection {
        self.all[node].raw()
    }

    pub(crate) fn raws(&self) -> Vec<Connection> {
        (0..3).map(|node| self.raw(node)).collect()
    }

    /// With every timeout at its default.
    pub(crate) fn hasty(&self) -> RedisBuilder {
        let urls: Vec<String> = self.ports.iter().map(|port| format!("redis://127.0.0.1:{port}/")).collect();
        Redis::cluster(&urls.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Patient enough for a busy machine.
    pub(crate) fn builder(&self) -> RedisBuilder {
        patient(self.hasty())
    }

    /// Moves a slot and its keys from one node to another, as `redis-cli --cluster reshard` does.
    pub(crate) fn move_slot(&self, slot: u16, from: usize, to: usize) {
        let (mut giver, mut taker, slot) = (self.raw(from), self.raw(to), slot.to_string());
        ask::<()>(&mut taker, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &self.ids[from]]);
        ask::<()>(&mut giver, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &self.ids[to]]);
        loop {
            let keys: Vec<String> = ask(&mut giver, &["CLUSTER", "GETKEYSINSLOT", &slot, "10"]);
            if keys.is_empty() {
                break;
            }
            let port = self.ports[to].to_string();
            let mut words = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "REPLACE", "KEYS"];
            words.extend(keys.iter().map(String::as_str));
            ask::<()>(&mut giver, &words);
        }
        // Twice or more where they still hear otherwise from each other.
        until("all agree on the slot", PATIENCE, || {
            for node in [to, from].into_iter().chain((0..3).filter(|node| *node != to && *node != from)) {
                ask::<()>(&mut self.raw(node), &["CLUSTER", "SETSLOT", &slot, "NODE", &self.ids[to]]);
            }
            (0..3).all(|node| self.has(node, &self.ids[to], &slot))
        });
    }

    /// Whether a node thinks that `id` has the slot.
    fn has(&self, node: usize, id: &str, slot: &str) -> bool {
        let (known, slot): (String, u16) =
            (ask(&mut self.raw(node), &["CLUSTER", "NODES"]), slot.parse().expect("a slot"));
        let line = known.lines().find(|line| line.starts_with(id)).expect("it is known");
        line.split(' ').skip(8).any(|range| {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            let number = |text: &str| text.parse::<u16>().unwrap_or(u16::MAX);
            (number(from)..=number(to)).contains(&slot)
        })
    }
}
