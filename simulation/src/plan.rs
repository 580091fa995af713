//! What a seed stands for: how the world is, and what is done to it when.

use std::time::Duration;

use crate::network::Delay;

/// How long loads take, and how often they fail.
#[derive(Clone, Copy, Debug)]
pub struct Loads {
    /// At most, in milliseconds.
    pub millis: u64,
    /// Of a thousand.
    pub failing: u64,
}

impl Loads {
    /// How long before the truth is read and after it, and whether it fails.
    pub(crate) fn draw(self) -> (Duration, Duration, bool) {
        let all = fastrand::u64(0..=self.millis);
        let before = fastrand::u64(0..=all);
        let fails = fastrand::u64(0..1000) < self.failing;
        (Duration::from_millis(before), Duration::from_millis(all - before), fails)
    }

    /// The longest that one may take.
    pub fn longest(self) -> Duration {
        Duration::from_millis(self.millis)
    }
}

/// What is done to the world. Durations: until it is undone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A node's connections are cut.
    Cut(usize),
    /// Nothing gets through from a node (0) or to it (1).
    Block(usize, usize, Duration),
    /// What a node sends and gets takes longer by that.
    Slow(usize, Duration, Duration),
    /// A node does not run.
    PauseNode(usize, Duration),
    /// A node dies, and another takes its place after a while.
    KillNode(usize, Duration),
    /// A node closes its cache, and goes on using it.
    Close(usize),
    /// A node's clock goes ahead.
    Jump(usize, Duration),
    /// The server does not run.
    PauseServer(Duration),
    /// The server dies, and begins again after a while: with all that it had, ..
    Restart(Duration),
    /// .. with nothing, ..
    RestartEmpty(Duration),
    /// .. or as it was so long before: a replica that lagged takes over.
    FailOver(Duration, Duration),
    /// Somebody deletes everything.
    Flush,
    /// The server evicts this many of a hundred names.
    Evict(u64),
}

impl Fault {
    /// How long it lasts.
    pub fn lasts(self) -> Duration {
        match self {
            Self::Block(_, _, time)
            | Self::Slow(_, _, time)
            | Self::PauseNode(_, time)
            | Self::KillNode(_, time)
            | Self::PauseServer(time)
            | Self::Restart(time)
            | Self::RestartEmpty(time)
            | Self::FailOver(time, _) => time,
            Self::Cut(_) | Self::Close(_) | Self::Jump(..) | Self::Flush | Self::Evict(_) => Duration::ZERO,
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What all chance in the run comes from.
    pub seed: u64,
    /// How many nodes.
    pub nodes: usize,
    /// How many keys.
    pub keys: usize,
    /// How many tags; a key has the tag that is its number modulo this.
    pub tags: usize,
    /// How many readers on each node.
    pub readers: usize,
    /// How many writers in all.
    pub writers: usize,
    /// At most how long a reader rests, in milliseconds.
    pub rest: u64,
    /// At most how long a writer rests, in milliseconds.
    pub between_changes: u64,
    /// How long a packet takes.
    pub delay: Delay,
    /// How loads are.
    pub loads: Loads,
    /// For how long entries live.
    pub ttl: Duration,
    /// For how long they are served stale while they are refreshed.
    pub swr: Duration,
    /// See [`larder::LarderBuilder::cut_off_ttl`].
    pub cut_off_ttl: Duration,
    /// How many entries a node's memory holds.
    pub capacity: usize,
    /// By how many thousandths the rates of clocks differ at most.
    pub skew: u64,
    /// How long nodes work; after it the world is left alone until it is quiet.
    pub lasts: Duration,
    /// Whether writers ask to be acknowledged, and present tokens. By the seed itself, so that nothing else hangs on it.
    pub asks: bool,
    /// What is done when, in order.
    pub faults: Vec<(Duration, Fault)>,
}

fn millis(range: std::ops::RangeInclusive<u64>) -> Duration {
    Duration::from_millis(fastrand::u64(range))
}

fn one_in(many: u64) -> bool {
    fastrand::u64(0..many) == 0
}

impl Plan {
    /// The plan of a seed.
    pub fn of(seed: u64) -> Self {
        fastrand::seed(seed);
        let nodes = fastrand::usize(2..=4);
        let asks = seed % 4 == 3;
        // The first who asks in a fleet's life waits for eight seconds.
        let lasts = millis(8_000..=16_000) + if asks { Duration::from_secs(16) } else { Duration::ZERO };
        let calm = one_in(4);
        let mut plan = Self {
            seed,
            nodes,
            keys: fastrand::usize(1..=8),
            tags: fastrand::usize(1..=3),
            readers: fastrand::usize(1..=3),
            writers: fastrand::usize(1..=3),
            rest: 1 << fastrand::u64(3..=8),
            between_changes: 1 << fastrand::u64(5..=11),
            delay: Delay(Duration::from_micros(50), Duration::from_micros(50 << fastrand::u64(1..=8))),
            loads: Loads {
                millis: if one_in(4) { 3_000 } else { 1 << fastrand::u64(0..=8) },
                failing: if one_in(3) { 150 } else { 0 },
            },
            ttl: if one_in(3) { millis(200..=2_000) } else { Duration::from_secs(60) },
            swr: if one_in(2) { Duration::ZERO } else { millis(100..=5_000) },
            cut_off_ttl: [0, 1_000, 5_000, 5_000].map(Duration::from_millis)[fastrand::usize(0..4)],
            capacity: if one_in(4) { 2 } else { 1_000 },
            skew: fastrand::u64(0..=20),
            lasts,
            asks,
            faults: Vec::new(),
        };
        if !calm {
            plan.faults = faults(nodes, lasts, plan.asks);
        }
        plan
    }

    /// Whether nothing is done to the world.
    pub fn is_calm(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Where somebody `waits` to be acknowledged, nodes are stopped for longer than their leases run, and say that they leave.
fn faults(nodes: usize, lasts: Duration, waits: bool) -> Vec<(Duration, Fault)> {
    let mut faults = Vec::new();
    let mut at = millis(300..=2_000);
    while at < lasts {
        let fault = match draw(nodes) {
            Fault::Cut(node) | Fault::PauseNode(node, _) if waits => {
                Fault::PauseNode(node, millis(3_000..=9_000))
            }
            Fault::Block(node, 1, _) if waits => Fault::Close(node),
            fault => fault,
        };
        faults.push((at, fault));
        at += millis(10..=3_000);
    }
    faults
}

fn draw(nodes: usize) -> Fault {
    let node = fastrand::usize(0..nodes);
    match fastrand::u8(0..16) {
        0..=2 => Fault::Cut(node),
        3 | 4 => Fault::Block(node, fastrand::usize(0..2), millis(100..=4_000)),
        5 => Fault::Slow(node, millis(1..=700), millis(100..=3_000)),
        6 => Fault::PauseNode(node, millis(100..=4_000)),
        7 | 8 => Fault::KillNode(node, millis(0..=2_000)),
        9 => Fault::Jump(node, millis(1..=10_000)),
        10 => Fault::PauseServer(millis(100..=3_000)),
        11 => Fault::Restart(millis(0..=2_000)),
        12 => Fault::RestartEmpty(millis(0..=2_000)),
        13 => Fault::FailOver(millis(0..=2_000), millis(1..=2_000)),
        14 => Fault::Flush,
        _ => Fault::Evict(fastrand::u64(1..=100)),
    }
}
