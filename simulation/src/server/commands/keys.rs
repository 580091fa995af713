//! Names: whether they are there, until when, and which there are.

use super::{Answer, Call, Command, SYNTAX, Words, Wrong, integer, upper};
use crate::server::glob;
use crate::server::keyspace::Data;
use crate::server::resp::Value;

pub(super) const COMMANDS: &[Command] = &[
    Command("DEL", -2, remove),
    Command("UNLINK", -2, remove),
    Command("EXISTS", -2, |call, words| {
        let there = |name: &&Vec<u8>| call.keys(name).get(name).is_some();
        Ok(Value::Int(words[1..].iter().filter(there).count() as i64))
    }),
    Command("TYPE", 2, |call, words| {
        let keys = call.keys(&words[1]);
        Ok(Value::Status(keys.get(&words[1]).map_or("none", kind).to_owned()))
    }),
    Command("PTTL", 2, |call, words| left(call, &words[1], 1)),
    Command("TTL", 2, |call, words| left(call, &words[1], 1000)),
    Command("PEXPIRE", 3, |call, words| expire(call, words, 1)),
    Command("EXPIRE", 3, |call, words| expire(call, words, 1000)),
    Command("PERSIST", 2, persist),
    Command("SCAN", -2, scan),
    Command("KEYS", 2, keys),
    Command("DBSIZE", 1, |call, _| Ok(Value::Int(call.server.keys.borrow().len() as i64))),
    Command("FLUSHALL", -1, flush),
    Command("FLUSHDB", -1, flush),
];

fn kind(data: &Data) -> &'static str {
    match data {
        Data::Text(_) => "string",
        Data::Hash(_) => "hash",
        Data::Sorted(_) => "zset",
    }
}

fn remove(call: &Call<'_>, words: &Words) -> Answer {
    let mut many = 0;
    for name in &words[1..] {
        if call.keys(name).remove(name) {
            call.changed(name);
            many += 1;
        }
    }
    Ok(Value::Int(many))
}

fn left(call: &Call<'_>, name: &[u8], unit: u64) -> Answer {
    let keys = call.keys(name);
    Ok(Value::Int(match (keys.get(name), keys.end(name)) {
        (None, _) => -2,
        (_, None) => -1,
        // Seconds are rounded.
        (_, Some(end)) => (end.saturating_sub(call.server.now()).saturating_add(unit / 2) / unit) as i64,
    }))
}

fn expire(call: &Call<'_>, words: &Words, unit: i64) -> Answer {
    let (name, number) = (&words[1], integer(&words[2])?);
    let now = call.server.now();
    let end = number.checked_mul(unit).and_then(|millis| millis.checked_add(now as i64));
    let end = end
        .ok_or_else(|| format!("ERR invalid expire time in '{}' command", upper(&words[0]).to_lowercase()))?;
    let mut keys = call.keys(name);
    if keys.get(name).is_none() {
        return Ok(Value::Int(0));
    }
    if end <= now as i64 {
        keys.remove(name);
    } else {
        keys.set_end(name, Some(end as u64));
    }
    call.changed(name);
    Ok(Value::Int(1))
}

fn persist(call: &Call<'_>, words: &Words) -> Answer {
    let name = &words[1];
    let mut keys = call.keys(name);
    if keys.end(name).is_none() {
        return Ok(Value::Int(0));
    }
    keys.set_end(name, None);
    call.changed(name);
    Ok(Value::Int(1))
}

/// Where a scan goes on, what it looks for, and how many names it looks at.
fn scan_options(words: &Words) -> Result<(Option<&Vec<u8>>, usize), Wrong> {
    let (mut glob, mut many) = (None, 10);
    for option in words.chunks(2) {
        match (&*upper(&option[0]), option.get(1)) {
            ("MATCH", Some(given)) => glob = Some(given),
            ("COUNT", Some(given)) => {
                many = usize::try_from(integer(given)?).ok().filter(|many| *many > 0).ok_or(SYNTAX)?;
            }
            _ => return Err(SYNTAX),
        }
    }
    Ok((glob, many))
}

fn scan(call: &Call<'_>, words: &Words) -> Answer {
    let cursor = str::from_utf8(&words[1]).ok().and_then(|text| text.parse().ok());
    let cursor = cursor.ok_or("ERR invalid cursor")?;
    let (glob, many) = scan_options(&words[2..])?;
    let (next, mut names) = call.server.keys.borrow().page(cursor, many);
    names.retain(|name| glob.is_none_or(|glob| glob::matches(glob, name)));
    names.retain(|name| call.keys(name).get(name).is_some());
    let names = names.into_iter().map(Value::bulk).collect();
    Ok(Value::Array(vec![Value::bulk(next.to_string()), Value::Array(names)]))
}

fn keys(call: &Call<'_>, words: &Words) -> Answer {
    let (keys, now) = (call.server.keys.borrow(), call.server.now());
    let found = keys.names().filter(|name| glob::matches(&words[1], name) && !keys.has_expired(name, now));
    Ok(Value::Array(found.map(Value::bulk).collect()))
}

fn flush(call: &Call<'_>, words: &Words) -> Answer {
    let how = words.get(1).map(|how| upper(how));
    if words.len() > 2 || !matches!(how.as_deref(), None | Some("SYNC" | "ASYNC")) {
        return Err(SYNTAX);
    }
    call.server.keys.borrow_mut().clear();
    call.server.flushed(call.client.map(|client| &**client));
    Ok(Value::ok())
}
