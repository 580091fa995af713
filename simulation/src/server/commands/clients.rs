//! Connections: which protocol they speak, what they are called, what they are told.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::server::VERSION;
use super::{Answer, Call, Command, SYNTAX, Words, Wrong, integer, unknown_second, upper, wrong_number};
use crate::server::client::Client;
use crate::server::resp::Value;
use crate::server::tracking::Tracking;

pub(super) const COMMANDS: &[Command] = &[
    Command("HELLO", -1, hello),
    Command("AUTH", -2, |_, words| match &words[1..] {
        [_] => Err(
            "ERR AUTH <password> called without any password configured for the default user. Are you sure \
                    your configuration is correct?"
                .into(),
        ),
        [user, _] => log_in(user).map(|()| Value::ok()),
        _ => Err(SYNTAX),
    }),
    Command("QUIT", -1, |call, _| {
        call.client()?.ends.set(true);
        Ok(Value::ok())
    }),
    Command("CLIENT", -2, client),
];

/// There is one user, who needs no password.
fn log_in(user: &[u8]) -> Result<(), Wrong> {
    let known = user == b"default";
    known.then_some(()).ok_or("WRONGPASS invalid username-password pair or user is disabled.".into())
}

fn hello(call: &Call<'_>, words: &Words) -> Answer {
    let client = call.client()?;
    let mut resp = client.resp.get();
    if let Some(version) = words.get(1) {
        let version =
            integer(version).map_err(|_| "ERR Protocol version is not an integer or out of range")?;
        resp = u8::try_from(version)
            .ok()
            .filter(|version| (2..=3).contains(version))
            .ok_or("NOPROTO unsupported protocol version")?;
    }
    let (mut rest, mut name) = (words.get(2..).unwrap_or_default(), None);
    while let [option, ..] = rest {
        rest = match (&*upper(option), rest) {
            ("AUTH", [_, user, _, rest @ ..]) => {
                log_in(user)?;
                rest
            }
            ("SETNAME", [_, given, rest @ ..]) => {
                name = Some(named(given)?);
                rest
            }
            _ => {
                let option = String::from_utf8_lossy(option);
                return Err(format!("ERR Syntax error in HELLO option '{option}'").into());
            }
        };
    }
    if let Some(name) = name {
        client.name.replace(name);
    }
    client.resp.set(resp);
    let text = |name: &str, value: &str| (Value::bulk(name), Value::bulk(value));
    let number = |name: &str, value: i64| (Value::bulk(name), Value::Int(value));
    Ok(Value::Map(vec![
        text("server", "redis"),
        text("version", VERSION),
        number("proto", resp.into()),
        number("id", client.id as i64),
        text("mode", "standalone"),
        text("role", if call.server.is_replica.get() { "replica" } else { "master" }),
        (Value::bulk("modules"), Value::Array(Vec::new())),
    ]))
}

fn named(name: &[u8]) -> Result<Vec<u8>, Wrong> {
    let plain = name.iter().all(u8::is_ascii_graphic);
    plain
        .then(|| name.to_vec())
        .ok_or("ERR Client names cannot contain spaces, newlines or special characters.".into())
}

fn client(call: &Call<'_>, words: &Words) -> Answer {
    let wrong_number = |second: &str| Err(wrong_number(&format!("client|{second}")));
    match (&*upper(&words[1]), &words[2..]) {
        ("ID", []) => Ok(Value::Int(call.client()?.id as i64)),
        ("SETNAME", [name]) => {
            call.client()?.name.replace(named(name)?);
            Ok(Value::ok())
        }
        ("GETNAME", []) => {
            let name = call.client()?.name.borrow();
            Ok(if name.is_empty() { Value::Null } else { Value::bulk(&*name) })
        }
        ("NO-EVICT", [word]) => match &*upper(word) {
            "ON" | "OFF" => Ok(Value::ok()),
            _ => Err(SYNTAX),
        },
        ("KILL", [_, ..]) => kill(call, &words[2..]),
        ("TRACKING", [how, options @ ..]) => tracking(call, how, options),
        (second @ ("ID" | "SETNAME" | "GETNAME" | "NO-EVICT" | "KILL" | "TRACKING"), _) => {
            wrong_number(second)
        }
        _ => Err(unknown_second("CLIENT", words)),
    }
}

