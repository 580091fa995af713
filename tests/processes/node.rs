//! One of several processes: reads and changes through memory in front of Redis, and writes down what it saw.
//!
//! It is this test program itself, started again for the ignored test `node::process`, and lives until its input ends.

use std::env;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use larder::{Error, Larder, Memory, Policy, Redis, Target, Tier, Tiered};
use serde::{Deserialize, Serialize};

use crate::common::wait;
use crate::deaf::{Deaf, To};
use crate::fleet::said;
use crate::record::{At, Change, Event, Read, Recorder, Value, Who};
use crate::source::Source;

/// How long memory is believed while its process is cut off.
pub(crate) const CUT_OFF: Duration = Duration::from_secs(1);
/// Keys that every process changes; and those that one alone changes, and sets.
const SHARED: usize = 6;
const OWN: usize = 2;
const TAGS: usize = 3;
const READERS: u64 = 2;
/// Threads that change; the first one alone changes the process's own keys, one after the other.
const CHANGERS: u64 = 3;

/// Where Redis is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Place {
    One(String),
    Cluster(Vec<String>),
    Sentinel(Vec<String>),
}

/// What a process is told when it starts.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Orders {
    pub(crate) who: Who,
    /// How many places there are.
    pub(crate) nodes: usize,
    pub(crate) dir: PathBuf,
    pub(crate) place: Place,
    pub(crate) seed: u64,
    /// What one of them does not hear, though it says that it does.
    pub(crate) deaf: Option<(usize, To)>,
}

pub(crate) const ORDERS: &str = "LARDER_PROCESS";

impl Orders {
    /// `None` where nobody started this program for that.
    pub(crate) fn given() -> Option<Self> {
        let orders = env::var(ORDERS).ok()?;
        Some(serde_json::from_str(&orders).expect("orders"))
    }

    /// What this process does not hear.
    fn is_deaf_to(&self) -> Option<To> {
        self.deaf.filter(|(node, _)| *node == self.who.node).map(|(_, to)| to)
    }

    /// Between two changes at most, in milliseconds. What is cut off has to have something in memory that can become old.
    fn rest(&self) -> u64 {
        if self.deaf.is_some_and(|(_, to)| to == To::Loss) { 2_500 } else { 120 }
    }
}

#[test]
#[ignore = "started by the other tests"]
fn process() {
    let Some(orders) = Orders::given() else { return };
    let over = AtomicBool::new(false);
    let nodes = orders.nodes;
    let node = Arc::new(Node::new(orders));
    thread::scope(|scope| {
        let (node, over) = (&node, &over);
        for reader in 0..READERS {
            scope.spawn(move || node.read_on(reader, over));
        }
        // What it changes itself, also who is deaf sees.
        let changers = if node.orders.is_deaf_to().is_some() { 0 } else { CHANGERS };
        for changer in 0..changers {
            scope.spawn(move || node.change_on(changer, over));
        }
        node.until_it_works();
        std::fs::write(said(&node.orders.dir, "ready", node.orders.who.node), "").expect("written");
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        node.until_it_works();
        over.store(true, Ordering::SeqCst);
    });
    let mut rng = Rng::new();
    for key in 0..SHARED + OWN * nodes {
        node.read(key, &mut rng);
    }
}

struct Node {
    orders: Orders,
    redis: Redis,
    cache: Larder,
    source: Source,
    recorder: Recorder,
}

impl Node {
    fn new(orders: Orders) -> Self {
        let redis = connect(&orders.place);
        let near = Arc::new(Memory::builder().capacity(1000).build());
        let tiers = match orders.is_deaf_to() {
            Some(to) => Tiered::builder(near, Arc::new(Deaf::new(redis.clone(), to))),
            None => Tiered::builder(near, Arc::new(redis.clone())),
        };
        Self {
            redis,
            cache: Larder::over(tiers.cut_off_ttl(CUT_OFF).build()),
            source: Source::new(&orders.dir, SHARED + OWN * orders.nodes),
            recorder: Recorder::new(&orders.dir, orders.who),
            orders,
        }
    }

    fn rng(&self, number: u64) -> Rng {
        let Who { node, life } = self.orders.who;
        Rng::with_seed(self.orders.seed ^ ((node as u64) << 32 | (life as u64) << 8 | number))
    }

