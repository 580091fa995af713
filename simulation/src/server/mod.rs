//! A Redis in this process: it answers as Redis 7.0 does, byte for byte, as far as larder and its tests use one.
//!
//! ```text
//! stream ─► client ─► resp ─► commands ─► keyspace      what is there, until when
//!    ▲                          │  │ └──► script        real Lua 5.1, whose calls are commands again
//!    └───── replies, pushes ◄───┴──┴────► tracking      who is told that it has changed
//! ```
//!
//! It has no threads, no sockets and no clock of its own: clients are streams of bytes, time is tokio's, which a test may
//! pause, and whatever Redis leaves to chance (its run id, when exactly it gets round to what has expired) comes from a
//! seed. The same bytes at the same times get the same bytes.
//!
//! A command, a script, and all commands that one read from a stream brings are done at once, as Redis does them in a
//! turn of its loop. In the end of the turn those who track what changed are told, after whatever was answered to them
//! before.
//!
//! What is not modelled: data types but strings and sorted sets, transactions, databases but the first, patterns of
//! channels, users, persistence, eviction but by [`Server::evict`], replicas but that they refuse writes, clusters, and
//! tracking without `BCAST`.

mod client;
mod commands;
mod expiry;
mod faults;
mod glob;
mod keyspace;
mod resp;
mod sabotage;
mod script;
mod state;
mod tracking;

use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncWrite};

use state::{Mode, State};

pub use faults::{Keep, Snapshot};
pub use resp::Value;
pub use state::Counts;

/// A Redis in this process. Clones share it.
///
/// To be made and used inside a tokio runtime of one thread, in a `LocalSet`.
///
/// ```
/// # use larder_simulation::server::{Server, Value};
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// let server = Server::new(1);
/// server.run(&[b"SET", b"answer", b"41"]);
/// assert_eq!(server.run(&[b"INCR", b"answer"]), Value::Int(42));
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Server(Rc<State>);

impl Server {
    /// An empty one. Whatever is left to chance comes from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(State::new(seed))
    }

    /// Serves one client over `stream`, until either side closes it; returns at once while the server is down.
    ///
    /// Dropped, it is as if the client had been disconnected.
    ///
    /// # Panics
    /// Outside a `LocalSet`.
    pub async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
        expiry::begin(&self.0);
        if let Some(client) = self.0.connect() {
            client.serve(stream).await;
        }
    }

    /// Runs a command of a stranger, as by redis-cli: at once, even where the server is paused; an error where it is down.
    ///
    /// So `CONFIG SET maxmemory 1` has it refuse what takes memory, and `REPLICAOF` all that writes, until it is taken
    /// back or the server restarted.
    pub fn run(&self, command: &[&[u8]]) -> Value {
        if self.0.mode.get() == Mode::Down {
            return Value::Error("ERR the server is down".to_owned());
        }
        let command: Vec<_> = command.iter().map(|word| word.to_vec()).collect();
        let value = commands::run_for_stranger(&self.0, &command);
        self.0.end_turn();
        value
    }

    /// What has been done so far, all lives of the server together.
    pub fn counts(&self) -> Counts {
        self.0.counts.borrow().clone()
    }

    /// The numbers of those who are connected, the eldest first.
    pub fn clients(&self) -> Vec<u64> {
        self.0.clients.borrow().keys().copied().collect()
    }
}
