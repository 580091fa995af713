//! Scripts, by their source or their hash.

use std::borrow::Cow;

use super::{Answer, Call, Command, Words, Wrong, integer, unknown_second, upper, wrong_number};
use crate::server::resp::Value;

pub(super) const COMMANDS: &[Command] = &[
    Command("EVAL", -3, |call, words| {
        let (keys, args) = keys_and_args(words)?;
        let scripts = call.server.scripts.borrow().clone();
        let hash = scripts.load(&words[1], &call.server.sabotage.of(&words[1]))?;
        call.server.has_written.set(false);
        scripts.run(&hash, keys, args).unwrap_or(Err(NO_SCRIPT))
    }),
    Command("EVALSHA", -3, |call, words| {
        if words[1].len() != 40 {
            return Err(NO_SCRIPT);
        }
        let (keys, args) = keys_and_args(words)?;
        let scripts = call.server.scripts.borrow().clone();
        let hash = String::from_utf8_lossy(&words[1]).to_lowercase();
        call.server.has_written.set(false);
        scripts.run(&hash, keys, args).unwrap_or(Err(NO_SCRIPT))
    }),
    Command("SCRIPT", -2, script),
];

const NO_SCRIPT: Wrong = Cow::Borrowed("NOSCRIPT No matching script. Please use EVAL.");

fn keys_and_args(words: &Words) -> Result<(&Words, &Words), Wrong> {
    let keys = integer(&words[2])?;
    let rest = &words[3..];
    if keys > rest.len() as i64 {
        return Err("ERR Number of keys can't be greater than number of args".into());
    }
    let keys = usize::try_from(keys).map_err(|_| "ERR Number of keys can't be negative")?;
    Ok(rest.split_at(keys))
}

fn script(call: &Call<'_>, words: &Words) -> Answer {
    let scripts = call.server.scripts.borrow().clone();
    match (&*upper(&words[1]), &words[2..]) {
        ("LOAD", [source]) => Ok(Value::bulk(scripts.load(source, &call.server.sabotage.of(source))?)),
        ("EXISTS", hashes @ [_, ..]) => {
            let knows = |hash: &Vec<u8>| scripts.knows(&String::from_utf8_lossy(hash).to_lowercase());
            Ok(Value::Array(hashes.iter().map(|hash| Value::Int(knows(hash).into())).collect()))
        }
        ("FLUSH", _) => {
            scripts.forget();
            Ok(Value::ok())
        }
        (second @ ("LOAD" | "EXISTS"), _) => Err(wrong_number(&format!("script|{second}"))),
        _ => Err(unknown_second("SCRIPT", words)),
    }
}
