//! The Redis behind the processes: one, a cluster, or one that sentinels watch.

use fastrand::Rng;

use crate::common::Server;
use crate::fault::{Far, What};
use crate::node::Place;
use crate::proxy::Proxy;

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
    fn places(&self, _: usize) -> Vec<Place> {
        self.proxies.iter().map(|(_, url)| Place::One(url.clone())).collect()
    }

    fn servers(&mut self) -> Vec<&mut Server> {
        vec![&mut self.server]
    }

    fn fault(&self, rng: &mut Rng) -> What {
        use What::{Cut, HalfCut, Kill, Late, Mute, Pause, ServerCut, ServerFlush, ServerKill, ServerPause};
        // Where a server forgets, acknowledgements wait for seconds: then less is to be seen.
        const FAR: [What; 4] = [ServerKill, ServerPause, ServerFlush, ServerCut];
        const NEAR: [What; 8] = [Kill, Pause, Pause, Cut, HalfCut, Mute, Late, Late];
        if rng.u8(..6) == 0 { FAR[rng.usize(..FAR.len())] } else { NEAR[rng.usize(..NEAR.len())] }
    }

    fn proxy(&self, node: usize) -> Option<&Proxy> {
        self.proxies.get(node).map(|(proxy, _)| proxy)
    }

    fn raw(&mut self, _: usize) -> Option<redis::Connection> {
        Some(self.server.raw())
    }
}
