//! What all nodes share: the truth, and the record of what happened.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use tokio::time::{Instant, sleep};

use crate::history::{At, History, Load, Value};
use crate::plan::Loads;

/// See the module. Clones share it.
#[derive(Clone)]
pub struct World(Arc<Shared>);

struct Shared {
    began: Instant,
    state: Mutex<State>,
    /// Who changes a key has it to itself, as its row in a database would be locked.
    turns: Vec<Arc<Turn<()>>>,
}

#[derive(Default)]
struct State {
    number: u64,
    versions: Vec<u64>,
    history: History,
}

/// Why a load failed.
#[derive(Clone, Debug)]
pub struct SourceFailed;

impl World {
    /// One with so many keys.
    pub fn new(keys: usize) -> Self {
        let state = State { versions: vec![1; keys], ..State::default() };
        let turns = (0..keys).map(|_| Arc::default()).collect();
        Self(Arc::new(Shared { began: Instant::now(), state: state.into(), turns }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("nobody panics with it")
    }

    /// Now.
    pub fn at(&self) -> At {
        let mut state = self.state();
        state.number += 1;
        At { number: state.number, time: self.0.began.elapsed() }
    }

    /// Writes into the record.
    pub fn record(&self, write: impl FnOnce(&mut History)) {
        write(&mut self.state().history);
    }

    /// Takes the record away.
    pub fn into_history(self) -> History {
        std::mem::take(&mut self.state().history)
    }

    /// The right to change these keys, which are in ascending order.
    pub async fn turns(&self, keys: &[usize]) -> Vec<OwnedMutexGuard<()>> {
        let mut turns = Vec::new();
        for key in keys {
            turns.push(self.0.turns[*key].clone().lock_owned().await);
        }
        turns
    }

    /// Changes the truth of these keys; their versions from now on.
    pub fn change(&self, keys: &[usize]) -> Vec<(usize, u64)> {
        let mut state = self.state();
        let mut changed = Vec::new();
        for key in keys {
            state.versions[*key] += 1;
            changed.push((*key, state.versions[*key]));
        }
        changed
    }

    /// The version of a key's truth.
    pub fn version(&self, key: usize) -> u64 {
        self.state().versions[key]
    }

    /// Reads the truth, as slowly as `loads` says.
    pub async fn load(&self, node: usize, key: usize, loads: Loads) -> Result<Value, SourceFailed> {
        let start = self.at();
        let place = {
            let mut state = self.state();
            let number = state.history.loads.len() as u64 + 1;
            state.history.loads.push(Load { number, node, key, start, end: None, version: None });
            state.history.loads.len() - 1
        };
        let (before, after, fails) = loads.draw();
        sleep(before).await;
        let version = self.version(key);
        sleep(after).await;
        let end = self.at();
        let mut state = self.state();
        let load = &mut state.history.loads[place];
        load.end = Some(end);
        if fails {
            return Err(SourceFailed);
        }
        load.version = Some(version);
        Ok(Value { key, version, load: load.number })
    }

    /// The time since the run began.
    pub fn time(&self) -> Duration {
        self.0.began.elapsed()
    }
}
