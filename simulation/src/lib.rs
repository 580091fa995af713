//! larder's real code in a simulated world.
//!
//! Several nodes, each a [`Larder`](larder::Larder) of memory over Redis, run in one thread, in a time that stands still
//! while anything is to be done. Engine, tiers, flights, fences, and all of the Redis backend with redis-rs are the code that
//! programs run; replaced are the streams ([`network`]), the clocks ([`time`]), the server at the other end ([`server`], which
//! runs larder's own scripts), and the executor, which is one thread of tokio's. All chance comes from a seed: a seed
//! always runs in the same way.
//!
//! ```text
//! seed ─► plan ─► run ─────────────────────────────► history ─► check ─► what was promised and not kept
//!                  ├─ node: readers, loads            ▲
//!                  ├─ change: writers ────────────────┤
//!                  ├─ network: delays, cuts           │
//!                  └─ store: the server, its faults ──┘
//! ```
//!
//! [`switch`] breaks something on purpose, to see that [`check`](check::check) finds it.

mod change;
pub mod check;
pub mod history;
pub mod network;
pub mod node;
pub mod plan;
pub mod run;
pub mod server;
pub mod store;
pub mod switch;
pub mod time;
pub mod world;
