//! Cached functions: what the attribute costs on a hit, beside that of `cached`.
//!
//! larder's key is always a string, made of the arguments anew on each call; `cached`'s is the arguments themselves: a
//! `u64`, or a `String` that each call makes of its `&str`.

mod cached;
mod larder;

use crate::contender::{Lap, Profile};
use crate::contenders::block_on;
use crate::race::Entrant;
use crate::workload::Stream;

/// The entrant whose times the others' are divided by.
pub const REFERENCE: &str = "cached, u64, `Arc`";

/// What a function is called with.
#[derive(Clone, Copy)]
pub struct Argument<'k> {
    id: u64,
    name: &'k str,
}

/// The arguments of a stream's visits.
pub fn arguments(stream: &Stream) -> Vec<Argument<'_>> {
    let arguments = stream.ids().into_iter().zip(stream.visits());
    // As long as the name of somebody, and with nothing in it that a key would have to escape.
    arguments.map(|(id, key)| Argument { id, name: &key["user:".len()..key.len() - ":prof".len()] }).collect()
}

/// All functions. The first lap fills their caches.
///
/// # Panics
/// Where there is a global larder of somebody else's.
pub fn entrants<'k>() -> Vec<Entrant<Argument<'k>>> {
    ::larder::install(::larder::Larder::memory(40_000)).expect("nobody else installs one");
    [cached::all_locked(), cached::all_sharded(), larder::all()].into_iter().flatten().collect()
}

/// One lap of a synchronous function.
#[inline]
fn each<R: std::borrow::Borrow<Profile>>(
    arguments: &[Argument<'_>],
    function: impl Fn(&Argument<'_>) -> R,
) -> Lap {
    let mut lap = Lap::default();
    for argument in arguments {
        lap.visit(Some(function(argument).borrow()));
    }
    lap
}

/// One lap of an asynchronous one.
#[inline]
fn await_each<R: std::borrow::Borrow<Profile>>(
    arguments: &[Argument<'_>],
    function: impl AsyncFn(&Argument<'_>) -> R,
) -> Lap {
    block_on(async {
        let mut lap = Lap::default();
        for argument in arguments {
            let profile: R = function(argument).await;
            lap.visit(Some(profile.borrow()));
        }
        lap
    })
}

/// The entrants of one library: each name, and the function in this module's scope that it calls, with `id` or `name`.
macro_rules! field {
    ($($label:literal: $function:ident($argument:ident) $($await:ident)?;)*) => {
        vec![$($crate::functions::field!(@ $label, $function, $argument $(, $await)?)),*]
    };
    (@ $label:literal, $function:ident, $argument:ident) => {
        $crate::race::Entrant::new($label, |all: &[_]| {
            $crate::functions::each(all, |one: &$crate::functions::Argument<'_>| $function(one.$argument))
        })
    };
    (@ $label:literal, $function:ident, $argument:ident, awaited) => {
        $crate::race::Entrant::new($label, |all: &[_]| {
            $crate::functions::await_each(all, async |one: &$crate::functions::Argument<'_>| {
                $function(one.$argument).await
            })
        })
    };
}
use field;
