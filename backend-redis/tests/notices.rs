//! What others change is told: whoever does it, and however.

mod common;
#[path = "common/fake.rs"]
mod fake;
#[cfg(feature = "cluster")]
#[path = "common/nodes.rs"]
mod nodes;
#[path = "common/proxy.rs"]
mod proxy;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backend_redis::Redis;
use cache_core::{Cache, Ended, Kind, Lease, Listener, Named, Notices, Strength, Target};
use common::plain::{MINUTE, SOON, get, is_up, names, put, put_tagged, run};
use common::{Server, handle_at, until, wait};

/// Remembers what it is told.
#[derive(Default)]
struct Ear {
    changed: Mutex<Vec<Named>>,
    replaced: Mutex<u32>,
    /// Whether it is told apart what may be no more than a load.
    apart: AtomicBool,
    /// Whether a load of everything is under way here.
    loads: AtomicBool,
    /// Whether the channel stands, and for how long it had been lost when that was told.
    stands: Mutex<Option<bool>>,
    since: Mutex<Duration>,
}

impl Listener for Ear {
    fn changed(&self, target: Target<'_>, _: Strength) {
        self.changed.lock().expect("locked").push(target.into());
    }

    fn replaced(&self, key: &str) -> bool {
        *self.replaced.lock().expect("locked") += 1;
        if !self.apart.load(Ordering::SeqCst) {
            self.changed(Target::Key(key), Strength::Remove);
        }
        self.loads.load(Ordering::SeqCst)
    }

    fn cut_off(&self, since: Duration) {
        *self.since.lock().expect("locked") = since;
        *self.stands.lock().expect("locked") = Some(false);
    }

    fn restored(&self) {
        *self.stands.lock().expect("locked") = Some(true);
    }
}

impl Ear {
    /// Listens to `redis`; returns when the channel stands.
    fn to(redis: &Redis) -> Arc<Self> {
        let ear = Arc::new(Self::default());
        let listener: Arc<dyn Listener> = ear.clone();
        assert_eq!(redis.listen(Arc::downgrade(&listener)), Notices::Given);
        ear.until_it_stands();
        ear
    }

    fn stands(&self) -> Option<bool> {
        *self.stands.lock().expect("locked")
    }

    fn until_it_stands(&self) {
        until("the channel stands", SOON, || self.stands() == Some(true));
    }

    /// What it was told, at once and in any order; it forgets that.
    fn take(&self) -> Vec<String> {
        let told = std::mem::take(&mut *self.changed.lock().expect("locked"));
        let mut told: Vec<String> = told.iter().map(|it| it.target().to_string()).collect();
        told.sort();
        told.dedup();
        told
    }

    /// Of that, and of nothing before it.
    fn is_told_alone(&self, of: &str) {
        until("told", SOON, || !self.changed.lock().expect("locked").is_empty());
        assert_eq!(self.take(), [of]);
    }

    fn is_told(&self, of: &str) {
        let mut told = Vec::new();
        let began = std::time::Instant::now();
        while !told.iter().any(|it| it == of) {
            assert!(began.elapsed() < SOON, "not told of {of}, but of {told:?}");
            std::thread::sleep(Duration::from_millis(5));
            told.extend(self.take());
        }
    }
}

/// What anybody does to entries that others hold copies of.
fn everything_is_told(here: &Redis, there: &Redis, raw: impl Fn(&[&str])) {
    let ear = Ear::to(here);
    for key in ["k:1", "k:{2}", "k:3"] {
        put_tagged(here, key, "v", &["t", "u:{x}"], None).expect("stored");
    }
    put(there, "k:1", "v").expect("stored");
    ear.is_told("key \"k:1\"");
    there.delete("k:{2}").wait().expect("deleted");
    ear.is_told("key \"k:{2}\"");
    there.invalidate(Target::Key("k:3"), Strength::MarkStale).wait().expect("marked");
    ear.is_told("key \"k:3\"");
    there.invalidate(Target::Tag("u:{x}"), Strength::Remove).wait().expect("struck");
    ear.is_told("tag \"u:{x}\"");
    there.invalidate(Target::Tag("t"), Strength::MarkStale).wait().expect("struck");
    ear.is_told("tag \"t\"");
    put(here, "p:1", "v").expect("stored");
    there.invalidate(Target::Pattern("p:*"), Strength::Remove).wait().expect("struck");
    ear.is_told("key \"p:1\"");
    there.incr("n", 1, MINUTE).wait().expect("added");
    ear.is_told("key \"n\"");
    put(here, "short", "v").expect("stored");
    there.expire("short", Duration::from_millis(1)).wait().expect("done");
    ear.is_told("key \"short\"");
    there.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
    ear.is_told("everything");
    put(here, "k:1", "v").expect("stored");
    raw(&["FLUSHALL"]);
    ear.is_told("everything");
}

