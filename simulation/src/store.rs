//! The server, and what has been done to it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::plan::Fault;
use crate::server::{Keep, Server, Value};

/// How it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Up,
    Paused,
    Down,
}

/// See the module. Clones share it.
#[derive(Clone)]
pub struct Store {
    /// The server itself.
    pub server: Server,
    state: Rc<Cell<State>>,
}

impl Store {
    /// One that runs.
    pub fn new(server: Server) -> Self {
        Self { server, state: Rc::new(Cell::new(State::Up)) }
    }

    /// Whether it accepts connections.
    pub fn is_there(&self) -> bool {
        self.state.get() != State::Down
    }

    /// Whether it answers.
    pub fn answers(&self) -> bool {
        self.state.get() == State::Up
    }

    /// The names of all that it has.
    pub fn names(&self) -> Vec<Vec<u8>> {
        let Value::Array(names) = self.server.run(&[b"KEYS", b"*"]) else { return Vec::new() };
        names
            .into_iter()
            .filter_map(|name| if let Value::Bulk(name) = name { Some(name) } else { None })
            .collect()
    }

    /// Does what is done to a server; false if it is not a fault of servers, or it has another one.
    pub fn suffer(&self, fault: Fault) -> bool {
        if !self.answers() {
            return false;
        }
        match fault {
            Fault::PauseServer(time) => {
                self.state.set(State::Paused);
                self.server.pause();
                self.after(time, |store| store.server.resume());
            }
            Fault::Restart(time) => self.restart(time, Keep::All),
            Fault::RestartEmpty(time) => self.restart(time, Keep::Nothing),
            Fault::FailOver(time, behind) => {
                let (snapshot, store) = (self.server.snapshot(), self.clone());
                spawn_local(async move {
                    sleep(behind).await;
                    if store.answers() {
                        store.restart(time, Keep::Snapshot(snapshot));
                    }
                });
            }
            Fault::Flush => self.server.flush(),
            Fault::Evict(many) => self.server.evict(|_| fastrand::u64(0..100) < many),
            _ => return false,
        }
        true
    }

    fn restart(&self, time: Duration, keep: Keep) {
        self.state.set(State::Down);
        self.server.kill();
        self.after(time, |store| store.server.restart(keep));
    }

    fn after(&self, time: Duration, then: impl FnOnce(&Self) + 'static) {
        let store = self.clone();
        spawn_local(async move {
            sleep(time).await;
            then(&store);
            store.state.set(State::Up);
        });
    }
}
