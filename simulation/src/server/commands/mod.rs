//! The commands: who may run them, with how many words, and what they do.

mod channels;
mod clients;
mod hashes;
mod keys;
mod scripts;
mod server;
mod sorted;
mod strings;

use std::borrow::Cow;
use std::cell::RefMut;
use std::rc::Rc;

use super::client::Client;
use super::keyspace::{Data, Keyspace};
use super::resp::Value;
use super::state::State;

/// What is wrong with a command, with its code in front.
pub(super) type Wrong = Cow<'static, str>;
type Answer = Result<Value, Wrong>;
type Words = [Vec<u8>];

const SYNTAX: Wrong = Cow::Borrowed("ERR syntax error");
const NO_INTEGER: Wrong = Cow::Borrowed("ERR value is not an integer or out of range");
const WRONG_TYPE: Wrong = Cow::Borrowed("WRONGTYPE Operation against a key holding the wrong kind of value");

/// Who runs a command, and where.
pub(super) struct Call<'a> {
    pub(super) server: &'a Rc<State>,
    /// Whose connection it came by; a stranger has none.
    client: Option<&'a Rc<Client>>,
    /// Whether a script runs it, which whoever does not want to hear of himself is told of all the same.
    script: bool,
}

impl<'a> Call<'a> {
    /// What is there, but not `name` if it has expired.
    fn keys(&self, name: &[u8]) -> RefMut<'a, Keyspace> {
        let mut keys = self.server.keys.borrow_mut();
        if keys.has_expired(name, self.server.now()) {
            keys.remove(name);
            self.server.trackers.borrow_mut().changed(name, None);
        }
        keys
    }

    /// `name` was written or removed.
    fn changed(&self, name: &[u8]) {
        let by = self.client.filter(|_| !self.script).map(|client| client.id);
        self.server.trackers.borrow_mut().changed(name, by);
    }

    /// The connection it came by.
    fn client(&self) -> Result<&'a Rc<Client>, Wrong> {
        self.client.ok_or(Cow::Borrowed("ERR a stranger has no connection"))
    }
}

/// A command: what it is called, how many words it has with that (as many at least, if negative), and what it does.
struct Command(&'static str, isize, fn(&Call<'_>, &Words) -> Answer);

const COMMANDS: &[&[Command]] = &[
    strings::COMMANDS,
    keys::COMMANDS,
    sorted::COMMANDS,
    hashes::COMMANDS,
    scripts::COMMANDS,
    channels::COMMANDS,
    server::COMMANDS,
    clients::COMMANDS,
];

/// What no script may do.
const NOT_IN_SCRIPTS: [&str; 9] =
    ["EVAL", "EVALSHA", "SCRIPT", "SUBSCRIBE", "UNSUBSCRIBE", "CLIENT", "HELLO", "AUTH", "QUIT"];
/// What takes memory, and what else writes.
const GROWS: [&str; 10] =
    ["HSET", "HINCRBY", "SET", "SETRANGE", "APPEND", "INCR", "DECR", "INCRBY", "DECRBY", "ZADD"];
const WRITES: [&str; 10] = [
    "HDEL",
    "DEL",
    "UNLINK",
    "PEXPIRE",
    "EXPIRE",
    "PERSIST",
    "ZREM",
    "ZREMRANGEBYRANK",
    "FLUSHALL",
    "FLUSHDB",
];
/// What may be done in version 2 of the protocol while subscribed.
const WHILE_SUBSCRIBED: [&str; 4] = ["SUBSCRIBE", "UNSUBSCRIBE", "PING", "QUIT"];

fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().copied().flatten().find(|command| command.0 == name)
}

fn fits(many: isize, words: &Words) -> bool {
    let given = words.len() as isize;
    if many < 0 { given >= -many } else { given == many }
}

/// Runs a command of a client.
pub(super) fn run(server: &Rc<State>, client: &Rc<Client>, words: &Words) -> Value {
    run_counted(&Call { server, client: Some(client), script: false }, words)
}

/// Runs a command of somebody without a connection.
pub(super) fn run_for_stranger(server: &Rc<State>, words: &Words) -> Value {
    run_counted(&Call { server, client: None, script: false }, words)
}

