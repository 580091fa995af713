//! What befalls a server. All of it takes effect at once.

use std::mem;
use std::time::Duration;

use super::Server;
use super::keyspace::Keyspace;
use super::state::Mode;

/// What a server held at some moment.
#[derive(Clone, Debug)]
pub struct Snapshot(Keyspace);

/// What a server that is started again still knows.
#[derive(Clone, Debug)]
pub enum Keep {
    /// All of it, but scripts and clients.
    All,
    /// Nothing: it had not saved anything.
    Nothing,
    /// What it held at some moment before: it had saved that, or a replica that knew no more has taken its place.
    Snapshot(Snapshot),
}

impl Server {
    /// Ends it as a crash would: all connections are closed, with what has not been sent yet, and new ones are refused.
    pub fn kill(&self) {
        self.0.mode.set(Mode::Down);
        self.disconnect_all();
        *self.0.trackers.borrow_mut() = Default::default();
    }

    /// Starts it again, killed or not, with another `run_id`.
    pub fn restart(&self, keep: Keep) {
        self.kill();
        match keep {
            Keep::All => {}
            Keep::Nothing => self.0.keys.borrow_mut().clear(),
            Keep::Snapshot(Snapshot(keys)) => *self.0.keys.borrow_mut() = keys,
        }
        self.0.begin_life();
        self.0.mode.set(Mode::Up);
        self.0.wake_all();
    }

    /// What it holds now. What ends, ends in a copy at the same time.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.0.keys.borrow().clone())
    }

    /// Stops it in its tracks, as SIGSTOP: what clients send is taken in, nothing is done and nothing sent.
    pub fn pause(&self) {
        if self.0.mode.get() == Mode::Up {
            self.0.mode.set(Mode::Paused);
            self.0.wake_all();
        }
    }

    /// Lets it go on after [`pause`](Self::pause): with what has arrived, also from clients that are gone.
    pub fn resume(&self) {
        if self.0.mode.get() == Mode::Paused {
            self.0.mode.set(Mode::Up);
            self.0.wake_all();
        }
    }

    /// Removes everything, as a stranger's `FLUSHALL`; nothing while it is down.
    pub fn flush(&self) {
        self.run(&[b"FLUSHALL"]);
    }

    /// Removes the names that `pick` takes, as it does where memory is short; nothing while it is down.
    pub fn evict(&self, mut pick: impl FnMut(&[u8]) -> bool) {
        if self.0.mode.get() == Mode::Down {
            return;
        }
        let names: Vec<_> = self.0.keys.borrow().names().filter(|name| pick(name)).cloned().collect();
        for name in names {
            self.0.keys.borrow_mut().remove(&name);
            self.0.trackers.borrow_mut().changed(&name, None);
        }
        self.0.end_turn();
    }

    /// Closes the connection of that number, if there is one.
    pub fn disconnect(&self, client: u64) {
        let client = self.0.clients.borrow().get(&client).cloned();
        if let Some(client) = client {
            self.0.leave(&client);
        }
    }

    /// Closes all connections.
    pub fn disconnect_all(&self) {
        for client in mem::take(&mut *self.0.clients.borrow_mut()).into_values() {
            self.0.trackers.borrow_mut().forget(client.id);
            client.close();
        }
    }

    /// How long at most what has expired stays where nobody asks for it, in whole milliseconds: 100 where nothing is said.
    pub fn expire_within(&self, lag: Duration) {
        self.0.lag.set(lag);
    }
}
