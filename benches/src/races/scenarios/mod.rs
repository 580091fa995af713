//! The scenarios: one function each, over any library.
//!
//! Old values are [`OLD`], new ones [`NEW`]: whoever reads `OLD` where the function says that it is gone, reads stale.

mod deadlines;
mod fills;
mod keys;
mod leaders;
mod staleness;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::library::{Library, Windows};
use super::verdict::{Stop, Verdict};

const OLD: u64 = 1;
const NEW: u64 = 2;

/// Short windows, for time that passes really: no peer has a clock that can be turned.
pub const WINDOWS: Windows =
    Windows { ttl: Duration::from_millis(100), swr: Duration::ZERO, sie: Duration::ZERO };

type Run = fn(Arc<dyn Library>) -> Pin<Box<dyn Future<Output = Result<Verdict, Stop>> + Send>>;

/// One row of the table.
pub struct Scenario {
    /// What happens, in a few words.
    pub name: &'static str,
    /// Where it was found: traps (t) and holes (h) of the research on other caches.
    pub found: &'static str,
    pub(super) run: Run,
}

macro_rules! scenarios {
    ($($name:literal, $found:literal, $module:ident :: $run:ident;)*) => {
        &[$(Scenario { name: $name, found: $found, run: |library| Box::pin($module::$run(library)) }),*]
    };
}

/// All of them.
pub const SCENARIOS: &[Scenario] = scenarios! {
    "nothing happens while a load is in flight", "-", fills::undisturbed;
    "the key is removed while its load is in flight", "t1, h1, h11, h16", fills::removed;
    "everything is cleared while a load is in flight", "t1", fills::cleared;
    "a pattern or predicate covers a key whose load is in flight", "t1", fills::prefix_removed;
    "a tag is invalidated while a load that bears it is in flight", "h9, h11", fills::tag_removed;
    "a newer value is set while a load is in flight", "t1", fills::overwritten;
    "the key is set, then removed, while a load is in flight", "t1", fills::set_and_removed;
    "a reader comes after the removal, with the old load still in flight", "t2", fills::late_reader;
    "a load runs on in the background when its key is removed", "h13", fills::background;
    "a tag is invalidated while a refresh runs in the background", "h2", staleness::refreshed;
    "five callers at once on a missing key", "h14", leaders::herd;
    "five callers share a load that fails", "t6", leaders::failure;
    "the caller who loads is cancelled", "t6, h12b", leaders::cancelled;
    "one who waits for a load is cancelled", "h12b", leaders::follower_cancelled;
    "the loader panics while another caller waits", "t6", leaders::panics;
    "the caller who loads is not polled any more", "t6", leaders::unpolled;
    "one key in two caches, both loading", "t8", leaders::two_caches;
    "an entry of 100 ms is set anew for a minute", "t9", deadlines::lengthened;
    "an entry of a minute is set anew for 100 ms", "t9", deadlines::shortened;
    "a TTL of zero", "t9", deadlines::zero;
    "a TTL of Duration::MAX", "t9", deadlines::longest;
    "arguments `a:b`, `c` and `a`, `b:c` of one key template", "t10", keys::collide;
    "an argument `*` in a pattern made from a template", "t10", keys::widen;
    "loads fail for longer than the stale-if-error window", "t12", staleness::bounded;
    "five callers find a stale value; the first is cancelled while it is refreshed", "t14", staleness::refresh_survives;
};

/// `old` reads stale, everything in `good` is right.
fn judge(who: &str, got: Option<u64>, good: &[Option<u64>]) -> Verdict {
    let shown = got.map_or("nothing".to_owned(), |value| {
        if value == OLD { "the old value".into() } else { "the new value".into() }
    });
    if good.contains(&got) {
        Verdict::Correct
    } else if got == Some(OLD) {
        Verdict::Stale(format!("{who} gets {shown}"))
    } else {
        Verdict::Wrong(format!("{who} gets {shown}"))
    }
}
