//! Wrappers: what comes in at the front reaches what is behind, the methods too that have a provided body.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use super::text;
use crate::cache::Cache;
use crate::connection::Connection;
use crate::deadline::Lifetime;
use crate::entry::{Entry, Set, Stored, Usage};
use crate::fence::Fence;
use crate::lease::{Ended, Lease};
use crate::listener::{Listener, Notices};
use crate::reply::Reply;
use crate::target::{Strength, Target};
use crate::token::Token;
use crate::value::{Kind, Value};

/// A backend that holds nothing, and takes note of what it is asked: for [`run_wrapper`]. Clones share their notes.
#[derive(Clone, Debug, Default)]
pub struct Noting(Arc<Mutex<Vec<String>>>);

/// Calls each method of a wrapper that hands everything on, around what `wrap` is given, and looks whether it got there. So a
/// fence that is never given back is seen, and a lease that nobody ends, which no caller of the wrapper is told of.
///
/// It is not for one that answers some of what it is asked by itself, and does not look at answers: those of `get`, `set` and the
/// like are for [`run`](super::run).
///
/// ```
/// use larder::testing::{Faulty, conformance};
/// use std::sync::Arc;
///
/// conformance::run_wrapper(|behind| Arc::new(Faulty::new(behind)));
/// ```
///
/// # Panics
/// If there is a call that does not get there as it was made, naming each.
pub fn run_wrapper(wrap: impl FnOnce(Noting) -> Arc<dyn Cache>) {
    let behind = Noting::default();
    let wrapper = wrap(behind.clone());
    let lost = CALLS.iter().filter_map(|(call, make)| {
        behind.0.lock().clear();
        make(&*wrapper);
        let noted = behind.0.lock();
        (!noted.iter().any(|note| note == call)).then(|| format!("- {call}: what got there is {noted:?}"))
    });
    let lost: Vec<_> = lost.collect();
    assert!(lost.is_empty(), "the wrapper does not hand on what it is asked:\n{}", lost.join("\n"));
}

const KEY: &str = "wrapped";
const MINUTE: Duration = Duration::from_secs(60);
const FENCE: Fence = Fence { incarnation: 7, sequence: 8, lease: 9 };