fn kill(call: &Call<'_>, options: &Words) -> Answer {
    let (mut id, mut skip_me) = (None, true);
    if options.len() == 1 {
        // By an address, which nobody has here.
        return Err("ERR No such client".into());
    }
    for option in options.chunks(2) {
        match (&*upper(&option[0]), option.get(1)) {
            ("ID", Some(given)) => {
                let given = integer(given).ok().filter(|given| *given > 0);
                id = Some(given.ok_or("ERR client-id should be greater than 0")? as u64);
            }
            ("SKIPME", Some(given)) if matches!(&*upper(given), "YES" | "NO") => {
                skip_me = upper(given) == "YES"
            }
            _ => return Err(SYNTAX),
        }
    }
    let me = call.client.map(|me| me.id);
    let clients = call.server.clients.borrow();
    let dies = |it: &&Rc<Client>| id.is_none_or(|id| it.id == id) && !(skip_me && Some(it.id) == me);
    let dying: Vec<_> = clients.values().filter(dies).cloned().collect();
    drop(clients);
    for client in &dying {
        if Some(client.id) == me {
            client.ends.set(true);
        } else {
            call.server.leave(client);
        }
    }
    Ok(Value::Int(dying.len() as i64))
}

fn tracking(call: &Call<'_>, how: &[u8], mut options: &Words) -> Answer {
    let client = call.client()?;
    let (mut bcast, mut noloop, mut prefixes) = (false, false, Vec::new());
    while let [option, ..] = options {
        options = match (&*upper(option), options) {
            ("BCAST", [_, rest @ ..]) => {
                bcast = true;
                rest
            }
            ("NOLOOP", [_, rest @ ..]) => {
                noloop = true;
                rest
            }
            ("PREFIX", [_, prefix, rest @ ..]) => {
                prefixes.push(prefix.clone());
                rest
            }
            _ => return Err(SYNTAX),
        };
    }
    match &*upper(how) {
        "OFF" => {
            client.tracking.replace(None);
            call.server.trackers.borrow_mut().forget(client.id);
            return Ok(Value::ok());
        }
        "ON" => {}
        _ => return Err(SYNTAX),
    }
    if !bcast && !prefixes.is_empty() {
        return Err("ERR PREFIX option requires BCAST mode to be enabled".into());
    }
    if !bcast && client.tracking.borrow().is_some() {
        return Err(
            "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then \
                    re-enabling it with a different mode."
                .into(),
        );
    }
    if !bcast {
        return Err("ERR this model of a Redis tracks with BCAST alone".into());
    }
    watch(call, client, noloop, prefixes)
}

fn watch(call: &Call<'_>, client: &Client, noloop: bool, mut prefixes: Vec<Vec<u8>>) -> Answer {
    let mut tracking = client.tracking.borrow_mut();
    no_overlap(&prefixes, tracking.as_ref().map(|tracking| &tracking.prefixes))?;
    if prefixes.is_empty() {
        prefixes.push(Vec::new());
    }
    let mut trackers = call.server.trackers.borrow_mut();
    prefixes.iter().for_each(|prefix| trackers.add(prefix, client.id));
    let tracking = tracking.get_or_insert_with(Tracking::default);
    tracking.noloop = noloop;
    tracking.prefixes.extend(prefixes);
    Ok(Value::ok())
}

/// One client is not told twice of a name.
fn no_overlap(given: &[Vec<u8>], there: Option<&BTreeSet<Vec<u8>>>) -> Result<(), Wrong> {
    let overlaps = |one: &[u8], other: &[u8]| one.starts_with(other) || other.starts_with(one);
    let said = |one: &[u8], which: &str, other: &[u8]| {
        let [one, other] = [one, other].map(String::from_utf8_lossy);
        Err(format!(
            "ERR Prefix '{one}' overlaps with {which} prefix '{other}'. Prefixes for a single client must not overlap."
        )
        .into())
    };
    for (at, one) in given.iter().enumerate() {
        if let Some(other) = there.into_iter().flatten().find(|other| overlaps(one, other)) {
            return said(one, "an existing", other);
        }
        if let Some(other) = given[at + 1..].iter().find(|other| overlaps(one, other)) {
            return said(one, "another provided", other);
        }
    }
    Ok(())
}
