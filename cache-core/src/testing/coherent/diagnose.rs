//! Why a read was stale: which writer made it so, which key it came from, and what should have covered that.

use super::here::Deed;
use super::part::Part;
use super::plan::{Plan, Step};
use super::report::{Cause, Incoherence};
use super::run::{Focus, Outcome, Run, Stale};
use crate::target::Named;

/// Plays the plan once more, and looks closely. `None`: this time nothing was stale.
pub(super) fn explain<W: 'static>(
    parts: &[Part<W>],
    world: &dyn Fn() -> W,
    plan: &Plan,
    found: &Stale,
) -> Option<Incoherence> {
    let mut run = Run::new(parts, world, true);
    run.focus = Some(Focus::on(found.of));
    let Outcome::Stale(stale) = run.play(plan) else { return None };
    let log = run.stage.session.log();
    let changed = run.focus.take().and_then(|focus| focus.changed);
    let last = last_writer(parts, plan);
    let writer = changed.map(|(call, _)| call).or(last);
    let since = changed.map_or(0, |(_, since)| since);
    let stale_entries = stale_entries(&mut run, &stale, &log);
    let deeds: Vec<(usize, &Named)> = struck_by(&log, writer);
    let covers =
        |entry: &Suspect| deeds.iter().any(|(_, struck)| struck.target().covers(&entry.key, &entry.tags));
    let elsewhere = stale_entries.first().is_some_and(covers);
    let cause = match stale_entries.first() {
        _ if !run.stage.session.has_caches() => Cause::Unwatched,
        None => Cause::Shared,
        Some(entry) => cause(entry, &deeds, since, &log),
    };
    let name = |call: usize| {
        let of = plan.calls.get(call).copied().unwrap_or(stale.of);
        format!("{}({})", parts[of.part].name, of.argument)
    };
    Some(Incoherence {
        reader: parts[stale.of.part].name.to_string(),
        read: name(stale.call),
        writer: writer.map(|call| parts[plan.calls[call].part].name.to_string()),
        written: writer.map(name),
        shown: stale.shown.text(),
        truth: stale.truth.text(),
        keys: stale_entries.iter().map(|entry| entry.key.to_string()).collect(),
        tags: stale_entries.iter().flat_map(|entry| entry.tags.iter().map(|tag| tag.to_string())).collect(),
        struck: deeds.iter().map(|(_, struck)| struck.target().to_string()).collect(),
        cause,
        elsewhere,
        steps: steps(&run, plan, &stale, name),
        seed: 0,
    })
}

fn last_writer<W>(parts: &[Part<W>], plan: &Plan) -> Option<usize> {
    (0..plan.calls.len()).rev().find(|call| parts[plan.calls[*call].part].truth.is_none())
}

/// An entry that a stale read came from.
struct Suspect {
    cache: usize,
    key: Box<str>,
    tags: Vec<Box<str>>,
}

/// Of the entries that the read found, those without which it shows something else.
fn stale_entries<W: 'static>(run: &mut Run<'_, W>, stale: &Stale, log: &[(usize, Deed)]) -> Vec<Suspect> {
    let mut suspects: Vec<Suspect> = Vec::new();
    for (op, deed) in log {
        if let Deed::Hit { cache, key } = deed
            && *op == stale.call
            && !suspects.iter().any(|known| known.cache == *cache && known.key == *key)
        {
            suspects.push(Suspect { cache: *cache, key: key.clone(), tags: tags_of(*cache, key, log) });
        }
    }
    let Some(mut shown) = run.read(stale.of) else { return suspects };
    suspects.retain(|suspect| {
        let Some(cache) = run.stage.session.cache(suspect.cache) else { return false };
        if cache.delete(&suspect.key).wait().is_err() {
            return false;
        }
        let Some(without) = run.read(stale.of) else { return false };
        let matters = !without.equals(&*shown);
        shown = without;
        matters
    });
    suspects
}

fn tags_of(cache: usize, key: &str, log: &[(usize, Deed)]) -> Vec<Box<str>> {
    let mut stored = log.iter().rev().filter_map(|(_, deed)| match deed {
        Deed::Stored { cache: in_cache, key: stored, tags, .. } if *in_cache == cache && **stored == *key => {
            Some(tags.clone())
        }
        _ => None,
    });
    stored.next().unwrap_or_default()
}

fn struck_by(log: &[(usize, Deed)], writer: Option<usize>) -> Vec<(usize, &Named)> {
    let struck = log.iter().enumerate().filter_map(|(at, (op, deed))| match deed {
        Deed::Struck { target, .. } if Some(*op) == writer => Some((at, target)),
        _ => None,
    });
    struck.collect()
}

fn cause(entry: &Suspect, deeds: &[(usize, &Named)], since: usize, log: &[(usize, Deed)]) -> Cause {
    let here = |at: usize| matches!(log[at].1, Deed::Struck { cache, .. } if cache == entry.cache);
    let mut covering =
        deeds.iter().filter(|(at, struck)| here(*at) && struck.target().covers(&entry.key, &entry.tags));
    let Some((at, _)) = covering.next_back() else { return Cause::Missing };
    let stored = log.iter().rposition(
        |(_, deed)| matches!(deed, Deed::Stored { key, cache, .. } if *key == entry.key && *cache == entry.cache),
    );
    match stored {
        _ if *at + 1 < since || stored.is_some_and(|stored| stored > *at && stored < since) => {
            Cause::TooEarly
        }
        Some(stored) if stored > *at && matches!(log[stored].1, Deed::Stored { fenced: false, .. }) => {
            Cause::Unfenced
        }
        _ => Cause::Backend,
    }
}

/// The plan in words.
fn steps<W: 'static>(
    run: &Run<'_, W>,
    plan: &Plan,
    stale: &Stale,
    name: impl Fn(usize) -> String,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut begun = vec![false; plan.calls.len()];
    let steps = &plan.steps;
    for (at, step) in steps.iter().enumerate() {
        let call = step.call();
        let first = !std::mem::replace(&mut begun[call], true);
        if matches!(step, Step::Resume(_)) && !first && steps[at - 1].call() == call {
            continue; // told with the step before
        }
        let on = steps[at + 1..].iter().take_while(|next| **next == Step::Resume(call)).count();
        let before = steps[..at].iter().filter(|step| step.call() == call).count();
        let held = run.stage.session.place(call, before + on).map_or("", |place| place.words());
        lines.push(match step {
            Step::Finish(_) if first => format!("{} runs to its end", name(call)),
            Step::Finish(_) => format!("{} goes on to its end", name(call)),
            _ if first => format!("{} begins, and is held {held}", name(call)),
            _ => format!("{} goes on, and is held {held}", name(call)),
        });
    }
    if stale.call >= plan.calls.len() {
        lines.push("all that is under way runs to its end".to_owned());
        lines.push(format!("{} reads", name(stale.call)));
    }
    lines
}