type Call = (&'static str, fn(&dyn Cache));

/// Each call, as it is to be noted.
const CALLS: [Call; 25] = [
    ("fresh", |cache| drop(cache.fresh(KEY))),
    ("get", |cache| made(cache.get(KEY, Kind::of::<String>()))),
    ("confirmed", |cache| made(cache.confirmed(KEY, Kind::of::<String>()))),
    ("ttl", |cache| made(cache.ttl(KEY))),
    ("set", |cache| made(cache.set(KEY, text("value"), Set::new(Lifetime::FOREVER)))),
    ("set with the fence", |cache| {
        let fence = Some(fence_of(cache));
        made(cache.set(KEY, text("value"), Set { fence, ..Set::new(Lifetime::FOREVER) }));
    }),
    ("delete", |cache| made(cache.delete(KEY))),
    ("invalidate Remove", |cache| made(cache.invalidate(Target::Key(KEY), Strength::Remove))),
    ("invalidate MarkStale", |cache| made(cache.invalidate(Target::Tag(KEY), Strength::MarkStale))),
    ("expire", |cache| made(cache.expire(KEY, MINUTE))),
    ("incr", |cache| made(cache.incr(KEY, 1, Lifetime::FOREVER))),
    ("fence", |cache| made(cache.fence(KEY))),
    ("lease, retrying: false", |cache| made(cache.lease(KEY, false))),
    ("lease, retrying: true", |cache| made(cache.lease(KEY, true))),
    ("release of the fence", |cache| cache.release(KEY, fence_of(cache))),
    ("settle of the fence, Somehow", |cache| cache.settle(KEY, fence_of(cache), Ended::Somehow)),
    ("settle of the fence, Failed", |cache| cache.settle(KEY, lease_of(cache), Ended::Failed)),
    ("listen", |cache| {
        let nobody: Arc<dyn Listener> = Arc::new(Nobody);
        cache.listen(Arc::downgrade(&nobody));
    }),
    ("acknowledged", |cache| made(cache.acknowledged())),
    ("token", |cache| made(cache.token())),
    ("read_after", |cache| made(cache.read_after(&Token::new(1, 2)))),
    ("troubles", |cache| made(cache.troubles())),
    ("remote", |cache| drop(cache.remote())),
    ("close", |cache| made(cache.close(MINUTE))),
    ("usage", |cache| {
        cache.usage();
    }),
];

/// Whatever it answers.
fn made<T>(reply: Reply<'_, T>) {
    drop(reply.wait());
}

fn fence_of(cache: &dyn Cache) -> Fence {
    super::ok(cache.fence(KEY))
}

fn lease_of(cache: &dyn Cache) -> Fence {
    match super::ok(cache.lease(KEY, false)) {
        Lease::Mine(fence) | Lease::LookAgain(fence) => fence,
        Lease::Theirs(_) => panic!("the lease was given, and the wrapper says that somebody else has it"),
    }
}

struct Nobody;

impl Listener for Nobody {
    fn changed(&self, _: Target<'_>, _: Strength) {}

    fn cut_off(&self, _: Duration) {}

    fn restored(&self) {}
}

impl Noting {
    fn note(&self, call: impl Into<String>) {
        self.0.lock().push(call.into());
    }
}

/// `fence`, if it is the one that is given to everybody.
fn which(fence: Fence) -> &'static str {
    if fence == FENCE { "the fence" } else { "another fence" }
}

#[deny(clippy::missing_trait_methods)]
impl Cache for Noting {
    fn fresh(&self, _: &str) -> Option<Value> {
        self.note("fresh");
        None
    }

    fn get(&self, _: &str, _: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.note("get");
        Reply::ready(None)
    }

    fn confirmed(&self, _: &str, _: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.note("confirmed");
        Reply::ready(None)
    }

    fn ttl(&self, _: &str) -> Reply<'_, Option<Lifetime>> {
        self.note("ttl");
        Reply::ready(None)
    }

    fn set(&self, _: &str, _: Value, options: Set<'_>) -> Reply<'_, Stored> {
        self.note(options.fence.map_or("set".to_owned(), |fence| format!("set with {}", which(fence))));
        Reply::ready(Stored::Yes)
    }

    fn delete(&self, _: &str) -> Reply<'_, bool> {
        self.note("delete");
        Reply::ready(false)
    }

    fn invalidate(&self, _: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        self.note(format!("invalidate {strength:?}"));
        Reply::ready(())
    }

    fn expire(&self, _: &str, _: Duration) -> Reply<'_, bool> {
        self.note("expire");
        Reply::ready(false)
    }

    fn incr(&self, _: &str, delta: i64, _: Lifetime) -> Reply<'_, i64> {
        self.note("incr");
        Reply::ready(delta)
    }

    fn fence(&self, _: &str) -> Reply<'_, Fence> {
        self.note("fence");
        Reply::ready(FENCE)
    }

    fn lease(&self, _: &str, retrying: bool) -> Reply<'_, Lease> {
        self.note(format!("lease, retrying: {retrying}"));
        Reply::ready(Lease::Mine(FENCE))
    }

    fn release(&self, _: &str, fence: Fence) {
        self.note(format!("release of {}", which(fence)));
    }

    fn settle(&self, _: &str, fence: Fence, ended: Ended) {
        self.note(format!("settle of {}, {ended:?}", which(fence)));
    }

    fn listen(&self, _: Weak<dyn Listener>) -> Notices {
        self.note("listen");
        Notices::Needless
    }

    fn acknowledged(&self) -> Reply<'_, ()> {
        self.note("acknowledged");
        Reply::ready(())
    }

    fn token(&self) -> Reply<'_, Token> {
        self.note("token");
        Reply::ready(Token::default())
    }

    fn read_after(&self, _: &Token) -> Reply<'_, ()> {
        self.note("read_after");
        Reply::ready(())
    }

    fn troubles(&self) -> Reply<'_, Vec<String>> {
        self.note("troubles");
        Reply::ready(Vec::new())
    }

    fn remote(&self) -> Option<Connection> {
        self.note("remote");
        None
    }

    fn close(&self, _: Duration) -> Reply<'_, u64> {
        self.note("close");
        Reply::ready(0)
    }

    fn usage(&self) -> Usage {
        self.note("usage");
        Usage::default()
    }
}
