//! Texts, and integers in them.

use super::{Answer, Call, Command, NO_INTEGER, SYNTAX, Words, Wrong, integer, text, upper};
use crate::server::keyspace::Data;
use crate::server::resp::Value;

pub(super) const COMMANDS: &[Command] = &[
    Command("GET", 2, get),
    Command("MGET", -2, mget),
    Command("SET", -3, set),
    Command("GETRANGE", 4, get_range),
    Command("SETRANGE", 4, set_range),
    Command("APPEND", 3, append),
    Command("STRLEN", 2, |call, words| {
        let keys = call.keys(&words[1]);
        Ok(Value::Int(text(keys.get(&words[1]))?.map_or(0, Vec::len) as i64))
    }),
    Command("INCR", 2, |call, words| add(call, &words[1], 1)),
    Command("DECR", 2, |call, words| add(call, &words[1], -1)),
    Command("INCRBY", 3, |call, words| add(call, &words[1], integer(&words[2])?)),
    Command("DECRBY", 3, |call, words| {
        let less = integer(&words[2])?.checked_neg().ok_or("ERR decrement would overflow")?;
        add(call, &words[1], less)
    }),
];

fn get(call: &Call<'_>, words: &Words) -> Answer {
    let keys = call.keys(&words[1]);
    Ok(text(keys.get(&words[1]))?.map_or(Value::Null, Value::bulk))
}

fn mget(call: &Call<'_>, words: &Words) -> Answer {
    let one = |name: &Vec<u8>| get(call, &[Vec::new(), name.clone()]).unwrap_or(Value::Null);
    Ok(Value::Array(words[1..].iter().map(one).collect()))
}

/// What stands behind the value of a `SET`.
#[derive(Default)]
struct Options {
    /// Only if there is something, or nothing.
    only: Option<bool>,
    get: bool,
    keep: bool,
    end: Option<(String, i64)>,
}

fn options(words: &Words) -> Result<Options, Wrong> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let word = upper(word);
        match &*word {
            "NX" | "XX" if options.only.is_none() => options.only = Some(word == "XX"),
            "GET" => options.get = true,
            "KEEPTTL" if options.end.is_none() => options.keep = true,
            "EX" | "PX" | "EXAT" | "PXAT" if options.end.is_none() && !options.keep => {
                let number = words.next().ok_or(SYNTAX)?;
                // What is wrong with the rest is said first.
                options.end = Some((word, integer(number).unwrap_or(i64::MIN)));
                if integer(number).is_err() && words.len() == 0 {
                    return Err(NO_INTEGER);
                }
            }
            _ => return Err(SYNTAX),
        }
    }
    Ok(options)
}

/// When that is: a number of seconds or milliseconds, from now on or since 1970.
fn end(call: &Call<'_>, (unit, number): &(String, i64)) -> Result<u64, Wrong> {
    let millis = if unit.starts_with('E') { number.checked_mul(1000) } else { Some(*number) };
    let base = if unit.ends_with("AT") { 0 } else { call.server.now() as i64 };
    let end = millis.filter(|_| *number > 0).and_then(|millis| millis.checked_add(base));
    end.map(|end| end as u64).ok_or("ERR invalid expire time in 'set' command".into())
}

fn set(call: &Call<'_>, words: &Words) -> Answer {
    let (name, options) = (&words[1], options(&words[3..])?);
    let end = options.end.as_ref().map(|given| end(call, given)).transpose()?;
    let mut keys = call.keys(name);
    let before =
        if options.get { text(keys.get(name))?.map_or(Value::Null, Value::bulk) } else { Value::Null };
    if options.only.is_some_and(|there| there != keys.get(name).is_some()) {
        return Ok(before);
    }
    keys.put(name, Data::Text(words[2].clone()));
    if !options.keep {
        keys.set_end(name, end);
    }
    call.changed(name);
    Ok(if options.get { before } else { Value::ok() })
}

fn get_range(call: &Call<'_>, words: &Words) -> Answer {
    let (first, last) = (integer(&words[2])?, integer(&words[3])?);
    let keys = call.keys(&words[1]);
    let text = text(keys.get(&words[1]))?.map_or(&[][..], Vec::as_slice);
    let many = text.len() as i64;
    if many == 0 || (first < 0 && last < 0 && first > last) {
        return Ok(Value::bulk(""));
    }
    // Counted from the end, but not beyond the first byte.
    let place = |at: i64| if at < 0 { (at + many).max(0) } else { at.min(many) };
    let piece = text.get(place(first) as usize..=place(last).min(many - 1) as usize);
    Ok(Value::bulk(piece.unwrap_or_default()))
}

/// As much as Redis lets anybody write.
const MOST: usize = 512 << 20;
const TOO_LONG: &str = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";

fn set_range(call: &Call<'_>, words: &Words) -> Answer {
    let (name, at, piece) = (&words[1], integer(&words[2])?, &words[3]);
    let at = usize::try_from(at).map_err(|_| "ERR offset is out of range")?;
    let mut keys = call.keys(name);
    let length = text(keys.get(name))?.map_or(0, Vec::len);
    if piece.is_empty() {
        return Ok(Value::Int(length as i64));
    }
    let end = at.checked_add(piece.len()).filter(|end| *end <= MOST).ok_or(TOO_LONG)?;
    if keys.get(name).is_none() {
        keys.put(name, Data::Text(Vec::new()));
    }
    if let Some(Data::Text(text)) = keys.get_mut(name) {
        text.resize(length.max(end), 0);
        text[at..end].copy_from_slice(piece);
    }
    call.changed(name);
    Ok(Value::Int(length.max(end) as i64))
}

fn append(call: &Call<'_>, words: &Words) -> Answer {
    let (name, piece) = (&words[1], &words[2]);
    let mut keys = call.keys(name);
    let mut whole = text(keys.get(name))?.cloned().unwrap_or_default();
    whole.extend_from_slice(piece);
    let length = whole.len();
    if length > MOST {
        return Err(TOO_LONG.into());
    }
    keys.put(name, Data::Text(whole));
    call.changed(name);
    Ok(Value::Int(length as i64))
}

fn add(call: &Call<'_>, name: &[u8], more: i64) -> Answer {
    let mut keys = call.keys(name);
    let before = text(keys.get(name))?.map_or(Ok(0), |text| integer(text))?;
    let sum = before.checked_add(more).ok_or("ERR increment or decrement would overflow")?;
    keys.put(name, Data::Text(sum.to_string().into_bytes()));
    call.changed(name);
    Ok(Value::Int(sum))
}
