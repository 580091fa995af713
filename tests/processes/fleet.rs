//! The processes, as who starts and harms them has them in hand.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::common::until;
use crate::deaf::To;
use crate::node::{ORDERS, Orders, Place};
use crate::record::{self, Event, Who};

/// A process that was told to end waits until a change is acknowledged.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) struct Fleet {
    pub(crate) dir: PathBuf,
    test: &'static str,
    orders: Vec<Orders>,
    /// `None` while it is dead.
    running: Vec<Option<Running>>,
}

struct Running {
    child: Child,
    /// It ends when this is closed, also because this program has ended.
    stdin: Option<ChildStdin>,
}

impl Fleet {
    /// A process for each of these places, which runs that ignored test.
    pub(crate) fn start(
        test: &'static str,
        places: Vec<Place>,
        seed: u64,
        deaf: Option<(usize, To)>,
    ) -> Self {
        let (dir, nodes) = (folder(), places.len());
        let orders = |(node, place)| {
            let (who, dir) = (Who { node, life: 0 }, dir.clone());
            Orders { who, nodes, dir, place, seed, deaf }
        };
        let orders: Vec<Orders> = places.into_iter().enumerate().map(orders).collect();
        let running = orders.iter().map(|orders| Some(Running::start(test, orders))).collect();
        Self { dir, test, orders, running }
    }

    /// Every process that there was.
    fn processes(&self) -> impl Iterator<Item = Who> {
        self.orders.iter().flat_map(|orders| {
            let Who { node, life } = orders.who;
            (0..=life).map(move |life| Who { node, life })
        })
    }

    pub(crate) fn recorded(&self) -> Vec<(Who, Event)> {
        record::read_back(&self.dir, self.processes())
    }

    /// Returns when each has said so, by a file.
    pub(crate) fn until_all_are(&self, what: &str) {
        let says = |node: usize| said(&self.dir, what, node).exists();
        until(what, PATIENCE, || (0..self.orders.len()).all(says));
    }

    pub(crate) fn kill(&mut self, node: usize) {
        let mut running = self.running[node].take().expect("it runs");
        running.child.kill().expect("killed");
        running.child.wait().expect("it is gone");
    }

    /// Another process, in the place of the one that was killed.
    pub(crate) fn restart(&mut self, node: usize) {
        self.orders[node].who.life += 1;
        self.running[node] = Some(Running::start(self.test, &self.orders[node]));
    }

    /// Stops a process in its tracks, or lets it go on: `STOP`, `CONT`.
    pub(crate) fn signal(&self, node: usize, signal: &str) {
        let pid = self.running[node].as_ref().expect("it runs").child.id().to_string();
        let status = Command::new("kill").args([&format!("-{signal}"), &pid]).status().expect("kill runs");
        assert!(status.success());
    }

    /// Lets all end by themselves; what they did not like, in words.
    pub(crate) fn end(&mut self) -> Vec<String> {
        for running in self.running.iter_mut().flatten() {
            running.stdin = None;
        }
        let mut troubles = Vec::new();
        for (node, running) in self.running.iter_mut().enumerate() {
            let Some(mut running) = running.take() else { continue };
            let mut status = None;
            until(&format!("process {node} ends"), PATIENCE, || {
                status = running.child.try_wait().expect("asked");
                status.is_some()
            });
            if !status.is_some_and(|status| status.success()) {
                troubles.push(format!("process {node} failed: {status:?}"));
            }
        }
        troubles
    }
}

impl Running {
    /// This program, for one ignored test.
    fn start(test: &str, orders: &Orders) -> Self {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.args(["--exact", test, "--ignored", "--nocapture"]);
        command.env(ORDERS, serde_json::to_string(orders).expect("a text"));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut child = child.expect("a process");
        Self { stdin: child.stdin.take(), child }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file by which a process says `what`.
pub(crate) fn said(dir: &Path, what: &str, node: usize) -> PathBuf {
    dir.join(format!("{what}-{node}"))
}

/// Kept where a test failed.
pub(crate) fn remove(dir: &Path) {
    let _ = std::fs::remove_dir_all(dir);
}

fn folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let dir = env::temp_dir().join(format!("larder-processes-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder");
    dir
}
