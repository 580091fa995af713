//! What the simulation (`simulation/`) has found, over a real Redis.

use larder::{Larder, Policy, ttl};

use crate::common::Server;
use crate::common::plain::SOON;
use crate::common::until;
use crate::fleet::{get, warm};
use crate::node;

/// The word of it was taken for the echo of the load that had left nothing there, as nothing was there.
#[test]
fn a_copy_of_what_was_set_after_a_void_load_goes_with_it() {
    let server = Server::start(&[]);
    let (one, other) = (node(&server), node(&server));
    let value = *one.get_or_compute("k", Policy::ttl(ttl::LONG).in_caller(), || {
        other.invalidate("k").wait().expect("struck");
        1_u32
    });
    assert_eq!(value, 1);
    one.set("k", 2_u32, ttl::LONG).wait().expect("stored");
    warm(&one, "k");
    other.invalidate("k").wait().expect("struck");
    until("heard", SOON, || get(&one, "k").is_none());
}

/// Another process begins a new epoch, and sets the key. What is set later, by somebody who does not know of that yet, was
/// not stored, and the older value stayed.
#[test]
fn what_is_set_in_an_epoch_that_is_over_takes_away_what_was_set_before_it() {
    let server = Server::start(&[]);
    let (one, other) = (node(&server), node(&server));
    let sets: [(&str, &dyn Fn(&Larder, u32)); 2] = [
        ("plain", &|cache, value| cache.set("k", value, ttl::LONG).wait().expect("stored")),
        ("tagged", &|cache, value| {
            cache.set("k", value, Policy::ttl(ttl::LONG).tags(["t"])).wait().expect("stored");
        }),
    ];
    for (how, set) in sets {
        set(&one, 1);
        assert_eq!(get(&one, "k"), Some(1), "{how}");
        other.clear().wait().expect("cleared");
        set(&other, 2);
        set(&one, 3);
        for cache in [&one, &other] {
            assert_ne!(get(cache, "k"), Some(1), "{how}: cleared");
            until(how, SOON, || get(cache, "k") != Some(2));
        }
        // The next one is stored as ever.
        set(&one, 4);
        until(how, SOON, || get(&other, "k") == Some(4));
    }
}
