//! The contract of a cache, and the model, over both tiers.

use std::sync::Arc;
use std::time::Duration;

use larder::testing::conformance::{self, Subject};
use larder::testing::model;
use larder::{ManualClock, Memory, Tiered};

use crate::common::{Server, wait};
use crate::tiers;
use crate::travel::Travelling;

const LONG: Duration = Duration::from_secs(1_000_000_000);

fn tiered(server: &Server, clock: &ManualClock) -> Tiered {
    let redis = wait(server.builder().max_load(LONG).connect()).expect("a handle");
    let near = Memory::builder().capacity(10_000).clock(clock.clock()).build();
    let far = Travelling::new(redis, vec![server.raw()], clock);
    Tiered::builder(Arc::new(near), Arc::new(far)).clock(clock.clock()).build()
}

#[test]
fn two_tiers_keep_the_contract() {
    let (server, clock) = (Server::start(&[]), ManualClock::new());
    let cache = tiered(&server, &clock);
    conformance::run(&Subject { cache: &cache, advance: &|by| clock.advance(by) });
}

#[test]
fn in_real_time() {
    let server = Server::start(&[]);
    let cache = tiers(server.redis()).build();
    conformance::run_in_real_time(&cache);
}

#[test]
fn two_tiers_do_what_the_plain_backend_does() {
    let server = Server::start(&[]);
    model::run(100, |clock| {
        redis::cmd("FLUSHALL").exec(&mut server.raw()).expect("flushed");
        tiered(&server, clock)
    });
}
