//! The connection: up, down, or not yet tried; and what this process knows of the cache behind it.
//!
//! Lives on the thread of [`crate::io::thread`]; other threads see its [`Status`] only.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cache_core::{Listeners, Target};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::connect::line::Line;
use crate::connect::settings::Settings;
use crate::io::channel::{self, Channel};
use crate::io::ears::Ears;
use crate::io::failure::Failure;
use crate::io::flag::Flag;
use crate::io::queue::{Queue, Strike};
use crate::io::session::Session;
use crate::io::thread::Common;
use crate::operation::fleet::Node;
use crate::operation::lease::Leases;
use crate::stored::names::Names;
use crate::stored::slot::Tags;

/// What other threads may know of the connection.
#[derive(Debug, Default)]
pub(crate) struct Status {
    pub(crate) connected_since: Option<Instant>,
    pub(crate) reconnects: u64,
    /// Why it is down.
    pub(crate) trouble: Option<String>,
    /// What is wrong with the Redis though it is connected.
    pub(crate) ailment: Option<String>,
    /// What it refused last, and when.
    pub(crate) refused: Option<(Instant, String)>,
    pub(crate) queued: usize,
    /// Why it does not tell what others change, though it was asked to.
    pub(crate) untold: Option<String>,
    /// Whether what larder changes is heard all the same.
    pub(crate) has_channel: bool,
    /// Until then all that was changed is known to have been told; nothing while nobody listens.
    pub(crate) heard: Option<Instant>,
    /// Changes that were told.
    pub(crate) received: u64,
    /// Changes that were made here, for others to be told of.
    pub(crate) sent: u64,
}

/// How long it is told what Redis has refused.
const REFUSED: Duration = Duration::from_secs(10);

impl Status {
    /// Why it does not tell what others change, and what is heard of that all the same.
    pub(crate) fn untold_in_words(&self) -> Option<String> {
        let heard = if self.has_channel {
            "; what programs with larder change that may publish is heard all the same, over a channel of its own"
        } else {
            ""
        };
        self.untold.as_ref().map(|why| format!("{why}{heard}"))
    }

    /// What is wrong with the Redis though it is connected, or why it does not do what it is asked to.
    pub(crate) fn words(&self) -> Option<String> {
        let recent = || self.refused.as_ref().filter(|(at, _)| at.elapsed() <= REFUSED);
        let refused = || recent().map(|(_, why)| format!("Redis refuses what it is asked to do: {why}"));
        self.ailment.clone().or_else(refused)
    }
}

enum State {
    Starting,
    Up(Line),
    Down(String),
}

pub(crate) struct Link {
    pub(crate) settings: Settings,
    pub(crate) names: Names,
    pub(crate) queue: RefCell<Queue>,
    pub(crate) status: Arc<Mutex<Status>>,
    /// Who is told what changes, and whether there is anybody.
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) listening: Cell<bool>,
    /// Who would listen, and is not told.
    pub(crate) untold: Arc<Listeners>,
    /// What this process is to those who wait for it.
    pub(crate) node: Node,
    /// By which number the connection looks whether it is told anything, and whether it was.
    pub(crate) probe: Cell<u64>,
    pub(crate) probed: Cell<bool>,
    /// Down while the channel is being made over a connection that is in use.
    pub(crate) made: Flag,
    /// How those hear of changes to whom Redis does not tell them.
    pub(crate) channel: Channel,
    /// Whether the server has been asked to tell, over the connection there is.
    pub(crate) asked: Cell<bool>,
    /// Whether it tells.
    pub(crate) tells: Cell<bool>,
    /// On a cluster: the servers that were.
    #[cfg(feature = "cluster")]
    pub(crate) tellers: RefCell<Option<crate::connect::topology::Topology>>,
    pub(crate) leases: Arc<Leases>,
    /// When what was answered last was asked: until then at least, all that was told has arrived.
    heard: Cell<Instant>,
    /// The epoch as it was last seen; zero if it is not known.
    pub(crate) epoch: Cell<u64>,
    /// What stands for the server in its epochs; zero if that is not known.
    pub(crate) server: Cell<u32>,
    /// Whether a write was sent of which nobody knows what became.
    pub(crate) unknown: Cell<bool>,
    /// Counts what this process invalidates: what it set before that is not to be set again after it.
    pub(crate) strikes: Cell<u64>,
    /// Epochs whose names are to be removed, and whether somebody is about it.
    pub(crate) over: RefCell<Vec<u64>>,
    pub(crate) sweeping: Cell<bool>,
    /// Batches with writes that are under way.
    pub(crate) unanswered: Cell<usize>,
    pub(crate) ears: Ears,
    state: RefCell<State>,
    /// Counts connections, so that only its own users break one.
    life: Cell<u64>,
    lost: Notify,
    settled: Flag,
    /// The tags of keys that were read or written: so that their marks can be read along with them.
    known: RefCell<HashMap<Box<str>, Rc<Tags>>>,
}

/// Keys whose tags are remembered; a key that is not costs a second round trip.
const KNOWN: usize = 16_384;

