//! Scripts, run by the Lua that Redis runs them by.

mod convert;
mod pack;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Weak;

use mlua::chunk::ChunkMode;
use mlua::{Function, Lua, LuaOptions, MultiValue, StdLib, Table, Value as LuaValue, Variadic};
use sha1_smol::Sha1;

use super::commands::{Wrong, run_in_script};
use super::resp::Value;
use super::state::State;
use convert::{from_lua, to_lua, word};

/// What scripts are called in messages.
const SOURCE: &str = "@user_script";

/// The scripts that a server knows.
pub(super) struct Scripts {
    lua: Lua,
    known: RefCell<BTreeMap<String, Function>>,
    /// Calls a script so that what it throws says where.
    guarded: Function,
}

/// What a command has thrown.
#[derive(Debug)]
struct Thrown(String);

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Thrown {}

impl Scripts {
    /// None, of a server that is being made.
    ///
    /// # Panics
    /// If there is no memory for Lua.
    pub(super) fn new(server: Weak<State>) -> Self {
        // Its own libraries and our prelude: what can go wrong is in this file.
        Self::try_new(server).expect("Lua begins, and runs the prelude")
    }

    fn try_new(server: Weak<State>) -> mlua::Result<Self> {
        // A panic of ours is not for scripts to catch.
        let options = LuaOptions::new().catch_rust_panics(false);
        let lua = Lua::new_with(StdLib::TABLE | StdLib::STRING | StdLib::MATH, options)?;
        let other = server.clone();
        let call = lua.create_function(move |lua, words| match called(&server, words) {
            Value::Error(text) => Err(mlua::Error::external(Thrown(text))),
            value => to_lua(lua, value),
        })?;
        let pcall = lua.create_function(move |lua, words| to_lua(lua, called(&other, words)))?;
        let prelude = lua.load(include_str!("prelude.lua")).set_name("@prelude").into_function()?;
        let guarded = prelude.call((
            call,
            pcall,
            lua.create_function(|_, text: mlua::LuaString| Ok(sha1(&text.as_bytes())))?,
            lua.create_function(|lua, text: mlua::LuaString| {
                to_lua(lua, error_reply(&text.to_string_lossy()))
            })?,
            lua.create_function(tidy)?,
            lua.create_function(pack::pack)?,
            lua.create_function(pack::unpack)?,
            lua.create_function(placed)?,
        ))?;
        Ok(Self { lua, known: RefCell::default(), guarded })
    }

    /// Knows a script from now on, and what is to be run for it; by this name.
    pub(super) fn load(&self, source: &[u8], run: &[u8]) -> Result<String, Wrong> {
        let hash = sha1(source);
        if !self.knows(&hash) {
            let chunk = self.lua.load(run).set_name(SOURCE).set_mode(ChunkMode::Text);
            let script = chunk.into_function().map_err(|error| {
                let text = match &error {
                    mlua::Error::SyntaxError { message, .. } => message.clone(),
                    error => error.to_string(),
                };
                format!("ERR Error compiling script (new function): {text}")
            })?;
            self.known.borrow_mut().insert(hash.clone(), script);
        }
        Ok(hash)
    }

    pub(super) fn knows(&self, hash: &str) -> bool {
        self.known.borrow().contains_key(hash)
    }

    pub(super) fn forget(&self) {
        self.known.borrow_mut().clear();
    }

    /// What a script returns; `None` if there is none of that name.
    pub(super) fn run(&self, hash: &str, keys: &[Vec<u8>], args: &[Vec<u8>]) -> Option<Result<Value, Wrong>> {
        let script = self.known.borrow().get(hash).cloned()?;
        let outcome = self.call(script, keys, args);
        Some(match outcome {
            Ok((true, value)) => Ok(from_lua(&value)),
            Ok((false, LuaValue::Table(error))) => Err(said(hash, &error).into()),
            Ok((false, _)) => Err("ERR the script's error could not be read".into()),
            Err(error) => Err(format!("ERR Error running script {hash}, {error}").into()),
        })
    }

    fn call(&self, script: Function, keys: &[Vec<u8>], args: &[Vec<u8>]) -> mlua::Result<(bool, LuaValue)> {
        for (name, words) in [("KEYS", keys), ("ARGV", args)] {
            let words =
                words.iter().map(|word| self.lua.create_string(word)).collect::<mlua::Result<Vec<_>>>()?;
            self.lua.globals().raw_set(name, self.lua.create_sequence_from(words)?)?;
        }
        self.guarded.call(script)
    }
}

fn sha1(text: &[u8]) -> String {
    Sha1::from(text).digest().to_string()
}

/// A command of a script.
fn called(server: &Weak<State>, words: Variadic<LuaValue>) -> Value {
    // Its scripts die with the server.
    let Some(server) = server.upgrade() else { return Value::Error("ERR the server is gone".to_owned()) };
    if words.is_empty() {
        return Value::Error("ERR Please specify at least one argument for this redis lib call".to_owned());
    }
    match words.iter().map(word).collect::<Option<Vec<_>>>() {
        Some(words) => run_in_script(&server, &words),
        None => Value::Error("ERR Lua redis lib command arguments must be strings or integers".to_owned()),
    }
}

/// An error with its code, which is `ERR` where none is given.
fn error_reply(text: &str) -> Value {
    let text = text.trim_start_matches('-').trim_end_matches(['\r', '\n']);
    Value::Error(if text.contains(' ') { text.to_owned() } else { format!("ERR {text}") })
}

/// What `pcall` returns: what a command has thrown becomes its text.
fn tidy(lua: &Lua, values: MultiValue) -> mlua::Result<MultiValue> {
    let tidy = |value| match value {
        LuaValue::Error(error) => lua.create_string(text_of(&error)).map(LuaValue::String),
        value => Ok(value),
    };
    values.into_iter().map(tidy).collect()
}

fn text_of(error: &mlua::Error) -> String {
    error.downcast_ref::<Thrown>().map_or_else(|| error.to_string(), |thrown| thrown.0.clone())
}

/// Makes a table of whatever is thrown, with the line of the script where that was.
fn placed(lua: &Lua, thrown: LuaValue) -> mlua::Result<Table> {
    let table = match thrown {
        LuaValue::Table(table) => table,
        LuaValue::Error(error) => lua.create_table_from([("err", text_of(&error))])?,
        other => {
            let text = lua.coerce_string(other)?.map_or("(no text)".into(), |text| text.to_string_lossy());
            lua.create_table_from([("err", format!("ERR {text}"))])?
        }
    };
    let line = |level| {
        lua.inspect_stack(level, |frame| {
            let ours = frame.source().source.as_deref() == Some(SOURCE);
            frame.current_line().filter(|_| ours)
        })
    };
    let line = (0..).map_while(line).flatten().next();
    table.raw_set("line", line)?;
    Ok(table)
}

/// How Redis says that a script has failed.
fn said(hash: &str, error: &Table) -> String {
    let text = match error.raw_get("err") {
        Ok(LuaValue::String(text)) => text.to_string_lossy(),
        _ => "ERR unknown error".to_owned(),
    };
    match error.raw_get::<Option<u32>>("line") {
        Ok(Some(line)) => format!("{text} script: {hash}, on {SOURCE}:{line}."),
        _ => text,
    }
}
