//! What a cache tells through `tracing`.
#![cfg(feature = "tracing")]

mod listener;

use std::time::{Duration, Instant};

use larder::{Larder, Local, ManualClock, Memory, Policy, Target};
use listener::{Event, Listener};
use tracing::Level;

const MINUTE: Duration = Duration::from_secs(60);
const SECRET: &str = "hunter2";

fn larder(clock: &ManualClock) -> Larder {
    let memory = Memory::builder().capacity(100).clock(clock.clock()).build();
    Larder::builder().clock(clock.clock()).memory(memory).name("campus").build()
}

/// The events of `work`, in which no value may appear.
fn events(work: impl FnOnce(&Larder, &ManualClock)) -> Vec<Event> {
    let clock = ManualClock::new();
    let cache = larder(&clock);
    let events = Listener::of(Level::TRACE, |_| work(&cache, &clock));
    for event in &events {
        assert!(
            !event.message.contains(SECRET) && !event.fields.contains(SECRET),
            "a value is told: {event:?}"
        );
    }
    events
}

/// Each event's level and message, without the time that operations took.
fn told(events: &[Event]) -> Vec<(Level, &str)> {
    events.iter().map(|event| (event.level, event.untimed())).collect()
}

#[test]
fn reads_and_writes() {
    let events = events(|cache, _| {
        assert!(cache.get::<String>("user:42").wait().expect("reads").is_none());
        cache.set("user:42", SECRET.to_owned(), MINUTE).wait().expect("stores");
        assert!(cache.get::<String>("user:42").wait().expect("reads").is_some());
        assert!(cache.lookup::<String>("user:42").wait().expect("reads").is_some());
        assert!(!cache.set_if_absent("user:42", SECRET.to_owned(), MINUTE).wait().expect("stores"));
        cache.incr("visits", 7_654_321).wait().expect("counts");
        cache.set("name", SECRET.to_owned(), MINUTE).wait().expect("stores");
        cache.incr("name", 1).wait().expect_err("it is no counter");
        assert!(cache.expire("user:42", MINUTE).wait().expect("expires"));
        assert!(cache.delete("user:42").wait().expect("deletes"));
        assert!(!cache.delete("user:42").wait().expect("deletes"));
    });
    assert_eq!(
        told(&events),
        [
            (Level::TRACE, "GET user:42 MISS"),
            (Level::DEBUG, "SET user:42 OK"),
            (Level::TRACE, "GET user:42 HIT"),
            (Level::TRACE, "GET user:42 HIT"),
            (Level::DEBUG, "SET user:42 EXISTS"),
            (Level::DEBUG, "INCR visits OK"),
            (Level::DEBUG, "SET name OK"),
            (Level::DEBUG, "INCR name FAILED"),
            (Level::DEBUG, "EXPIRE user:42 OK"),
            (Level::DEBUG, "DELETE user:42 OK"),
            (Level::DEBUG, "DELETE user:42 NOTHING"),
        ]
    );
    for event in &events {
        let took = event.message.rsplit(' ').next().unwrap_or_default();
        assert!(took.ends_with("µs") || took.ends_with("ms"), "{took:?} is no time");
        assert!(event.fields.contains("cache=campus") && event.fields.contains("elapsed_us="), "{event:?}");
        assert_eq!(event.target, "larder");
    }
    assert!(events[0].fields.contains("key=user:42") && events[0].fields.contains("outcome=MISS"));
    assert!(events.iter().all(|event| !event.fields.contains("7654321")));
}

#[test]
fn invalidations() {
    let events = events(|cache, _| {
        cache.invalidate("user:42").wait().expect("invalidates");
        cache.invalidate_pattern("user:*").wait().expect("invalidates");
        cache.invalidate_tag("users").wait().expect("invalidates");
        cache.mark_stale(Target::Tag("users")).wait().expect("marks");
        cache.clear().wait().expect("clears");
    });
    let words = [
        "INVALIDATE key user:42 OK",
        "INVALIDATE pattern user:* OK",
        "INVALIDATE tag users OK",
        "MARK STALE tag users OK",
        "INVALIDATE all OK",
    ];
    assert_eq!(told(&events), words.map(|word| (Level::DEBUG, word)));
}

