//! A thousand callers on each of four processes ask for what nobody has: it is loaded once.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use larder::{Larder, Memory, Policy, Redis, Tiered, ttl};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::common::{Server, until, wait};
use crate::fleet::{self, Fleet, said};
use crate::node::{Orders, Place};
use crate::source::Source;

const NODES: usize = 4;
const CALLERS: usize = 1000;
const ROUNDS: usize = 5;
/// All have come by then, as a rule; who comes later finds it in Redis.
const LOAD: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn four_thousand_callers_in_four_processes_load_once() {
    let server = Server::start(&[]);
    let mut fleet =
        Fleet::start("stampede::process", vec![Place::One(server.url()); NODES], fastrand::u64(..), None);
    let source = Source::new(&fleet.dir, ROUNDS);
    fleet.until_all_are("ready");
    for round in 0..ROUNDS {
        fs::write(fleet.dir.join(format!("go-{round}")), "").expect("written");
        fleet.until_all_are(&format!("done-{round}"));
        assert_eq!(source.version(round), 1, "loads in round {round}");
    }
    assert_eq!(fleet.end(), [""; 0]);
    fleet::remove(&fleet.dir);
}

#[test]
#[ignore = "started by the test above"]
fn process() {
    let Some(orders) = Orders::given() else { return };
    let Place::One(url) = &orders.place else { panic!("one Redis") };
    // Patient: who gets no answer from Redis loads by himself.
    let redis = Redis::builder(url).response_timeout(PATIENCE).operation_timeout(PATIENCE);
    let near = Arc::new(Memory::builder().capacity(1000).build());
    let redis = Arc::new(wait(redis.connect()).expect("a handle"));
    let cache = Larder::over(Tiered::builder(near, redis).build());
    // Loads that are under way when the channel is made are joined by nobody.
    until("told", PATIENCE, || cache.health().wait().is_ok_and(|health| health.troubles.is_empty()));
    let (runtime, node) =
        (Builder::new_current_thread().enable_all().build().expect("a runtime"), orders.who.node);
    let say = |what: &str| fs::write(said(&orders.dir, what, node), "").expect("written");
    say("ready");
    for round in 0..ROUNDS {
        until("the start", PATIENCE, || orders.dir.join(format!("go-{round}")).exists());
        let versions = ask(&runtime, &cache, &orders.dir, round);
        say(&format!("done-{round}"));
        assert!(versions.iter().all(|version| *version == 1), "somebody got what another load brought");
    }
}

fn ask(runtime: &Runtime, cache: &Larder, dir: &Path, round: usize) -> Vec<u64> {
    let caller = |_| {
        let (cache, source) = (cache.clone(), Source::new(dir, ROUNDS));
        async move {
            let load = move || async move {
                let version = source.change(round);
                tokio::time::sleep(LOAD).await;
                version
            };
            *cache.get_or_load(format!("k:{round}"), Policy::ttl(ttl::LONG), load).await
        }
    };
    runtime.block_on(async { (0..CALLERS).map(caller).collect::<JoinSet<_>>().join_all().await })
}
