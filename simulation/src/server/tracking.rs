//! `CLIENT TRACKING ON BCAST`: who is told that a name has changed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::client::Client;
use super::resp::Value;
use super::state::State;

/// What one client asked for.
#[derive(Debug, Default)]
pub(super) struct Tracking {
    pub(super) prefixes: BTreeSet<Vec<u8>>,
    /// Not what it changes itself.
    pub(super) noloop: bool,
}

/// Those who are told of a prefix, and what of it has changed in this turn: with the client who changed it last.
#[derive(Debug, Default)]
struct Watched {
    clients: BTreeSet<u64>,
    changed: BTreeMap<Vec<u8>, Option<u64>>,
}

/// All prefixes that anybody asked for.
#[derive(Debug, Default)]
pub(super) struct Trackers(BTreeMap<Vec<u8>, Watched>);

impl Trackers {
    pub(super) fn add(&mut self, prefix: &[u8], client: u64) {
        self.0.entry(prefix.to_vec()).or_default().clients.insert(client);
    }

    /// It is told of nothing any more.
    pub(super) fn forget(&mut self, client: u64) {
        self.0.retain(|_, watched| {
            watched.clients.remove(&client);
            !watched.clients.is_empty()
        });
    }

    /// A name was written, or is gone; by that client, or by a script or the server itself.
    pub(super) fn changed(&mut self, name: &[u8], by: Option<u64>) {
        for (prefix, watched) in &mut self.0 {
            if name.starts_with(prefix) {
                watched.changed.insert(name.to_vec(), by);
            }
        }
    }

    /// What has changed, prefix by prefix, and who is to be told.
    fn take(&mut self) -> Vec<Watched> {
        let some = self.0.values_mut().filter(|watched| !watched.changed.is_empty());
        some.map(|watched| Watched {
            clients: watched.clients.clone(),
            changed: std::mem::take(&mut watched.changed),
        })
        .collect()
    }
}

impl State {
    /// One message for each prefix, to each client that is told of it.
    pub(super) fn tell_trackers(&self) {
        let all = self.trackers.borrow_mut().take();
        let clients = self.clients.borrow();
        for watched in all {
            for client in watched.clients.iter().filter_map(|id| clients.get(id)) {
                let noloop = noloop(&client.tracking);
                let names = watched.changed.iter().filter(|(_, by)| !noloop || **by != Some(client.id));
                let names: Vec<_> = names.map(|(name, _)| Value::Bulk(name.clone())).collect();
                if !names.is_empty() {
                    self.invalidate(client, Value::Array(names));
                }
            }
        }
    }

    /// Everything is gone: all trackers are told, but the one who did it only when that is answered.
    pub(super) fn flushed(&self, by: Option<&Client>) {
        for client in self.clients.borrow().values().filter(|client| client.tracking.borrow().is_some()) {
            match by {
                Some(by) if by.id == client.id => client.is_flushed.set(true),
                _ => self.invalidate(client, Value::Null),
            }
        }
    }

    pub(super) fn invalidate(&self, client: &Client, what: Value) {
        // Who speaks the older protocol has no ear for it.
        if client.resp.get() > 2 {
            self.push(client, Value::Push(vec![Value::bulk("invalidate"), what]));
        }
    }

    /// Sends what was not asked for.
    pub(super) fn push(&self, client: &Client, value: Value) {
        self.counts.borrow_mut().pushes += 1;
        self.send(client, &value);
    }
}

fn noloop(tracking: &RefCell<Option<Tracking>>) -> bool {
    tracking.borrow().as_ref().is_some_and(|tracking| tracking.noloop)
}
