//! The server itself: who it is, how it is, what time it has.

use super::{Answer, Call, Command, NO_INTEGER, Words, Wrong, integer, upper, wrong_number};
use crate::server::resp::Value;

/// What it says it is.
pub(super) const VERSION: &str = "7.0.15";

pub(super) const COMMANDS: &[Command] = &[
    Command("PING", -1, ping),
    Command("ECHO", 2, |_, words| Ok(Value::bulk(&words[1]))),
    Command("INFO", -1, info),
    Command("TIME", 1, |call, _| {
        let (seconds, micros) = call.server.time();
        Ok(Value::Array(vec![Value::bulk(seconds.to_string()), Value::bulk(micros.to_string())]))
    }),
    Command("CONFIG", -2, |call, words| match (&*upper(&words[1]), &words[2..]) {
        ("SET", [name, bytes]) if upper(name) == "MAXMEMORY" => {
            let bytes = u64::try_from(integer(bytes)?).map_err(|_| NO_INTEGER)?;
            call.server.maxmemory.set(bytes);
            Ok(Value::ok())
        }
        _ => Err("ERR this model of a Redis has one setting, maxmemory".into()),
    }),
    Command("REPLICAOF", 3, |call, words| {
        call.server.is_replica.set(upper(&words[1]) != "NO");
        Ok(Value::ok())
    }),
    Command("SELECT", 2, |_, words| match integer(&words[1]).map_err(|_| NO_INTEGER)? {
        0 => Ok(Value::ok()),
        _ => Err("ERR DB index is out of range".into()),
    }),
];

fn ping(call: &Call<'_>, words: &Words) -> Answer {
    let word = match &words[1..] {
        [] => None,
        [word] => Some(word),
        _ => return Err(wrong_number("ping")),
    };
    let subscribed =
        call.client.is_some_and(|client| client.resp.get() == 2 && !client.channels.borrow().is_empty());
    Ok(match word {
        _ if subscribed => {
            Value::Array(vec![Value::bulk("pong"), Value::bulk(word.map_or(&[][..], |word| word))])
        }
        Some(word) => Value::bulk(word),
        None => Value::Status("PONG".to_owned()),
    })
}

/// All of it, whatever part is asked for.
fn info(call: &Call<'_>, _: &Words) -> Result<Value, Wrong> {
    let server = call.server;
    let keys = server.keys.borrow();
    let role = if server.is_replica.get() { "slave" } else { "master" };
    let sections = [
        (
            "Server",
            vec![
                ("redis_version", VERSION.to_owned()),
                ("redis_mode", "standalone".to_owned()),
                ("run_id", server.run_id.borrow().clone()),
                ("uptime_in_seconds", ((server.now() - server.started.get()) / 1000).to_string()),
            ],
        ),
        ("Clients", vec![("connected_clients", server.clients.borrow().len().to_string())]),
        (
            "Memory",
            vec![
                ("used_memory", server.used().to_string()),
                ("maxmemory", server.maxmemory.get().to_string()),
                ("maxmemory_policy", "noeviction".to_owned()),
            ],
        ),
        ("Persistence", vec![("loading", "0".to_owned())]),
        ("Replication", vec![("role", role.to_owned()), ("connected_slaves", "0".to_owned())]),
        ("Cluster", vec![("cluster_enabled", "0".to_owned())]),
    ];
    let mut text = String::new();
    for (name, lines) in sections {
        text += &format!("# {name}\r\n");
        lines.iter().for_each(|(name, value)| text += &format!("{name}:{value}\r\n"));
        text += "\r\n";
    }
    text += "# Keyspace\r\n";
    if keys.len() > 0 {
        text += &format!("db0:keys={}\r\n", keys.len());
    }
    Ok(Value::Verbatim(text))
}
