//! What the server is made of, and what is common to all of its parts.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::client::{Client, Connection};
use super::keyspace::Keyspace;
use super::sabotage::Sabotage;
use super::script::Scripts;
use super::tracking::Trackers;

/// What has been done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Commands that clients and strangers sent, by their names in capitals; not those of scripts.
    pub commands: BTreeMap<String, u64>,
    /// Invalidations and messages of channels, one for each client that was told.
    pub pushes: u64,
    /// Bytes that arrived from clients.
    pub bytes_in: u64,
    /// Bytes that were made for clients, whether they arrived or not.
    pub bytes_out: u64,
}

/// Whether the server does anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mode {
    Up,
    Paused,
    Down,
}

pub(super) struct State {
    /// For those who need to hold it.
    me: Weak<Self>,
    rng: RefCell<Rng>,
    born: Instant,
    /// When this life began, in milliseconds of [`now`](Self::now).
    pub(super) started: Cell<u64>,
    pub(super) run_id: RefCell<String>,
    pub(super) mode: Cell<Mode>,
    /// The number of the first client of each life: they come again, as they do in Redis.
    first: u64,
    next: Cell<u64>,
    pub(super) clients: RefCell<BTreeMap<u64, Rc<Client>>>,
    pub(super) keys: RefCell<Keyspace>,
    pub(super) trackers: RefCell<Trackers>,
    pub(super) scripts: RefCell<Rc<Scripts>>,
    pub(super) counts: RefCell<Counts>,
    /// How much may be there, in bytes as [`used`](Self::used) counts them; no limit, if zero.
    pub(super) maxmemory: Cell<u64>,
    /// Whether another one is its primary.
    pub(super) is_replica: Cell<bool>,
    /// Whether the script that runs has written.
    pub(super) has_written: Cell<bool>,
    /// How long after its end a name may still be there if nobody asks for it.
    pub(super) lag: Cell<Duration>,
    /// Whether somebody sees to what expires, and what he is to look at again.
    pub(super) expires: Cell<bool>,
    pub(super) ends: Rc<Notify>,
    pub(super) sabotage: Sabotage,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("run_id", &self.run_id)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// Some time in 2023, when every server of every simulation was made.
const EPOCH: u64 = 1_700_000_000_000;

impl State {
    pub(super) fn new(seed: u64) -> Rc<Self> {
        let mut rng = Rng::with_seed(seed);
        let first = rng.u64(1..100);
        Rc::new_cyclic(|me| Self {
            me: me.clone(),
            born: Instant::now(),
            started: Cell::new(EPOCH),
            run_id: RefCell::new(run_id(&mut rng)),
            mode: Cell::new(Mode::Up),
            first,
            next: Cell::new(first),
            clients: RefCell::default(),
            keys: RefCell::new(Keyspace::new(rng.u64(..))),
            trackers: RefCell::default(),
            scripts: RefCell::new(Rc::new(Scripts::new(me.clone()))),
            counts: RefCell::default(),
            maxmemory: Cell::default(),
            is_replica: Cell::default(),
            has_written: Cell::default(),
            lag: Cell::new(Duration::from_millis(100)),
            expires: Cell::new(false),
            ends: Rc::default(),
            sabotage: Sabotage::default(),
            rng: RefCell::new(rng),
        })
    }

    /// The time of day, in milliseconds.
    pub(super) fn now(&self) -> u64 {
        EPOCH + self.born.elapsed().as_millis() as u64
    }

    /// When that is.
    pub(super) fn at(&self, time: u64) -> Option<Instant> {
        self.born.checked_add(Duration::from_millis(time.saturating_sub(EPOCH)))
    }

    /// The time of day in seconds, and the microseconds above.
    pub(super) fn time(&self) -> (u64, u32) {
        let since = Duration::from_millis(EPOCH) + self.born.elapsed();
        (since.as_secs(), since.subsec_micros())
    }

    /// How much memory it takes, roughly as Redis does.
    pub(super) fn used(&self) -> u64 {
        1_000_000 + self.keys.borrow().bytes() as u64
    }

    pub(super) fn is_full(&self) -> bool {
        self.maxmemory.get() > 0 && self.used() > self.maxmemory.get()
    }

    /// How long this time what has expired is left there.
    pub(super) fn draw_lag(&self) -> Duration {
        let most = self.lag.get().as_millis() as u64;
        Duration::from_millis(self.rng.borrow_mut().u64(0..=most))
    }

    /// A new life: another number, no clients, no scripts.
    pub(super) fn begin_life(&self) {
        if !self.sabotage.is_the_same.get() {
            *self.run_id.borrow_mut() = run_id(&mut self.rng.borrow_mut());
        }
        self.scripts.replace(Rc::new(Scripts::new(self.me.clone())));
        self.started.set(self.now());
        self.maxmemory.set(0);
        self.is_replica.set(false);
        self.next.set(self.first);
    }

    /// One more client; none while the server is down.
    pub(super) fn connect(&self) -> Option<Connection> {
        if self.mode.get() == Mode::Down {
            return None;
        }
        let client = Rc::new(Client::new(self.next.get()));
        self.next.set(client.id + 1);
        self.clients.borrow_mut().insert(client.id, client.clone());
        Some(Connection { server: self.me.upgrade()?, client })
    }

    /// Also what is told to a client itself.
    pub(super) fn leave(&self, client: &Rc<Client>) {
        let mut clients = self.clients.borrow_mut();
        // Numbers come again in the next life.
        if clients.get(&client.id).is_some_and(|there| Rc::ptr_eq(there, client)) {
            clients.remove(&client.id);
            self.trackers.borrow_mut().forget(client.id);
        }
        client.close();
    }

    /// Whoever tracks what has changed is told, and what expires next is waited for.
    pub(super) fn end_turn(&self) {
        self.tell_trackers();
        self.ends.notify_one();
    }

    /// Everybody looks around.
    pub(super) fn wake_all(&self) {
        self.clients.borrow().values().for_each(|client| client.wake.notify_one());
        self.ends.notify_one();
    }
}

/// What Redis draws each time that it starts.
fn run_id(rng: &mut Rng) -> String {
    (0..40).map(|_| char::from(b"0123456789abcdef"[rng.usize(..16)])).collect()
}