#[test]
fn everything_that_others_do_is_told() {
    let server = Server::start(&[]);
    everything_is_told(&server.redis(), &server.redis(), |command| {
        run(&mut server.raw(), command);
    });
}

#[cfg(feature = "cluster")]
#[test]
fn everything_that_others_do_is_told_on_a_cluster() {
    let nodes = nodes::Nodes::start(0);
    let handle = || wait(nodes.builder().connect()).expect("a handle");
    everything_is_told(&handle(), &handle(), |command| {
        nodes.raws().iter_mut().for_each(|raw| drop(run(raw, command)));
    });
}

/// A raw client, in whatever language.
#[test]
fn what_a_raw_client_does_is_told() {
    let server = Server::start(&[]);
    let (redis, mut raw) = (server.redis(), server.raw());
    let ear = Ear::to(&redis);
    for (key, command) in [("a", &["DEL"][..]), ("b", &["SET"]), ("c", &["UNLINK"]), ("d", &["PEXPIRE"])] {
        put(&redis, key, "v").expect("stored");
        let name = common::plain::names(&mut raw, &format!("*:k:{key}")).remove(0);
        let rest: &[&str] = match command[0] {
            "SET" => &["theirs"],
            "PEXPIRE" => &["1"],
            _ => &[],
        };
        run(&mut raw, &[command, &[&*name], rest].concat());
        ear.is_told(&format!("key {key:?}"));
    }
}

#[test]
fn what_is_read_or_done_in_another_namespace_is_not_told() {
    let server = Server::start(&[]);
    let (redis, other) = (server.redis(), server.redis());
    let elsewhere = wait(server.builder().namespace("other").connect()).expect("a handle");
    put(&redis, "first", "v").expect("stored");
    let ear = Ear::to(&redis);
    redis.get("first", Kind::of::<String>()).wait().expect("read");
    put(&elsewhere, "k", "v").expect("stored");
    elsewhere.invalidate(Target::All, Strength::Remove).wait().expect("cleared");
    // What is told after that has been told.
    put(&other, "last", "v").expect("stored");
    ear.is_told_alone("key \"last\"");
}

/// Whoever uses the handle beside whoever listens.
#[test]
fn what_one_does_oneself_is_told_too() {
    let server = Server::start(&[]);
    let redis = server.redis();
    let ear = Ear::to(&redis);
    put(&redis, "plain", "v").expect("stored");
    ear.is_told("key \"plain\"");
    put_tagged(&redis, "tagged", "v", &["t"], None).expect("stored");
    ear.is_told("key \"tagged\"");
    redis.invalidate(Target::Pattern("p*"), Strength::Remove).wait().expect("struck");
    ear.is_told("pattern \"p*\"");
}