    fn read_on(self: &Arc<Self>, number: u64, over: &AtomicBool) {
        let mut rng = self.rng(number);
        while !over.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(rng.u64(2..15)));
            match rng.u8(..40) {
                0 => self.leave_token(),
                1 => self.read_after(),
                _ => self.read(rng.usize(..SHARED + OWN * self.orders.nodes), &mut rng),
            }
        }
    }

    fn read(self: &Arc<Self>, key: usize, rng: &mut Rng) {
        let (start, name) = (At::now(), name(key));
        let (got, near) = if rng.bool() {
            let Ok(Some(hit)) = self.cache.lookup::<Value>(&*name).wait() else { return };
            (*hit.value, hit.tier == Tier::L1)
        } else {
            let slow = if rng.u8(..4) == 0 { 60_000 } else { 4_000 };
            let (slow, ttl) = (rng.u64(..slow), rng.u64(200..10_000));
            let node = self.clone();
            let got = self.cache.get_or_compute(&*name, policy(key, ttl), move || node.load(key, slow));
            (*got, false)
        };
        self.recorder.write(&Event::Read(Read { start, end: At::now(), key, got, near }));
    }

    fn load(&self, key: usize, slow: u64) -> Value {
        let (start, version) = (At::now(), self.source.version(key));
        thread::sleep(Duration::from_micros(slow));
        let number = self.recorder.number();
        self.recorder.write(&Event::Load { number, start, end: At::now() });
        Value { key, version, who: self.orders.who, load: number }
    }

    /// Where all processes find it, with when it was asked for.
    fn leave_token(&self) {
        let taken = At::now();
        let Ok(token) = self.cache.token().wait() else { return };
        let text = serde_json::to_vec(&(taken, token.to_string())).expect("a text");
        let (all, own) = (self.orders.dir.join("token"), format!("token-{:?}", thread::current().id()));
        let own = self.orders.dir.join(format!("{own}-{}", self.orders.who.node));
        std::fs::write(&own, text).expect("written");
        std::fs::rename(own, all).expect("in its place");
    }

    fn read_after(&self) {
        let Ok(text) = std::fs::read(self.orders.dir.join("token")) else { return };
        let (taken, token): (At, String) = serde_json::from_slice(&text).expect("a token");
        if self.cache.read_after(&token.parse().expect("a token")).wait().is_ok() {
            self.recorder.write(&Event::Seen { taken, end: At::now() });
        }
    }

    fn change_on(&self, changer: u64, over: &AtomicBool) {
        let mut rng = self.rng(READERS + changer);
        while !over.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(rng.u64(10..self.orders.rest())));
            let number = self.change(changer == 0, &mut rng);
            // Until then a `set` may still be on its way, and would come behind the next one.
            while let Some(number) = number
                && !over.load(Ordering::SeqCst)
            {
                if self.has_delivered() {
                    self.recorder.write(&Event::Delivered { number, at: At::now() });
                    break;
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    fn has_delivered(&self) -> bool {
        let connection = self.redis.connection();
        connection.connected_for.is_some() && connection.queued == 0
    }

    /// Changes the truth, and says so; the number of the change if Redis may not have it yet.
    fn change(&self, its_own: bool, rng: &mut Rng) -> Option<u64> {
        let own = SHARED + OWN * self.orders.who.node;
        let own = own..own + OWN;
        let (shared, mine) = (rng.usize(..SHARED), rng.usize(own.clone()));
        let all = || (0..SHARED).chain(own.clone().filter(|_| its_own));
        let (what, covered): (_, Vec<usize>) = match rng.u8(..20) {
            0..8 if its_own => ("set", vec![mine]),
            8..10 if its_own => ("delete", vec![mine]),
            0..14 => ("key", vec![shared]),
            14..17 => ("tag", all().filter(|key| key % TAGS == shared % TAGS).collect()),
            17 | 18 => ("pattern", all().collect()),
            _ => ("all", all().collect()),
        };
        let keys: Vec<_> = covered.iter().map(|key| (*key, self.source.change(*key))).collect();
        let (acked, start, number) =
            (rng.u8(..if its_own { 8 } else { 2 }) == 0, At::now(), self.recorder.number());
        let done = self.tell(what, keys[0], tag(shared), acked, rng.u64(200..10_000));
        let end = At::now();
        let error = done.err().map(|error| error.to_string());
        let number_if_late = error.is_some().then_some(number);
        let change = Change { number, start, end, keys, what: what.to_owned(), acked, error };
        self.recorder.write(&Event::Change(change));
        number_if_late
    }

    fn tell(&self, what: &str, first: (usize, u64), tag: String, acked: bool, ttl: u64) -> Result<(), Error> {
        let (cache, key) = (&self.cache, name(first.0));
        let value = Value { key: first.0, version: first.1, who: self.orders.who, load: 0 };
        let reply = match what {
            "key" => cache.invalidate(&key),
            "set" => cache.set(&*key, value, policy(first.0, ttl)),
            "delete" => cache.delete(&*key).map(drop),
            "tag" => cache.invalidate(Target::Tag(&tag)),
            "pattern" => cache.invalidate(Target::Pattern("k:*")),
            _ => cache.clear(),
        };
        if acked { reply.acked().wait() } else { reply.wait() }
    }

    /// What is said reaches whoever is there.
    fn until_it_works(&self) {
        crate::common::until("a change is acknowledged again", Duration::from_secs(60), || {
            self.cache.invalidate("nothing").acked().wait().is_ok()
        });
        self.recorder.write(&Event::Works);
    }
}

fn connect(place: &Place) -> Redis {
    let builder = match place {
        Place::One(url) => Redis::builder(url),
        Place::Cluster(urls) => Redis::cluster(&texts(urls)),
        Place::Sentinel(urls) => Redis::sentinel(&texts(urls), "main").password("secret"),
    };
    wait(builder.connect()).expect("a handle")
}

fn texts(urls: &[String]) -> Vec<&str> {
    urls.iter().map(String::as_str).collect()
}

fn name(key: usize) -> String {
    format!("k:{key}")
}

fn tag(key: usize) -> String {
    format!("t:{}", key % TAGS)
}

/// Refreshed in the background, or stood in for by what is stale, where it is not invalid.
fn policy(key: usize, ttl: u64) -> Policy {
    let stale = Duration::from_secs(5);
    Policy::ttl(Duration::from_millis(ttl)).swr(stale).sie(stale).tags([tag(key)])
}
