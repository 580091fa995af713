//! What a node knows of how true its memory is, over a real Redis.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use cache_core::{Cache, Lifetime, Origin, Set, Value};
use larder::{Coherence, Larder, Memory, Policy, Target, ttl};

use crate::common::plain::SOON;
use crate::common::{Server, until};
use crate::fleet::{get, warm};
use crate::{hasty, node};

fn known(cache: &Larder) -> Coherence {
    cache.stats().coherence
}

/// A node that compares whatever it can, and believes its memory for two seconds in all that it cannot know of.
fn watched(server: &Server) -> (Larder, Memory) {
    let memory = Memory::builder().capacity(1_000).build();
    let builder = Larder::builder().memory(memory.clone()).redis(server.redis());
    (builder.cut_off_ttl(Duration::ZERO).sampler(Duration::from_millis(1)).build(), memory)
}

#[test]
fn changes_are_counted_by_who_makes_them_and_by_who_is_told() {
    let server = Server::start(&[]);
    let (one, other) = (node(&server), node(&server));
    one.set("k", 1_u32, Policy::ttl(ttl::LONG).tags(["t"])).wait().expect("stored");
    warm(&other, "k");
    let before = known(&one).notices_sent;
    assert_eq!(before, 1);
    let changes: [&dyn Fn(); 7] = [
        &|| one.set("k", 2_u32, ttl::LONG).wait().expect("stored"),
        &|| assert!(one.expire("k", ttl::SHORT).wait().expect("given")),
        &|| one.mark_stale(Target::Key("k")).wait().expect("marked"),
        &|| one.invalidate_tag("t").wait().expect("struck"),
        &|| assert_eq!(one.incr("n", 1).wait().expect("counted"), 1),
        &|| assert!(one.delete("n").wait().expect("deleted")),
        &|| assert_eq!(*one.get_or_compute("loaded", ttl::LONG, || 1_u32), 1),
    ];
    for (made, change) in (1..).zip(changes) {
        let told = known(&other).notices_received;
        change();
        assert_eq!(known(&one).notices_sent, before + made, "change {made}");
        until("told", SOON, || known(&other).notices_received > told);
    }
    let sent = known(&one).notices_sent;
    assert!(!one.delete("nobody").wait().expect("asked"));
    get(&one, "nobody");
    assert_eq!(known(&one).notices_sent, sent, "nothing was changed");
    assert_eq!(known(&other).notices_sent, 0);
}

#[test]
fn a_break_is_a_gap_and_time_behind() {
    let mut server = Server::start(&[]);
    let (cache, other) = (hasty(&server), node(&server));
    let second = Duration::from_secs(1);
    until("it stands", SOON, || {
        other.set("k", 1_u32, ttl::LONG).wait().expect("stored");
        known(&cache).notices_received > 0
    });
    until("up to date", SOON, || known(&cache).behind < second);
    assert_eq!((known(&cache).gaps, known(&cache).reconnects), (0, 0));
    server.kill();
    until("behind", SOON, || known(&cache).behind > second * 2);
    server.restart();
    until("up to date again", SOON, || known(&cache).behind < second);
    let health = cache.health().wait().expect("told");
    let told = (health.coherence.gaps, health.coherence.reconnects);
    assert!(told.0 >= 1 && told.1 >= 1, "{told:?}");
    assert_eq!(health.remote.map(|remote| remote.reconnects), Some(told.1));
}

/// As a reader leaves it that fills memory without a fence.
#[test]
fn what_should_not_be_in_memory_is_found() {
    let server = Server::start(&[]);
    let ((cache, memory), other) = (watched(&server), node(&server));
    other.set("k", 1_u32, ttl::LONG).wait().expect("stored");
    until("compared", SOON, || get(&cache, "k") == Some(1) && known(&cache).compared > 0);
    other.set("k", 2_u32, ttl::LONG).wait().expect("stored");
    until("told", SOON, || get(&cache, "k") == Some(2));
    assert_eq!(known(&cache).disagreed, 0);
    let hour = Lifetime { fresh: ttl::LONG, total: ttl::LONG };
    let origin = Origin { age: ttl::SHORT, ..Origin::default() };
    let old = Set { origin, ..Set::new(hour) };
    memory.set("k", Value::new(Arc::new(1_u32)), old).wait().expect("kept");
    let served = Cell::new(0);
    until("found", SOON * 3, || {
        served.set(served.get() + u32::from(get(&cache, "k") == Some(1)));
        known(&cache).disagreed == 1
    });
    assert!(served.get() > 0, "it was served until then");
    assert_eq!(get(&cache, "k"), Some(2));
    let troubles = cache.health().wait().expect("told").troubles;
    assert!(troubles.iter().any(|why| why.contains("differed from the store behind")), "{troubles:?}");
}

#[test]
fn under_load_nothing_is_found() {
    let server = Server::start(&[]);
    let ((cache, _), (other, _)) = (watched(&server), watched(&server));
    let round = Cell::new(0_u32);
    until("compared", SOON * 3, || {
        round.set(round.get() + 1);
        let key = format!("k:{}", round.get() % 7);
        match round.get() % 50 {
            0 => other.set(&key, round.get(), ttl::LONG).wait().expect("stored"),
            17 => cache.invalidate(&*key).wait().expect("struck"),
            33 => other.invalidate_pattern("k:*").wait().expect("struck"),
            _ => {}
        }
        cache.get_or_compute(&key, ttl::LONG, || 1_u32);
        other.get_or_compute(&key, ttl::LONG, || 1_u32);
        known(&cache).compared >= 30 && known(&other).compared >= 30
    });
    assert_eq!((known(&cache).disagreed, known(&other).disagreed), (0, 0));
}
