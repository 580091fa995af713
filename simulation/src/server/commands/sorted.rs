//! Sorted sets.

use std::cell::RefMut;
use std::cmp::Ordering;
use std::ops::Range;

use super::{Answer, Call, Command, SYNTAX, WRONG_TYPE, Words, Wrong, integer, upper};
use crate::server::keyspace::{Data, Keyspace};
use crate::server::resp::Value;

pub(super) const COMMANDS: &[Command] = &[
    Command("ZADD", -4, add),
    Command("ZREM", -3, remove),
    Command("ZREMRANGEBYRANK", 4, remove_ranks),
    Command("ZCARD", 2, |call, words| {
        let keys = call.keys(&words[1]);
        Ok(Value::Int(members(keys.get(&words[1]))?.len() as i64))
    }),
    Command("ZSCORE", 3, |call, words| {
        let keys = call.keys(&words[1]);
        let found = members(keys.get(&words[1]))?.iter().find(|(_, member)| *member == words[2]);
        Ok(found.map_or(Value::Null, |(score, _)| Value::Double(*score)))
    }),
    Command("ZRANGE", -4, ranks),
];

type Members = Vec<(f64, Vec<u8>)>;

fn members(data: Option<&Data>) -> Result<&[(f64, Vec<u8>)], Wrong> {
    match data {
        None => Ok(&[]),
        Some(Data::Sorted(members)) => Ok(members),
        Some(_) => Err(WRONG_TYPE),
    }
}

/// By score, then by name.
fn order(one: &(f64, Vec<u8>), other: &(f64, Vec<u8>)) -> Ordering {
    one.0.total_cmp(&other.0).then_with(|| one.1.cmp(&other.1))
}

/// Changes what stands there; an empty set does not stay. Whether anything changed, `change` says.
fn with<T>(
    call: &Call<'_>,
    mut keys: RefMut<'_, Keyspace>,
    name: &[u8],
    change: impl FnOnce(&mut Members) -> (bool, T),
) -> Result<T, Wrong> {
    let is_new = members(keys.get(name))?.is_empty();
    if is_new {
        keys.put(name, Data::Sorted(Vec::new()));
    }
    let Some(Data::Sorted(members)) = keys.get_mut(name) else { return Err(WRONG_TYPE) };
    let (changed, output) = change(members);
    if members.is_empty() {
        keys.remove(name);
    }
    if changed {
        call.changed(name);
    }
    Ok(output)
}

/// The ranks from the first to the last, both counted from the end where they are negative.
fn range(first: i64, last: i64, many: usize) -> Range<usize> {
    let place = |at: i64| if at < 0 { at.saturating_add(many as i64) } else { at };
    let (first, last) = (place(first).max(0), place(last).min(many as i64 - 1));
    if first > last { 0..0 } else { first as usize..last as usize + 1 }
}

fn score(word: &[u8]) -> Result<f64, Wrong> {
    let score = str::from_utf8(word).ok().and_then(|text| text.parse::<f64>().ok());
    score.filter(|score| !score.is_nan()).ok_or("ERR value is not a valid float".into())
}

fn add(call: &Call<'_>, words: &Words) -> Answer {
    let pairs = words[2..].chunks(2).map(|pair| match pair {
        [given, member] => Ok((given, member)),
        _ => Err(SYNTAX),
    });
    let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
    let pairs = pairs.into_iter().map(|(given, member)| Ok((score(given)?, member.clone())));
    let pairs = pairs.collect::<Result<Members, Wrong>>()?;
    let added = with(call, call.keys(&words[1]), &words[1], |members| {
        let (mut changed, mut added) = (false, 0);
        for pair in pairs {
            match members.iter_mut().find(|(_, member)| *member == pair.1) {
                Some(there) => {
                    changed |= there.0 != pair.0;
                    there.0 = pair.0;
                }
                None => {
                    added += 1;
                    members.push(pair);
                }
            }
        }
        members.sort_by(order);
        (changed || added > 0, added)
    })?;
    Ok(Value::Int(added))
}

/// Removes those that `goes` says, by their ranks and names.
fn remove_those(call: &Call<'_>, name: &[u8], goes: impl Fn(usize, usize, &[u8]) -> bool) -> Answer {
    let many = with(call, call.keys(name), name, |members| {
        let (all, mut rank) = (members.len(), 0);
        members.retain(|(_, member)| {
            rank += 1;
            !goes(rank - 1, all, member)
        });
        (members.len() < all, all - members.len())
    })?;
    Ok(Value::Int(many as i64))
}

fn remove(call: &Call<'_>, words: &Words) -> Answer {
    remove_those(call, &words[1], |_, _, member| words[2..].iter().any(|word| word == member))
}

fn remove_ranks(call: &Call<'_>, words: &Words) -> Answer {
    let (first, last) = (integer(&words[2])?, integer(&words[3])?);
    remove_those(call, &words[1], |rank, all, _| range(first, last, all).contains(&rank))
}

fn ranks(call: &Call<'_>, words: &Words) -> Answer {
    let scored = match &words[4..] {
        [] => false,
        [word] if upper(word) == "WITHSCORES" => true,
        _ => return Err(SYNTAX),
    };
    let (first, last) = (integer(&words[2])?, integer(&words[3])?);
    let keys = call.keys(&words[1]);
    let members = members(keys.get(&words[1]))?;
    let found = &members[range(first, last, members.len())];
    let pairs = |call: &Call<'_>| !call.script && call.client.is_some_and(|client| client.resp.get() > 2);
    Ok(Value::Array(if !scored {
        found.iter().map(|(_, member)| Value::bulk(member)).collect()
    } else if pairs(call) {
        let pair = |(score, member): &(f64, Vec<u8>)| vec![Value::bulk(member), Value::Double(*score)];
        found.iter().map(pair).map(Value::Array).collect()
    } else {
        found.iter().flat_map(|(score, member)| [Value::bulk(member), Value::Double(*score)]).collect()
    }))
}