impl Link {
    pub(crate) fn new(
        settings: Settings,
        Common { status, listeners, untold, leases, seen, .. }: Common,
    ) -> Self {
        Self {
            names: Names::new(&settings.namespace, settings.place.is_spread()),
            queue: RefCell::new(Queue::new(settings.queue)),
            settings,
            status,
            listeners,
            leases,
            listening: Cell::new(false),
            untold,
            node: Node::new(seen),
            probe: Cell::new(0),
            probed: Cell::new(false),
            made: Flag::up(),
            channel: Channel::default(),
            asked: Cell::new(false),
            tells: Cell::new(false),
            #[cfg(feature = "cluster")]
            tellers: RefCell::default(),
            heard: Cell::new(Instant::now()),
            epoch: Cell::new(0),
            server: Cell::new(0),
            unknown: Cell::new(false),
            strikes: Cell::new(0),
            over: RefCell::default(),
            sweeping: Cell::new(false),
            unanswered: Cell::new(0),
            ears: Ears::default(),
            state: RefCell::new(State::Starting),
            life: Cell::new(0),
            lost: Notify::new(),
            settled: Flag::default(),
            known: RefCell::default(),
        }
    }

    /// The connection, if there is one; at the very beginning, once the first attempt is over.
    pub(crate) async fn session(self: &Rc<Self>) -> Result<Session, Failure> {
        if matches!(&*self.state.borrow(), State::Starting) {
            self.settle().await;
        }
        match &*self.state.borrow() {
            State::Up(connection) => Ok(self.over(connection.clone())),
            State::Down(why) => Err(Failure::Down(why.clone())),
            State::Starting => Err(Failure::Down("it is being connected".to_owned())),
        }
    }

    /// Returns when the first attempt to connect is over, or has taken too long.
    pub(crate) async fn settle(&self) {
        let _ = tokio::time::timeout(self.settings.dial.limit, self.settled.raised()).await;
    }

    /// The user of a connection that is not yet everybody's.
    pub(crate) fn over(self: &Rc<Self>, connection: Line) -> Session {
        Session { link: self.clone(), connection, life: self.life.get() }
    }

    /// A new connection begins.
    pub(crate) fn begin(&self) {
        self.life.set(self.life.get() + 1);
        self.epoch.set(0);
        self.asked.set(false);
        self.tells.set(false);
        self.node.begin();
        self.untold.tell(|listener| listener.assured(Duration::ZERO));
        #[cfg(feature = "cluster")]
        self.tellers.take();
    }

    /// From now on everybody uses it; and `is_told` of what changes, or not.
    pub(crate) fn up(self: &Rc<Self>, session: &Session, is_told: bool) {
        if is_told {
            self.listeners.tell(|listener| listener.restored());
        }
        *self.state.borrow_mut() = State::Up(session.connection.clone());
        let mut status = self.status.lock();
        status.connected_since = Some(Instant::now());
        status.trouble = None;
        drop(status);
        self.settled.raise();
        if self.listening.get() {
            self.node_begins();
        }
    }

    /// From now on nobody uses it, and everything is refused at once.
    pub(crate) fn down(&self, why: &str) {
        *self.state.borrow_mut() = State::Down(why.to_owned());
        let mut status = self.status.lock();
        if status.connected_since.take().is_some() {
            status.reconnects += 1;
        }
        status.trouble = Some(why.to_owned());
        drop(status);
        self.node.begin();
        let since = self.heard.get().elapsed();
        self.listeners.tell(|listener| listener.cut_off(since));
        // What they load by themselves meanwhile, nobody waits for.
        self.untold.tell(|listener| listener.assured(Duration::MAX));
        self.settled.raise();
    }

    pub(crate) fn is_over(&self, life: u64) -> bool {
        life != self.life.get()
    }

    /// The connection of that life is of no use any more.
    pub(crate) fn lose(&self, life: u64, why: &str) {
        if life == self.life.get() && matches!(&*self.state.borrow(), State::Up(_)) {
            self.down(why);
            self.lost.notify_one();
        }
    }

    /// Breaks the connection that is in use: what could not be delivered is to be delivered before it is used again.
    fn break_off(&self, why: &str) {
        self.lose(self.life.get(), why);
    }

    /// An invalidation could not be delivered: nothing is read until it is.
    pub(crate) fn queue_up(&self, strike: Strike, failure: &Failure) {
        self.break_off(&format!("an invalidation could not be delivered: {}", failure.words()));
        let mut queue = self.queue.borrow_mut();
        queue.push(strike);
        self.status.lock().queued = queue.len();
    }

    /// Something is invalidated.
    pub(crate) fn strikes(&self) {
        self.strikes.set(self.strikes.get() + 1);
    }

    /// All that was told before then has arrived.
    pub(crate) fn hears_since(&self, asked: Instant) {
        self.heard.set(asked.max(self.heard.get()));
        if self.tells.get() {
            self.status.lock().heard = Some(self.heard.get());
        }
    }

    /// So many changes were told.
    pub(crate) fn received(&self, many: u64) {
        self.status.lock().received += many;
    }

    /// Something was changed here, and others are told of it.
    pub(crate) fn sent(self: &Rc<Self>, target: Target<'_>) {
        self.status.lock().sent += 1;
        channel::publish(self, target);
    }

    pub(crate) async fn until_lost(&self) {
        self.lost.notified().await;
    }

    /// The tags that a key had when it was last seen; `None` if it had none, or is not known.
    pub(crate) fn tags_of(&self, key: &str) -> Option<Rc<Tags>> {
        let known = self.known.borrow();
        if known.is_empty() { None } else { known.get(key).cloned() }
    }

    pub(crate) fn learn_tags(&self, key: &str, tags: &[Box<str>]) {
        let mut known = self.known.borrow_mut();
        if tags.is_empty() {
            known.remove(key);
            return;
        }
        if known.len() >= KNOWN {
            known.clear();
        }
        known.insert(key.into(), Rc::new(Tags::new(tags)));
    }
}