fn run_counted(call: &Call<'_>, words: &Words) -> Value {
    let name = upper(words.first().map_or(&[][..], |name| name));
    let answer = match find(&name) {
        None => Err(unknown(words)),
        Some(command) if !fits(command.1, words) => Err(wrong_number(&name)),
        Some(_) if is_deaf(call, &name) => Err(format!(
            "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this \
             context",
            name.to_lowercase()
        )
        .into()),
        Some(command) => may(call.server, &name, false).and_then(|()| (command.2)(call, words)),
    };
    *call.server.counts.borrow_mut().commands.entry(name).or_default() += 1;
    answer.unwrap_or_else(|wrong| Value::Error(wrong.into_owned()))
}

/// Runs a command of a script.
pub(super) fn run_in_script(server: &Rc<State>, words: &Words) -> Value {
    let name = upper(words.first().map_or(&[][..], |name| name));
    let answer = match find(&name) {
        None => Err("ERR Unknown Redis command called from script".into()),
        Some(command) if !fits(command.1, words) => {
            Err("ERR Wrong number of args calling Redis command from script".into())
        }
        Some(_) if NOT_IN_SCRIPTS.contains(&&*name) => {
            Err("ERR This Redis command is not allowed from script".into())
        }
        Some(command) => may(server, &name, server.has_written.get()).and_then(|()| {
            server.has_written.set(server.has_written.get() || writes(&name));
            (command.2)(&Call { server, client: None, script: true }, words)
        }),
    };
    answer.unwrap_or_else(|wrong| Value::Error(wrong.into_owned()))
}

fn writes(name: &str) -> bool {
    GROWS.contains(&name) || WRITES.contains(&name)
}

/// Whether the server lets anybody do that now. A script that has written may go on though there is no room.
fn may(server: &State, name: &str, has_written: bool) -> Result<(), Wrong> {
    if server.is_replica.get() && writes(name) {
        return Err("READONLY You can't write against a read only replica.".into());
    }
    if GROWS.contains(&name) && !has_written && server.is_full() {
        return Err("OOM command not allowed when used memory > 'maxmemory'.".into());
    }
    Ok(())
}

fn is_deaf(call: &Call<'_>, name: &str) -> bool {
    let subscribed = |client: &Rc<Client>| client.resp.get() == 2 && !client.channels.borrow().is_empty();
    call.client.is_some_and(subscribed) && !WHILE_SUBSCRIBED.contains(&name)
}

fn unknown(words: &Words) -> Wrong {
    let text = |word: &Vec<u8>| String::from_utf8_lossy(word).into_owned();
    let name = words.first().map(text).unwrap_or_default();
    let rest: String = words.iter().skip(1).map(|word| format!("'{}' ", text(word))).collect();
    format!("ERR unknown command '{name}', with args beginning with: {rest}").into()
}

fn wrong_number(name: &str) -> Wrong {
    format!("ERR wrong number of arguments for '{}' command", name.to_lowercase()).into()
}

/// For commands of two words, whose second one is not known.
fn unknown_second(first: &str, words: &Words) -> Wrong {
    let second = words.get(1).map(|word| String::from_utf8_lossy(word)).unwrap_or_default();
    format!("ERR unknown subcommand '{second}'. Try {first} HELP.").into()
}

fn upper(word: &[u8]) -> String {
    String::from_utf8_lossy(word).to_uppercase()
}

/// A word as an integer, written as Redis would write it.
fn integer(word: &[u8]) -> Result<i64, Wrong> {
    let number = str::from_utf8(word).ok().and_then(|text| text.parse::<i64>().ok());
    number.filter(|number| number.to_string().as_bytes() == word).ok_or(NO_INTEGER)
}

/// A text that stands under a name.
fn text(data: Option<&Data>) -> Result<Option<&Vec<u8>>, Wrong> {
    match data {
        None => Ok(None),
        Some(Data::Text(text)) => Ok(Some(text)),
        Some(_) => Err(WRONG_TYPE),
    }
}
