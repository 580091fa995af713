//! Several processes over one Redis and one database, each with memory of its own in front: each serves its share of the
//! requests, and every page is checked against what any of them has written and all have handled.

mod lead;
mod node;
pub(crate) mod picture;
mod report;
mod server;
pub(crate) mod timeline;
pub(crate) mod times;

use super::Result;
use super::options::Options;

/// Returns how many stale reads there were; of a process of the fleet none, as the one that leads it counts them.
pub fn run(options: &Options, nodes: usize) -> Result<u64> {
    match &options.node {
        Some((number, file)) => node::run(options, nodes, *number, file).map(|()| 0),
        None => lead::run(options, nodes),
    }
}
