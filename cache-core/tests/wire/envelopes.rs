//! What an envelope says beside its value.

use std::sync::Arc;
use std::time::Duration;

use cache_core::wire::{self, Envelope, Format, Header, Order};
use cache_core::{Lifetime, Origin, Tiers, Value};

use crate::student::{self, CODECS, ada, decode, encode};
use crate::{entry, plain, value};

/// Others keep it out of their memory too.
#[test]
fn what_is_not_for_memory_says_so() {
    for tiers in [Tiers::Both, Tiers::L2] {
        let origin = Origin { tiers, ..Origin::default() };
        let header = Header { order: student::ORDER, lifetime: Lifetime::FOREVER, origin, tags: &[] };
        // Long enough to be compressed: that is a flag too.
        let value = Value::new(Arc::new("larder ".repeat(1_000)));
        let bytes = wire::encode(&value, &header, &Format::default()).expect("encodes");
        assert_eq!(Envelope::read(&bytes).expect("reads").origin, origin);
    }
}

#[test]
fn an_envelope_says_what_it_was_told() {
    for codec in CODECS {
        let bytes = encode(&ada(), &plain(codec)).expect("encodes");
        let envelope = Envelope::read(&bytes).expect("reads");
        assert_eq!((envelope.order, envelope.codec), (student::ORDER, codec));
        assert_eq!(envelope.lifetime, student::lifetime());
        assert_eq!(
            envelope.origin,
            Origin { cost: Duration::from_millis(25), version: 3, ..Origin::default() }
        );
        assert_eq!(envelope.kind(), "wire::student::Student");
        assert_eq!(envelope.tags().collect::<Vec<_>>(), ["students", "école:7"]);
        assert_eq!(decode(&bytes, &plain(codec)).expect("decodes"), Some(ada()));
        assert!(!format!("{envelope:?}").contains("Ada"), "no value in Debug");
    }
}

#[test]
fn the_order_can_be_set_later() {
    let mut bytes = entry(5_u8, &Format::default()).expect("encodes");
    let order = Order { incarnation: u64::MAX, sequence: 1 };
    wire::set_order(&mut bytes, order);
    assert_eq!(Envelope::read(&bytes).expect("reads").order, order);
    assert_eq!(*value::<u8>(&bytes), 5);
}

#[test]
fn lifetimes_are_whole_milliseconds_and_for_ever_stays_for_ever() {
    let [ms, long] = [Duration::from_millis(1), Duration::from_secs(u64::MAX / 1000 - 5)];
    for (fresh, total, read) in [
        (Duration::from_nanos(1), Duration::from_nanos(1), (ms, ms)),
        (ms, ms * 3, (ms, ms * 3)),
        (ms, Duration::MAX, (ms, Duration::MAX)),
        (Duration::MAX, Duration::MAX, (Duration::MAX, Duration::MAX)),
        (long, long, (long, long)),
    ] {
        let lifetime = Lifetime { fresh, total };
        let header = Header { order: Order::default(), lifetime, origin: Origin::default(), tags: &[] };
        let bytes = wire::encode(&Value::new(Arc::new(1_u8)), &header, &Format::default()).expect("encodes");
        let found = Envelope::read(&bytes).expect("reads").lifetime;
        assert_eq!((found.fresh, found.total), read);
    }
}

#[test]
fn the_age_is_told_by_what_is_left() {
    let ms = Duration::from_millis;
    let told = |fresh, total, left| {
        let lifetime = Lifetime { fresh, total };
        let header = Header { order: Order::default(), lifetime, origin: Origin::default(), tags: &[] };
        let bytes = wire::encode(&Value::new(Arc::new(1_u8)), &header, &Format::default()).expect("encodes");
        Envelope::read(&bytes)
            .expect("reads")
            .left(left)
            .map(|aged| (aged.left.fresh, aged.left.total, aged.stale_for, aged.age))
    };
    assert_eq!(told(ms(100), ms(150), ms(150)), Some((ms(100), ms(150), ms(0), ms(0))));
    assert_eq!(told(ms(100), ms(150), ms(60)), Some((ms(10), ms(60), ms(0), ms(90))));
    assert_eq!(told(ms(100), ms(150), ms(20)), Some((ms(0), ms(20), ms(30), ms(130))));
    assert_eq!(told(ms(100), ms(150), ms(0)), None, "expired");
    assert_eq!(told(ms(100), ms(150), ms(151)), None, "somebody lengthened it");
    let century = ms(wire::expiry(Lifetime::FOREVER));
    assert_eq!(century, Duration::from_secs(100 * 365 * 86_400));
    let max = Duration::MAX;
    assert_eq!(told(max, max, century - ms(5)), Some((max, max, ms(0), ms(5))));
    assert_eq!(told(ms(3), max, century - ms(5)), Some((ms(0), max, ms(2), ms(5))));
}