#[test]
fn loads_quick_slow_and_failed() {
    let events = events(|cache, clock| {
        let load = |key: &str, ms| {
            cache.get_or_compute(key, MINUTE, || {
                clock.advance(Duration::from_millis(ms));
                SECRET.to_owned()
            })
        };
        load("quick", 12);
        load("quick", 12);
        load("just", 1000);
        load("slow", 1500);
        let failed = cache.try_get_or_compute("failing", MINUTE, || Err::<String, _>(SECRET));
        assert_eq!(failed.expect_err("the loader failed"), SECRET);
        assert_eq!(cache.stats().slow_loads, 1);
    });
    assert_eq!(
        told(&events),
        [
            (Level::TRACE, "GET quick MISS"),
            (Level::DEBUG, "LOAD quick OK"),
            (Level::TRACE, "GET quick HIT"),
            (Level::TRACE, "GET just MISS"),
            (Level::DEBUG, "LOAD just OK"),
            (Level::TRACE, "GET slow MISS"),
            (Level::WARN, "LOAD slow SLOW 1.5s: slow, over 1.0s"),
            (Level::TRACE, "GET failing MISS"),
            (Level::INFO, "LOAD failing FAILED"),
        ]
    );
    assert_eq!(events[1].message, "LOAD quick OK 12.0ms");
    assert!(events[1].fields.contains("elapsed_us=12000"), "{:?}", events[1]);
}

#[test]
fn what_is_slow_can_be_chosen() {
    let clock = ManualClock::new();
    let cache = Larder::builder().clock(clock.clock()).slow_load(Duration::from_millis(5)).build();
    let events = Listener::of(Level::WARN, |_| {
        for ms in [5, 6] {
            let key = format!("takes:{ms}");
            cache.get_or_compute(&key, MINUTE, || clock.advance(Duration::from_millis(ms)));
        }
    });
    assert_eq!(told(&events), [(Level::WARN, "LOAD takes:6 SLOW 6.0ms: slow, over 5.0ms")]);
    assert_eq!(cache.stats().slow_loads, 1);
}

#[test]
fn stale_values() {
    let events = events(|cache, clock| {
        let policy = || Policy::ttl(MINUTE).sie(MINUTE);
        cache.set("user:42", SECRET.to_owned(), policy()).wait().expect("stores");
        clock.advance(MINUTE);
        cache.lookup::<String>("user:42").wait().expect("reads").expect("it is stale");
        let stood_in = cache.try_get_or_compute("user:42", policy(), || Err::<String, _>("down"));
        assert_eq!(*stood_in.expect("a stale value stands in"), SECRET);
    });
    assert_eq!(
        told(&events),
        [
            (Level::DEBUG, "SET user:42 OK"),
            (Level::TRACE, "GET user:42 STALE"),
            (Level::INFO, "LOAD user:42 FAILED"),
            (Level::TRACE, "GET user:42 STALE"),
        ]
    );
}

#[test]
fn a_value_that_was_changed_while_it_was_loaded() {
    let events = events(|cache, _| {
        cache.get_or_compute("user:42", MINUTE, || {
            cache.delete("user:42").wait().expect("deletes");
            SECRET.to_owned()
        });
        assert_eq!(cache.stats().fenced, 1);
    });
    assert_eq!(
        told(&events),
        [
            (Level::TRACE, "GET user:42 MISS"),
            (Level::DEBUG, "DELETE user:42 NOTHING"),
            (Level::DEBUG, "LOAD user:42 OK"),
            (Level::DEBUG, "LOAD user:42 FENCED: changed meanwhile, so its value is not stored"),
        ]
    );
}

#[tokio::test]
async fn a_batch_is_told_of_as_one_load() {
    let cache = larder(&ManualClock::new());
    let (dispatch, heard) = Listener::dispatch(Level::DEBUG);
    let guard = tracing::dispatcher::set_default(&dispatch);
    let found =
        cache.load_many(["a", "b", "c"], MINUTE, |_| async { Ok::<_, &str>(vec![("a", 1_u8)]) }).await;
    assert!(found.is_ok());
    let failed = cache.load_many(["d"], MINUTE, |_| async { Err::<Vec<(&str, u8)>, _>(SECRET) }).await;
    assert_eq!(failed, Err(SECRET));
    drop(guard);
    let events = heard.take();
    assert_eq!(told(&events), [(Level::DEBUG, "LOAD a and 2 more OK"), (Level::INFO, "LOAD d FAILED")]);
    assert_eq!((cache.stats().loads, cache.stats().load_failures), (2, 1));
}

