//! The Redis behind the processes: one, a cluster, or one that sentinels watch.

use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;

use crate::common::Server;
use crate::fault::{Far, What};
use crate::node::Place;
use crate::nodes::Nodes;
use crate::proxy::Proxy;
use crate::service::Service;

use What::{Cut, HalfCut, Kill, Late, Mute, Pause, ServerCut, ServerFlush, ServerKill, ServerPause};

/// One of `often`, or of `seldom`: where a server forgets, acknowledgements wait for seconds, and then there is less to see.
fn one_of(often: &[What], seldom: &[What], rng: &mut Rng) -> What {
    let from = if rng.u8(..6) == 0 { seldom } else { often };
    from[rng.usize(..from.len())]
}

/// One server, and something between it and each process.
pub(crate) struct One {
    server: Server,
    proxies: Vec<(Proxy, String)>,
}

impl One {
    pub(crate) fn start(nodes: usize) -> Self {
        let server = Server::start(&[]);
        let proxies = (0..nodes).map(|_| Proxy::start(&server)).collect();
        Self { server, proxies }
    }
}

impl Far for One {
    fn place(&self, node: usize) -> Place {
        Place::One(self.proxies[node].1.clone())
    }

    fn servers(&mut self) -> Vec<&mut Server> {
        vec![&mut self.server]
    }

    fn fault(&self, _: usize, rng: &mut Rng) -> (What, usize) {
        let near = [Kill, Pause, Pause, Cut, HalfCut, Mute, Late, Late];
        (one_of(&near, &[ServerKill, ServerPause, ServerFlush, ServerCut], rng), 0)
    }

    fn proxy(&self, node: usize) -> Option<&Proxy> {
        Some(&self.proxies[node].0)
    }

    fn raw(&self, _: usize) -> Option<redis::Connection> {
        Some(self.server.raw())
    }
}

/// Clients come to each server of a cluster by the address that the cluster tells them: what is between them is cut by the
/// servers.
impl Far for Nodes {
    fn place(&self, _: usize) -> Place {
        Place::Cluster(self.ports.iter().map(|port| format!("redis://127.0.0.1:{port}/")).collect())
    }

    fn servers(&mut self) -> Vec<&mut Server> {
        self.all.iter_mut().collect()
    }

    fn fault(&self, before: usize, rng: &mut Rng) -> (What, usize) {
        let often = [Kill, Pause, Pause, ServerCut, ServerCut];
        let what = one_of(&often, &[ServerKill, ServerPause, ServerFlush], rng);
        (if before == 0 { ServerKill } else { what }, rng.usize(..self.all.len()))
    }

    fn proxy(&self, _: usize) -> Option<&Proxy> {
        None
    }

    fn raw(&self, server: usize) -> Option<redis::Connection> {
        Some(Self::raw(self, server))
    }
}

/// A master that does not answer for so long is replaced, which a busy machine is not to bring about.
const SILENCE: Duration = Duration::from_secs(2);

pub(crate) fn service() -> Service {
    Service::failing_over_after(SILENCE)
}

/// Who is harmed is who leads; when he dies, he comes back as a follower. He is not stopped: one who goes on when another one
/// leads takes changes that he loses, which is Redis' own affair.
impl Far for Service {
    fn place(&self, _: usize) -> Place {
        Place::Sentinel(self.urls.clone())
    }

    fn servers(&mut self) -> Vec<&mut Server> {
        self.nodes.iter_mut().collect()
    }

    fn fault(&self, before: usize, rng: &mut Rng) -> (What, usize) {
        let what = one_of(&[Kill, Pause, Pause, ServerCut, ServerCut], &[ServerFlush, ServerKill], rng);
        let leads = usize::from(self.info(1).contains("role:master"));
        (if before == 0 { ServerKill } else { what }, leads)
    }

    fn away(&self) -> Range<u64> {
        4_000..6_000
    }

    fn proxy(&self, _: usize) -> Option<&Proxy> {
        None
    }

    fn raw(&self, server: usize) -> Option<redis::Connection> {
        self.try_raw(server).ok()
    }
}
