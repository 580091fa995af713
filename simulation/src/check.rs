//! Whether what happened is what was promised.
//!
//! What a read may give follows from the changes before it. A change is `end`ed when its call has returned; from then on the
//! process that made it reads nothing older (G1, G4). Others do so once they have heard of it (G2), which takes as long as
//! words travel while all is well, and while it is not, no longer than copies are believed (G3); at once where the change was
//! acknowledged, or a token presented that stands for it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::history::{At, Change, History, Load, Outcome, Read};
use crate::plan::Plan;
use crate::run::Ran;

/// A promise that was not kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Broken {
    /// Which guarantee: `G1` to `G6`, `acked`, `token`, or `L` where something never ended.
    pub guarantee: &'static str,
    /// What happened, in words.
    pub what: String,
}

impl Broken {
    fn new(guarantee: &'static str, what: String) -> Self {
        Self { guarantee, what }
    }
}

/// All promises that were not kept in a run.
pub fn check(ran: &Ran) -> Vec<Broken> {
    let mut broken: Vec<Broken> =
        ran.history.troubles.iter().map(|what| Broken::new("L", what.clone())).collect();
    broken.extend(stale_reads(&ran.plan, &ran.history));
    if ran.plan.is_calm() {
        broken.extend(loads_beside_each_other(&ran.plan, &ran.history));
    }
    broken.extend(too_much(ran));
    broken
}

fn stale_reads(plan: &Plan, history: &History) -> Vec<Broken> {
    let mut by_key: BTreeMap<usize, Vec<(u64, &Change)>> = BTreeMap::new();
    for change in &history.changes {
        for (key, version) in &change.keys {
            by_key.entry(*key).or_default().push((*version, change));
        }
    }
    for changes in by_key.values_mut() {
        changes.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    }
    let mut broken = Vec::new();
    for read in &history.reads {
        let (Some(got), Some(changes)) = (read.got, by_key.get(&read.key)) else { continue };
        if got.key != read.key {
            broken.push(Broken::new("G1", format!("somebody else's value: {read:?}")));
        }
        let newer = changes.iter().take_while(|(version, _)| *version > got.version);
        let mut newer = newer.map(|(_, change)| *change);
        if let Some((guarantee, change)) =
            newer.find_map(|change| Some((hides(plan, history, change, read)?, change)))
        {
            broken.push(Broken::new(guarantee, format!("{read:?}\n  after {change:?}")));
        }
    }
    broken
}

/// Which guarantee says that `read` gives nothing older than `change`; `None`: it may.
fn hides(plan: &Plan, history: &History, change: &Change, read: &Read) -> Option<&'static str> {
    let own = change.node == Some(read.node) && change.life == read.life;
    if own && read.start.number > change.end.number {
        return Some(if change.outcome == Outcome::Done { "G1" } else { "G4" });
    }
    let known = match change.outcome {
        Outcome::Done => change.end,
        Outcome::Late(at) => at?,
    };
    if history.seen.iter().any(|seen| {
        let to_it = seen.node == read.node && seen.life == read.life && seen.end.number < read.start.number;
        to_it && known.number < seen.taken.number
    }) {
        return Some("token");
    }
    let acked = change.acked && change.outcome == Outcome::Done && change.end.number < read.start.number;
    if acked && !is_loaded_while_cut_off(plan, history, read) {
        return Some("acked");
    }
    let late = read.start.time > known.time + heard_within(plan);
    if plan.is_calm() {
        return late.then_some("G2");
    }
    (read.start.time > known.time + believed(plan, history, read.node, known)).then_some("G3")
}

/// What a node loads by itself while it is cut off it believes for a while, whatever others have acknowledged since.
fn is_loaded_while_cut_off(plan: &Plan, history: &History, read: &Read) -> bool {
    let number = read.got.map_or(0, |got| got.load);
    let Some(load) = number.checked_sub(1).and_then(|place| history.loads.get(place as usize)) else {
        return false;
    };
    let trust = plan.cut_off_ttl * (1000 + plan.skew as u32) / 1000;
    !plan.is_calm()
        && load.node == read.node
        && load.end.is_some_and(|end| read.start.time <= end.time + trust + Duration::from_millis(1))
}

/// How long word of a change is under way while nothing is wrong: there, and a look at what is meant, there and back.
fn heard_within(plan: &Plan) -> Duration {
    4 * plan.delay.1 + Duration::from_millis(5)
}

/// How long a node may go on without word: it notices within two seconds, and believes what it has for as long as it was
/// told; what it was loading when that began, for as long after the load.
fn believed(plan: &Plan, history: &History, node: usize, since: At) -> Duration {
    let slack = Duration::from_millis(1_500);
    let paused: Duration = history
        .pauses
        .iter()
        .filter(|pause| pause.node == node && pause.until > since.time)
        .map(|pause| pause.until - pause.from)
        .sum();
    let trust = plan.cut_off_ttl.max(Duration::from_secs(2));
    (trust + plan.loads.longest()) * (1000 + plan.skew as u32) / 1000 + slack + paused
}

/// One load for each key, but where a change falls into it, or into what came before it: who waits for a load elsewhere when
/// his own process changes the key looks again by himself, beside whoever comes later.
fn loads_beside_each_other(plan: &Plan, history: &History) -> Vec<Broken> {
    if plan.loads.failing > 0 {
        return Vec::new();
    }
    let before = heard_within(plan) + plan.loads.longest() + Duration::from_millis(300);
    let mut broken = Vec::new();
    let mut last: BTreeMap<usize, &Load> = BTreeMap::new();
    for load in &history.loads {
        if let Some(other) = last.insert(load.key, load)
            && other.end.is_none_or(|end| end > load.start)
            && !is_changed_between(history, load.key, other.start.time.saturating_sub(before), load.start)
        {
            broken.push(Broken::new("G5", format!("{load:?}\n  beside {other:?}")));
        }
    }
    broken
}

fn is_changed_between(history: &History, key: usize, from: Duration, until: At) -> bool {
    history.changes.iter().any(|change| {
        change.start < until && change.end.time >= from && change.keys.iter().any(|(its, _)| *its == key)
    })
}

/// What is held in the end: by the memory of each node, and by the server, which has entries with what stands beside them,
/// marks, and some names of larder's own.
fn too_much(ran: &Ran) -> Vec<Broken> {
    let Ran { plan, history, names } = ran;
    let too_many = history.held.iter().filter(|held| **held > plan.capacity as u64);
    let mut broken: Vec<Broken> = too_many
        .map(|held| Broken::new("G6", format!("a memory of {} holds {held} entries", plan.capacity)))
        .collect();
    let most = 3 * plan.keys + 2 * plan.tags + 8;
    if plan.is_calm() && *names > most {
        broken.push(Broken::new("G6", format!("{names} names in the server, and not {most}")));
    }
    broken
}
