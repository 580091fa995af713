//! The contract, over a real Redis: bare, in a namespace of the engine's, and in real time.

mod common;
#[path = "common/travel.rs"]
mod travel;

use std::sync::Arc;
use std::time::Duration;

use cache_core::testing::conformance::{self, Subject};
use cache_core::testing::model;
use cache_core::{Cache, Engine, ManualClock};
use common::{Server, wait};
use travel::Travelling;

const LONG: Duration = Duration::from_secs(1_000_000_000);

fn travelling(server: &Server, clock: &ManualClock) -> Travelling {
    let redis = wait(server.builder().max_load(LONG).connect()).expect("a handle");
    Travelling::new(redis, vec![server.raw()], clock)
}

fn keeps_the_contract(cache: &dyn Cache, clock: &ManualClock) {
    conformance::run(&Subject { cache, advance: &|by| clock.advance(by) });
}

#[test]
fn redis_keeps_the_contract() {
    let (server, clock) = (Server::start(&[]), ManualClock::new());
    keeps_the_contract(&travelling(&server, &clock), &clock);
}

#[test]
fn in_real_time() {
    let server = Server::start(&[]);
    conformance::run_in_real_time(&server.redis());
}

#[test]
fn namespaced() {
    let (server, clock) = (Server::start(&[]), ManualClock::new());
    let builder = Engine::builder().clock(clock.clock()).namespace("a[b]*").expect("valid");
    let engine = builder.build(Arc::new(travelling(&server, &clock)));
    keeps_the_contract(&**engine.backend(), &clock);
}

#[test]
fn does_what_the_plain_backend_does() {
    let server = Server::start(&[]);
    model::run(150, |clock| {
        redis::cmd("FLUSHALL").exec(&mut server.raw()).expect("flushed");
        travelling(&server, clock)
    });
}