/// To load is to change what stands under a key, by a lease and by what is published.
#[test]
fn a_load_changes_nothing_for_those_who_wait_for_it() {
    let server = Server::start(&[]);
    let (redis, other) = (server.redis(), server.redis());
    put(&redis, "k", "v").expect("stored");
    let ear = Ear::to(&redis);
    ear.apart.store(true, Ordering::SeqCst);
    let replaced = || *ear.replaced.lock().expect("locked");
    // Whatever is said of what was done before has been said.
    let told = || {
        put(&other, "last", "v").expect("stored");
        let before = replaced();
        until("told", SOON, || replaced() > before || before > 0);
        std::thread::sleep(Duration::from_millis(100));
        ear.take()
    };
    let lease_of = |redis: &Redis, key: &str| match redis.lease(key, false).wait().expect("asked") {
        Lease::Mine(fence) | Lease::LookAgain(fence) => fence,
        Lease::Theirs(_) => panic!("nobody else loads"),
    };
    let lease = |redis: &Redis| lease_of(redis, "k");
    let (fence, before) = (lease(&redis), replaced());
    put_tagged(&redis, "k", "new", &["t"], Some(fence)).expect("stored");
    assert_eq!((told(), replaced() - before), (Vec::<String>::new(), 1), "of the other's alone");
    let fence = lease_of(&redis, "nothing");
    redis.settle("nothing", fence, Ended::Failed);
    assert_eq!(told(), Vec::<String>::new());
    // A load elsewhere drops copies, and no more.
    let before = replaced();
    let fence = lease_of(&other, "elsewhere");
    until("told", SOON, || replaced() > before);
    other.settle("elsewhere", fence, Ended::Failed);
    assert_eq!(told(), Vec::<String>::new());
    // What makes a load void.
    lease(&redis);
    other.invalidate(Target::Key("k"), Strength::MarkStale).wait().expect("marked");
    ear.is_told("key \"k\"");
    other.invalidate(Target::Key("k"), Strength::Remove).wait().expect("invalidated");
    ear.is_told("key \"k\"");
    // One that has no lease may be.
    ear.loads.store(true, Ordering::SeqCst);
    put(&other, "unleased", "v").expect("stored");
    ear.is_told("key \"unleased\"");
}

#[test]
fn a_lost_channel_is_told_and_stands_again() {
    let mut server = Server::start(&[]);
    let redis = wait(Redis::connect(&server.url())).expect("a handle");
    let ear = Ear::to(&redis);
    server.signal("STOP");
    let began = std::time::Instant::now();
    until("noticed", SOON, || ear.stands() == Some(false));
    let (took, since) = (began.elapsed(), *ear.since.lock().expect("locked"));
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(
        since + Duration::from_millis(50) >= took.saturating_sub(Duration::from_secs(1))
            && since < Duration::from_secs(3),
        "{since:?} of {took:?}"
    );
    server.signal("CONT");
    ear.until_it_stands();
    server.kill();
    until("noticed", SOON, || ear.stands() == Some(false));
    server.restart();
    ear.until_it_stands();
    let other = server.redis();
    put(&other, "k", "v").expect("stored");
    ear.is_told("key \"k\"");
}

/// Listens before there is any Redis.
#[test]
fn the_channel_stands_once_redis_comes() {
    let mut server = Server::start(&[]);
    server.kill();
    let redis = wait(Redis::connect(&server.url())).expect("a handle");
    let ear = Arc::new(Ear::default());
    let listener: Arc<dyn Listener> = ear.clone();
    assert_eq!(redis.listen(Arc::downgrade(&listener)), Notices::Given);
    server.restart();
    ear.until_it_stands();
    assert!(is_up(&redis));
}

/// One that may not be asked to tell: said in words, and nothing else suffers.
#[test]
fn a_redis_that_may_not_tell_says_so() {
    let server = Server::start(&[]);
    run(
        &mut server.raw(),
        &["ACL", "SETUSER", "quiet", "on", ">pw", "~*", "&*", "+@all", "-client|tracking"],
    );
    let redis = handle_at(&format!("{}?user=quiet&pass=pw", server.url()));
    let ear = Arc::new(Ear::default());
    let listener: Arc<dyn Listener> = ear.clone();
    redis.listen(Arc::downgrade(&listener));
    let why = || redis.connection().untold.unwrap_or_default();
    until("said", SOON, || why().contains("NOPERM"));
    assert_eq!(redis.troubles().wait().expect("told"), Vec::<String>::new(), "it works all the same");
    assert_ne!(ear.stands(), Some(true));
    put(&redis, "k", "v").expect("stored");
    assert_eq!(get(&redis, "k").expect("read").as_deref(), Some("v"));
}

