//! What is done to the processes, to what is between them and Redis, and to Redis: drawn from a seed.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::common::Server;
use crate::fleet::Fleet;
use crate::node::Place;
use crate::proxy::Proxy;
use crate::record::At;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum What {
    /// A process dies, and another one comes in its place.
    Kill,
    /// A process is stopped for a while.
    Pause,
    /// Its connections to Redis are cut.
    Cut,
    /// Half of each: Redis hears that there is no more to come.
    HalfCut,
    /// Nothing comes back from Redis.
    Mute,
    /// What comes back is late.
    Late,
    /// A server dies, and is empty when it comes back.
    ServerKill,
    /// A server is stopped for a while.
    ServerPause,
    /// A server forgets everything.
    ServerFlush,
    /// A server cuts everybody off.
    ServerCut,
}

impl What {
    fn is_of_a_server(self) -> bool {
        matches!(self, Self::ServerKill | Self::ServerPause | Self::ServerFlush | Self::ServerCut)
    }

    /// For how long, in milliseconds.
    fn lasts(self, away: Range<u64>, rng: &mut Rng) -> u64 {
        match self {
            Self::Kill => rng.u64(20..800),
            // Now and then for longer than its lease.
            Self::Pause if rng.u8(..5) == 0 => rng.u64(4_000..6_000),
            Self::Pause => rng.u64(100..2_000),
            Self::Mute => rng.u64(100..4_000),
            Self::Late => rng.u64(200..2_000),
            Self::ServerKill => rng.u64(away),
            Self::ServerPause => rng.u64(50..900),
            Self::Cut | Self::HalfCut | Self::ServerFlush | Self::ServerCut => 0,
        }
    }
}

/// Something that was done.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) what: What,
    /// To which process, or server.
    pub(crate) number: usize,
    pub(crate) from: At,
    pub(crate) until: At,
}

impl Fault {
    pub(crate) fn troubles(&self, node: usize) -> bool {
        self.what.is_of_a_server() || self.number == node
    }

    /// One server is harmed at a time, and each process in one way.
    fn is_in_the_way_of(&self, what: What, number: usize) -> bool {
        match (self.what.is_of_a_server(), what.is_of_a_server()) {
            (true, true) => true,
            (false, false) => self.number == number,
            _ => false,
        }
    }
}

/// What there is to be harmed.
pub(crate) trait Far {
    /// Where a process finds it.
    fn place(&self, node: usize) -> Place;
    fn servers(&mut self) -> Vec<&mut Server>;
    /// What may be done next, when so much was done before; and, if to a server, to which.
    fn fault(&self, before: usize, rng: &mut Rng) -> (What, usize);
    /// How long a server that dies is away, in milliseconds.
    fn away(&self) -> Range<u64> {
        20..1_500
    }
    /// Between a process and Redis, where there is one.
    fn proxy(&self, node: usize) -> Option<&Proxy>;
    fn raw(&self, server: usize) -> Option<redis::Connection>;
}

/// Nothing comes back from Redis to a process for so long.
pub(crate) fn mute(far: &dyn Far, node: usize, time: Duration) -> Fault {
    let from = At::now();
    proxy(far, node).mute.store(true, Ordering::SeqCst);
    thread::sleep(time);
    unmute(far, node);
    Fault { what: What::Mute, number: node, from, until: At::now() }
}

/// No network loses a part of a stream and goes on.
fn unmute(far: &dyn Far, node: usize) {
    proxy(far, node).cut();
    proxy(far, node).mute.store(false, Ordering::SeqCst);
}

/// Harms `nodes` processes and what is behind them for so long; what was done.
pub(crate) fn harm(
    fleet: &mut Fleet,
    far: &mut dyn Far,
    nodes: usize,
    time: Duration,
    rng: &mut Rng,
) -> Vec<Fault> {
    let (began, mut all, mut active) = (Instant::now(), Vec::<Fault>::new(), Vec::<(Fault, Instant)>::new());
    while began.elapsed() < time || !active.is_empty() {
        let over = active.iter().position(|(_, until)| *until <= Instant::now());
        if let Some((mut fault, _)) = over.map(|over| active.swap_remove(over)) {
            end(&fault, fleet, far);
            fault.until = At::now();
            all.push(fault);
        } else if active.len() < 2 && began.elapsed() < time {
            let (what, server) = far.fault(all.len() + active.len(), rng);
            let number = if what.is_of_a_server() { server } else { rng.usize(..nodes) };
            let lasts = Duration::from_millis(what.lasts(far.away(), rng));
            if !active.iter().any(|(other, _)| other.is_in_the_way_of(what, number)) {
                let from = At::now();
                begin(what, number, fleet, far, rng);
                active.push((Fault { what, number, from, until: from }, Instant::now() + lasts));
            }
        }
        thread::sleep(Duration::from_millis(rng.u64(5..500)));
    }
    all
}

fn begin(what: What, number: usize, fleet: &mut Fleet, far: &mut dyn Far, rng: &mut Rng) {
    match what {
        What::Kill => fleet.kill(number),
        What::Pause => fleet.signal(number, "STOP"),
        What::Cut => proxy(far, number).cut(),
        What::HalfCut => proxy(far, number).half_cut(),
        What::Mute => proxy(far, number).mute.store(true, Ordering::SeqCst),
        What::Late => proxy(far, number).late.store(rng.usize(5..120), Ordering::SeqCst),
        What::ServerKill => far.servers()[number].kill(),
        What::ServerPause => far.servers()[number].signal("STOP"),
        What::ServerFlush => run(far.raw(number), &["FLUSHALL"]),
        What::ServerCut => run(far.raw(number), &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]),
    }
}

fn end(fault: &Fault, fleet: &mut Fleet, far: &mut dyn Far) {
    let number = fault.number;
    match fault.what {
        What::Kill => fleet.restart(number),
        What::Pause => fleet.signal(number, "CONT"),
        What::Mute => unmute(far, number),
        What::Late => proxy(far, number).late.store(0, Ordering::SeqCst),
        What::ServerKill => far.servers()[number].restart(),
        What::ServerPause => far.servers()[number].signal("CONT"),
        What::Cut | What::HalfCut | What::ServerFlush | What::ServerCut => {}
    }
}

fn proxy(far: &dyn Far, node: usize) -> &Proxy {
    far.proxy(node).expect("a proxy")
}

/// Whatever comes of it: a replica refuses some.
fn run(raw: Option<redis::Connection>, words: &[&str]) {
    if let Some(mut raw) = raw {
        let _: redis::RedisResult<redis::Value> = redis::cmd(words[0]).arg(&words[1..]).query(&mut raw);
    }
}
