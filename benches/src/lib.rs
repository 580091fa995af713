//! larder beside its peers: the same keys in the same order, all of them in one run.
//!
//! Each library is a [`Contender`](contender::Contender), each workload a [`Stream`](workload::Stream) of visits to
//! keys. A [race] brings the two together as entrants, and [`measure`] lets these run in turn, round by round, so
//! that what slows the machine down for a while slows down all of them.
//!
//! `cargo run --release -p larder-benches --bin micro` prints the tables of `docs/benchmarks.md`;
//! `cargo bench -p larder-benches` runs the same entrants under criterion, on one thread.

pub mod arguments;
pub mod contender;
pub mod contenders;
pub mod functions;
pub mod hit_ratio;
pub mod latency;
pub mod measure;
pub mod race;
pub mod races;
pub mod redis_server;
pub mod samples;
pub mod soak;
pub mod statistics;
pub mod table;
pub mod tiers;
pub mod workload;