/// Nor is it lost what programs with larder change: that they publish themselves. What others do is.
#[test]
fn what_a_redis_may_not_tell_larder_tells() {
    let server = Server::start(&[]);
    let mut raw = server.raw();
    run(&mut raw, &["ACL", "SETUSER", "quiet", "on", ">pw", "~*", "&*", "+@all", "-client|tracking"]);
    let quiet = handle_at(&format!("{}?user=quiet&pass=pw", server.url()));
    let (ear, loud) = (Arc::new(Ear::default()), Arc::new(Ear::default()));
    let listeners: [Arc<dyn Listener>; 2] = [ear.clone(), loud.clone()];
    quiet.listen(Arc::downgrade(&listeners[0]));
    let why = || quiet.connection().untold.unwrap_or_default();
    until("heard", SOON, || why().contains("NOPERM") && why().contains("a channel of its own"));
    let other = handle_at(&server.url());
    other.listen(Arc::downgrade(&listeners[1]));
    // It knows of that with its next beat.
    until("published", SOON, || {
        put(&other, "k", "v").expect("stored");
        ear.take() == ["key \"k\""]
    });
    put_tagged(&other, "t", "v", &["tag"], None).expect("stored");
    ear.is_told("key \"t\"");
    other.delete("k").wait().expect("deleted");
    ear.is_told("key \"k\"");
    for target in [Target::Key("k"), Target::Tag("tag"), Target::Pattern("k*"), Target::All] {
        other.invalidate(target, Strength::Remove).wait().expect("invalidated");
        ear.is_told(&target.to_string());
    }
    other.incr("n", 1, MINUTE).wait().expect("counted");
    ear.is_told("key \"n\"");
    assert_ne!(ear.stands(), Some(true), "it is not to be relied on");
    loud.take();
    let name = names(&mut raw, "larder:*:k:n").remove(0);
    run(&mut raw, &["DEL", &name]);
    loud.is_told("key \"n\"");
    put(&other, "last", "v").expect("stored");
    ear.is_told_alone("key \"last\"");
}

/// A proxy that takes the command, and passes nothing on that is told: seen before it is relied on; and when it is over.
#[test]
fn a_connection_that_is_told_nothing_is_found_out() {
    let server = Server::start(&[]);
    let (proxy, url) = proxy::Proxy::start(&server);
    proxy.keeps_notices.store(true, Ordering::SeqCst);
    let redis = handle_at(&url);
    let ear = Arc::new(Ear::default());
    let listener: Arc<dyn Listener> = ear.clone();
    redis.listen(Arc::downgrade(&listener));
    let why = || redis.connection().untold.unwrap_or_default();
    until("said", SOON, || why().contains("does not arrive"));
    assert_ne!(ear.stands(), Some(true));
    put(&redis, "k", "v").expect("stored");
    assert_eq!(get(&redis, "k").expect("read").as_deref(), Some("v"), "it works all the same");
    proxy.keeps_notices.store(false, Ordering::SeqCst);
    until("it is tried again", SOON, || ear.stands() == Some(true));
    assert_eq!(why(), "");
    let mut raw = server.raw();
    let names = names(&mut raw, "larder:*:k:k");
    run(&mut raw, &["DEL", &names[0]]);
    ear.is_told("key \"k\"");
}

/// What kept it from being put to the test is over, but the connection is the same.
#[test]
fn a_test_that_was_refused_is_made_again() {
    let server = Server::start(&[]);
    let (fake, url) = fake::Fake::start(&server);
    let redis = wait(Redis::connect(&url)).expect("a handle");
    let ear = Ear::to(&redis);
    fake.says("MISCONF it cannot save", &["SET"]);
    run(&mut server.raw(), &["CLIENT", "KILL", "TYPE", "normal"]);
    until("refused", SOON, || redis.connection().untold.is_some_and(|why| why.contains("MISCONF")));
    fake.says_nothing();
    ear.until_it_stands();
    assert_eq!(redis.connection().untold, None);
}

/// Longer than an operation may take.
#[test]
fn a_channel_that_is_slow_to_be_made_is_made() {
    let server = Server::start(&[]);
    let (proxy, url) = proxy::Proxy::start(&server);
    let builder = Redis::builder(&url).response_timeout(SOON).operation_timeout(Duration::from_millis(150));
    let redis = wait(builder.connect()).expect("a handle");
    proxy.late.store(80, Ordering::SeqCst);
    let ear = Ear::to(&redis);
    assert_eq!(ear.stands(), Some(true));
}

