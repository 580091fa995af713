//! Hashes.

use std::collections::BTreeMap;

use super::{Answer, Call, Command, WRONG_TYPE, Words, Wrong, integer, wrong_number};
use crate::server::keyspace::Data;
use crate::server::resp::Value;

pub(super) const COMMANDS: &[Command] = &[
    Command("HSET", -4, set),
    Command("HDEL", -3, |call, words| {
        let many = with(call, &words[1], |fields| {
            let before = fields.len();
            words[2..].iter().for_each(|field| drop(fields.remove(field)));
            Ok((before != fields.len(), before - fields.len()))
        })?;
        Ok(Value::Int(many as i64))
    }),
    Command("HINCRBY", 4, |call, words| {
        let sum = with(call, &words[1], |fields| {
            let there = fields.get(&words[2]).map_or(Ok(0), |text| integer(text));
            let sum = there.map_err(|_| "ERR hash value is not an integer")? + integer(&words[3])?;
            fields.insert(words[2].clone(), sum.to_string().into_bytes());
            Ok((true, sum))
        })?;
        Ok(Value::Int(sum))
    }),
    Command("HGET", 3, |call, words| {
        let keys = call.keys(&words[1]);
        Ok(value(fields(keys.get(&words[1]))?, &words[2]))
    }),
    Command("HMGET", -3, |call, words| {
        let keys = call.keys(&words[1]);
        let fields = fields(keys.get(&words[1]))?;
        Ok(Value::Array(words[2..].iter().map(|field| value(fields, field)).collect()))
    }),
    Command("HGETALL", 2, |call, words| {
        let keys = call.keys(&words[1]);
        let all = fields(keys.get(&words[1]))?.into_iter().flatten();
        Ok(Value::Array(all.flat_map(|(field, value)| [Value::bulk(field), Value::bulk(value)]).collect()))
    }),
];

type Fields = BTreeMap<Vec<u8>, Vec<u8>>;

fn fields(data: Option<&Data>) -> Result<Option<&Fields>, Wrong> {
    match data {
        None => Ok(None),
        Some(Data::Hash(fields)) => Ok(Some(fields)),
        Some(_) => Err(WRONG_TYPE),
    }
}

fn value(fields: Option<&Fields>, field: &[u8]) -> Value {
    fields.and_then(|fields| fields.get(field)).map_or(Value::Null, Value::bulk)
}

/// Changes what stands there; an empty hash does not stay. Whether anything changed, `change` says.
fn with<T>(
    call: &Call<'_>,
    name: &[u8],
    change: impl FnOnce(&mut Fields) -> Result<(bool, T), Wrong>,
) -> Result<T, Wrong> {
    let mut keys = call.keys(name);
    let mut all = fields(keys.get(name))?.cloned().unwrap_or_default();
    let (changed, output) = change(&mut all)?;
    if all.is_empty() {
        keys.remove(name);
    } else {
        keys.put(name, Data::Hash(all));
    }
    drop(keys);
    if changed {
        call.changed(name);
    }
    Ok(output)
}

fn set(call: &Call<'_>, words: &Words) -> Answer {
    if !words.len().is_multiple_of(2) {
        return Err(wrong_number("hset"));
    }
    let added = with(call, &words[1], |fields| {
        let before = fields.len();
        for pair in words[2..].chunks_exact(2) {
            fields.insert(pair[0].clone(), pair[1].clone());
        }
        Ok((true, fields.len() - before))
    })?;
    Ok(Value::Int(added as i64))
}
