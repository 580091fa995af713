//! The contract, over the backends and wrappers of this crate.

use std::sync::Arc;

use cache_core::testing::conformance::{self, Subject};
use cache_core::testing::{Faulty, Plain, Remote};
use cache_core::wire::{Codec, Format};
use cache_core::{Cache, Engine, ManualClock};

fn keeps_the_contract(cache: impl FnOnce(&ManualClock) -> Arc<dyn Cache>) {
    let clock = ManualClock::new();
    let cache = cache(&clock);
    conformance::run(&Subject { cache: &*cache, advance: &|by| clock.advance(by) });
}

#[test]
fn plain() {
    keeps_the_contract(|clock| Arc::new(Plain::new(clock.clock())));
}

#[test]
fn always_pending_through_a_codec() {
    keeps_the_contract(|clock| Arc::new(Remote::new(Plain::new(clock.clock()))));
}

#[test]
fn through_every_codec_compressed() {
    for codec in [Codec::Postcard, Codec::Json, Codec::Bincode] {
        let format = Format::new(codec).compress_above(0);
        keeps_the_contract(|clock| Arc::new(Remote::new(Plain::new(clock.clock())).format(format)));
    }
}

#[test]
fn namespaced() {
    keeps_the_contract(|clock| {
        let builder = Engine::builder().clock(clock.clock()).namespace("a[b]*").expect("valid");
        builder.build(Arc::new(Plain::new(clock.clock()))).backend().clone()
    });
}

#[test]
fn wrappers_hand_everything_on() {
    conformance::run_wrapper(|behind| Arc::new(Faulty::new(behind)));
    conformance::run_wrapper(|behind| {
        cache_core::namespaced("campus", Arc::new(behind)).expect("a namespace")
    });
}