/// Nor may one that speaks the older protocol alone be useless.
#[test]
fn a_redis_of_the_older_protocol_works_and_says_that_it_tells_nothing() {
    let server = Server::start(&[]);
    let (fake, url) = fake::Fake::start(&server);
    fake.says("ERR unknown command 'HELLO', with args beginning with: '3'", &["HELLO"]);
    let redis = handle_at(&url);
    put(&redis, "k", "v").expect("stored");
    assert_eq!(get(&redis, "k").expect("read").as_deref(), Some("v"));
    let ear = Arc::new(Ear::default());
    let listener: Arc<dyn Listener> = ear.clone();
    redis.listen(Arc::downgrade(&listener));
    until("said", SOON, || redis.connection().untold.is_some());
    assert_ne!(ear.stands(), Some(true));
}

#[test]
fn one_handle_tells_one_cache() {
    let server = Server::start(&[]);
    let redis = server.redis();
    let ear = Ear::to(&redis);
    let second: Arc<dyn Listener> = Arc::new(Ear::default());
    assert_eq!(redis.listen(Arc::downgrade(&second)), Notices::Withheld);
    drop(ear);
    assert_eq!(redis.listen(Arc::downgrade(&second)), Notices::Given);
}

/// However much is told before it: or a lease would be taken for what was there when its key was removed.
#[test]
fn no_answer_overtakes_what_was_told_before_it() {
    let server = Server::start(&[]);
    let (proxy, url) = proxy::Proxy::start(&server);
    let redis = handle_at(&url);
    let (ear, mut raw) = (Ear::to(&redis), server.raw());
    put(&redis, "k", "old").expect("stored");
    let name = names(&mut raw, "*:k:k").remove(0);
    proxy.slow.store(true, Ordering::SeqCst);
    for at in 0..1000 {
        run(&mut raw, &["SET", &format!("{name}:{at}"), ""]);
    }
    run(&mut raw, &["DEL", &name]);
    let fence = redis.fence("k");
    until("the lease is given", SOON, || names(&mut raw, "*:k:k").len() == 1);
    ear.take();
    proxy.slow.store(false, Ordering::SeqCst);
    fence.wait().expect("a fence");
    until("all is told", SOON, || ear.changed.lock().expect("locked").len() >= 1000);
    run(&mut raw, &["SET", &format!("{name}:end"), ""]);
    let end = Named::Key("k:end".into());
    until("the end is told", SOON, || ear.changed.lock().expect("locked").contains(&end));
    assert!(ear.changed.lock().expect("locked").contains(&Named::Key("k".into())), "it was removed");
}