#[test]
fn refreshes_in_the_background() {
    let events = events(|cache, clock| {
        let policy = || Policy::ttl(MINUTE).swr(MINUTE);
        cache.set("user:42", SECRET.to_owned(), policy()).wait().expect("stores");
        clock.advance(MINUTE);
        cache.get_or_compute("user:42", policy(), || SECRET.to_owned());
    });
    let told = told(&events);
    let refresh = (Level::DEBUG, "LOAD user:42 REFRESH: in the background");
    assert!(told.contains(&refresh) && told.contains(&(Level::TRACE, "GET user:42 STALE")), "{told:?}");
}

#[test]
fn callers_that_share_a_load() {
    let events = Listener::of(Level::TRACE, |dispatch| {
        let cache = larder(&ManualClock::new());
        let follower = |cache: &Larder| {
            tracing::dispatcher::with_default(dispatch, || {
                cache.get_or_compute("user:42", MINUTE, || SECRET.to_owned());
            });
        };
        std::thread::scope(|scope| {
            let give_up = Instant::now() + Duration::from_secs(20);
            cache.get_or_compute("user:42", MINUTE, || {
                scope.spawn(|| follower(&cache));
                while cache.stats().coalesced == 0 && Instant::now() < give_up {
                    std::thread::yield_now();
                }
                SECRET.to_owned()
            });
        });
        assert_eq!(cache.stats().loads, 1);
    });
    assert_eq!(
        told(&events),
        [
            (Level::TRACE, "GET user:42 MISS"),
            (Level::TRACE, "GET user:42 MISS"),
            (Level::TRACE, "GET user:42 COALESCED"),
            (Level::DEBUG, "LOAD user:42 OK"),
        ]
    );
}

#[test]
fn what_a_load_went_on_without() {
    let events = events(|cache, _| {
        cache.get_or_compute("bad\nkey", MINUTE, || SECRET.to_owned());
        cache.set("name", SECRET.to_owned(), MINUTE).wait().expect("stores");
        cache.get_or_compute("name", MINUTE, || Local(SECRET.len()));
    });
    let warned: Vec<_> = events.iter().filter(|event| event.level == Level::WARN).collect();
    assert_eq!(warned.len(), 2, "{events:?}");
    assert!(warned[0].message.starts_with("went on without the cache: "), "{warned:?}");
    assert!(warned[0].fields.contains("kind=InvalidKey") && warned[1].fields.contains("kind=TypeMismatch"));
    assert!(events.iter().all(|event| !event.message.contains('\n')), "{events:?}");
    assert!(told(&events).contains(&(Level::TRACE, "GET bad\\nkey MISS")));
}

/// Of ten keys that cannot be read, fenced or stored, one is told of.
#[cfg(feature = "testing")]
#[test]
fn a_backend_that_cannot_be_used_is_told_of_once() {
    use std::sync::Arc;

    use larder::Engine;
    use larder::testing::{Faulty, Op, Plain};

    let clock = ManualClock::new();
    let faulty = Arc::new(Faulty::new(Plain::new(clock.clock())));
    let cache = Engine::builder().clock(clock.clock()).name("campus").build(faulty.clone());
    let loads = |name: &str| {
        for number in 0..10 {
            cache.get_or_compute(format!("{name}:{number}"), MINUTE, || SECRET.to_owned());
        }
    };
    let events = Listener::of(Level::DEBUG, |_| {
        loads("well");
        for ops in [&[Op::Get, Op::Fence][..], &[Op::Set]] {
            ops.iter().for_each(|op| faulty.fail(*op));
            loads("down");
            faulty.heal();
            loads("up");
            cache.clear().wait().expect("cleared");
        }
    });
    let level = |level| {
        let those = events.iter().filter(|event| event.level == level);
        those.map(|event| &*event.message).collect::<Vec<_>>()
    };
    let (warned, informed) = (level(Level::WARN), level(Level::INFO));
    assert_eq!(warned.len(), 2, "{warned:?}");
    assert!(
        warned.iter().all(|it| it.starts_with("the backend cannot be used, so loads go on without it: "))
    );
    assert_eq!(informed, ["the backend can be used again"; 2]);
    let without =
        level(Level::DEBUG).iter().filter(|it| it.starts_with("went on without the cache: ")).count();
    assert_eq!((without, cache.stats().errors), (28, 30), "each is counted, and told of at DEBUG");
}
