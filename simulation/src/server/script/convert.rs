//! Values of Redis as values of Lua, and back, as version 2 of the protocol has them.

use mlua::{Lua, Table, Value as LuaValue};

use crate::server::resp::{Value, double};

/// An argument of a command: a text or a number.
pub(super) fn word(value: &LuaValue) -> Option<Vec<u8>> {
    match value {
        LuaValue::String(text) => Some(text.as_bytes().to_vec()),
        LuaValue::Integer(number) => Some(double(*number as f64).into_bytes()),
        LuaValue::Number(number) => Some(double(*number).into_bytes()),
        _ => None,
    }
}

/// What a command answers to a script.
pub(super) fn to_lua(lua: &Lua, value: Value) -> mlua::Result<LuaValue> {
    let field = |name: &str, text: String| lua.create_table_from([(name, text)]).map(LuaValue::Table);
    match value {
        Value::Null => Ok(LuaValue::Boolean(false)),
        Value::Status(text) => field("ok", text),
        Value::Error(text) => field("err", text),
        // Numbers are doubles.
        Value::Int(number) => Ok(LuaValue::Number(number as f64)),
        Value::Double(number) => lua.create_string(double(number)).map(LuaValue::String),
        Value::Bulk(bytes) => lua.create_string(bytes).map(LuaValue::String),
        Value::Verbatim(text) => lua.create_string(text).map(LuaValue::String),
        Value::Array(values) | Value::Set(values) | Value::Push(values) | Value::Answers(values) => {
            let values =
                values.into_iter().map(|value| to_lua(lua, value)).collect::<mlua::Result<Vec<_>>>()?;
            lua.create_sequence_from(values).map(LuaValue::Table)
        }
        Value::Map(pairs) => {
            let values = pairs.into_iter().flat_map(|(key, value)| [key, value]).collect();
            to_lua(lua, Value::Array(values))
        }
    }
}

/// What a script returns: numbers lose what is behind the point, lists end where nothing is.
pub(super) fn from_lua(value: &LuaValue) -> Value {
    match value {
        LuaValue::String(text) => Value::bulk(text.as_bytes()),
        LuaValue::Integer(number) => Value::Int(*number),
        LuaValue::Number(number) => Value::Int(truncated(*number)),
        LuaValue::Boolean(true) => Value::Int(1),
        LuaValue::Table(table) => from_table(table),
        _ => Value::Null,
    }
}

/// As the processor does it: what is out of range is the lowest number.
fn truncated(number: f64) -> i64 {
    let in_range = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number);
    if in_range { number as i64 } else { i64::MIN }
}

fn from_table(table: &Table) -> Value {
    let text = |name| match table.raw_get(name) {
        Ok(LuaValue::String(text)) => Some(text.to_string_lossy()),
        _ => None,
    };
    if let Some(text) = text("err") {
        return Value::Error(text);
    }
    if let Some(text) = text("ok") {
        return Value::Status(text);
    }
    match table.raw_get("double") {
        Ok(LuaValue::Number(number)) => return Value::Double(number),
        Ok(LuaValue::Integer(number)) => return Value::Double(number as f64),
        _ => {}
    }
    let values = (1..).map_while(|at| table.raw_get::<LuaValue>(at).ok().filter(|value| !value.is_nil()));
    Value::Array(values.map(|value| from_lua(&value)).collect())
}