/// It takes no write: neither the first word of a strike nor the next may be lost by that, whoever strikes.
#[test]
fn in_a_full_redis_strikes_are_told_each_time() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let (redis, others, mut raw) = (server.redis(), [server.redis(), server.redis()], server.raw());
    put_tagged(&redis, "k", "v", &["t"], None).expect("stored");
    redis.invalidate(Target::Tag("another"), Strength::Remove).wait().expect("struck");
    let ear = Ear::to(&redis);
    for other in &others {
        // So that it knows the epoch.
        assert!(get(other, "k").expect("read").is_some());
    }
    run(&mut raw, &["CONFIG", "SET", "maxmemory", "1"]);
    for target in [Target::Tag("t"), Target::Tag("t"), Target::All, Target::Tag("u"), Target::All] {
        for other in &others {
            ear.take();
            other.invalidate(target, Strength::Remove).wait().expect("struck");
            ear.is_told("everything");
        }
    }
    // What is forgotten takes no room: there is the name alone that is touched.
    assert_eq!(common::plain::names(&mut raw, "larder::{:order}*"), ["larder::{:order}:newest"]);
    // With room again, nothing of all that is there.
    run(&mut raw, &["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(get(&redis, "k").expect("read"), None);
    put_tagged(&redis, "k", "new", &["t"], None).expect("stored");
    others[0].invalidate(Target::Tag("t"), Strength::Remove).wait().expect("struck");
    ear.is_told("tag \"t\"");
    assert_eq!(get(&redis, "k").expect("read"), None);
}

/// Redis tells of it too, but after its answer: whoever waits for that must not find a copy any more. (What comes after an
/// answer the fake hands on with the next one.)
#[test]
fn what_is_given_another_end_here_is_told_when_that_is_done() {
    let server = Server::start(&[]);
    let (_fake, url) = fake::Fake::start(&server);
    let redis = handle_at(&url);
    put(&redis, "k", "v").expect("stored");
    let ear = Ear::to(&redis);
    for seconds in [30, 20, 10] {
        ear.take();
        assert!(redis.expire("k", Duration::from_secs(seconds)).wait().expect("done"));
        assert_eq!(ear.take(), ["key \"k\""]);
    }
}

/// Copies are believed for a while from when the channel was last known to stand, which is not when it was made.
fn loss_is_told_from_when_it_was_last_heard(redis: &Redis, end: impl FnOnce()) {
    let ear = Ear::to(redis);
    std::thread::sleep(Duration::from_secs(5));
    end();
    until("noticed", SOON, || ear.stands() == Some(false));
    let since = *ear.since.lock().expect("locked");
    assert!(since < Duration::from_secs(4), "{since:?}, though it is tried once a second");
}

#[test]
fn loss_is_told_from_when_redis_was_last_heard() {
    let mut server = Server::start(&[]);
    let redis = server.redis();
    loss_is_told_from_when_it_was_last_heard(&redis, || server.kill());
}

#[cfg(feature = "cluster")]
#[test]
fn loss_is_told_from_when_all_of_a_cluster_were_last_heard() {
    let mut nodes = nodes::Nodes::start(0);
    let redis = wait(nodes.builder().connect()).expect("a handle");
    loss_is_told_from_when_it_was_last_heard(&redis, || nodes.all[1].kill());
}

/// Not with the next beat: it is heard that the other side closes.
#[test]
fn a_connection_that_is_closed_is_noticed_at_once() {
    let server = Server::start(&[]);
    let redis = server.redis();
    let (ear, mut raw) = (Ear::to(&redis), server.raw());
    let mut noticed = || {
        ear.until_it_stands();
        let began = std::time::Instant::now();
        run(&mut raw, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        until("noticed", SOON, || ear.stands() == Some(false));
        began.elapsed()
    };
    // The next beat is a second after it stands. On a busy machine the best of some counts.
    let best = (0..4).map(|_| noticed()).min().expect("some");
    assert!(best < Duration::from_millis(500), "{best:?}");
}

/// One that is new has taken a slot, and nobody has lost a connection: it is asked to tell, too.
#[cfg(feature = "cluster")]
#[test]
fn a_new_server_of_a_cluster_tells() {
    let nodes = nodes::Nodes::start(1);
    let mut fourth = nodes.raw(3);
    let all: String = nodes::ask(&mut nodes.raw(0), &["CLUSTER", "NODES"]);
    let bus =
        all.lines().find(|line| line.contains("myself")).and_then(|line| line.split(['@', ' ', ',']).nth(2));
    run(&mut fourth, &["CLUSTER", "RESET", "SOFT"]);
    let port = nodes.ports[0].to_string();
    run(&mut fourth, &["CLUSTER", "MEET", "127.0.0.1", &port, bus.expect("its bus")]);
    until("all know it as a primary", Duration::from_secs(40), || {
        nodes.raws().iter_mut().all(|raw| {
            let all: String = nodes::ask(raw, &["CLUSTER", "NODES"]);
            all.lines().any(|line| line.starts_with(&nodes.ids[3]) && line.contains("master"))
        })
    });
    nodes.until_well();
    let handle = || wait(nodes.builder().connect()).expect("a handle");
    let (redis, other) = (handle(), handle());
    let (key, ear) = ("k", Ear::to(&redis));
    put(&other, key, "v").expect("stored");
    ear.is_told("key \"k\"");
    let has_it = |raw: &mut redis::Connection| common::plain::names(raw, "*:k:k").pop();
    let found = (0..3).find_map(|node| Some((node, has_it(&mut nodes.raw(node))?)));
    let (from, name) = found.expect("one of them has it");
    let slot = nodes::ask(&mut nodes.raw(0), &["CLUSTER", "KEYSLOT", &name]);
    nodes.move_slot(slot, from, 3);
    // It is looked around once a second.
    let began = std::time::Instant::now();
    let mut told = Vec::new();
    while !told.contains(&"key \"k\"".to_owned()) {
        assert!(began.elapsed() < SOON, "it never tells, but {told:?}");
        std::thread::sleep(Duration::from_millis(300));
        ear.take();
        if put(&other, key, "v").is_ok() && has_it(&mut fourth).is_some() {
            std::thread::sleep(Duration::from_millis(300));
            told = ear.take();
        }
    }
}
