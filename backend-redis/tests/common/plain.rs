//! What most tests do with a Redis, in short.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::sync::Arc;
use std::time::Duration;

use backend_redis::Redis;
use cache_core::{Cache, Fence, Kind, Lifetime, Result, Set, Stored, Value};

pub(crate) const MINUTE: Lifetime =
    Lifetime { fresh: Duration::from_secs(60), total: Duration::from_secs(120) };
/// A Redis that came back is in use by then.
pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) fn text(value: &str) -> Value {
    Value::new(Arc::new(value.to_owned()))
}

pub(crate) fn tags(tags: &[&str]) -> Vec<Box<str>> {
    tags.iter().map(|tag| Box::from(*tag)).collect()
}

pub(crate) fn put(redis: &Redis, key: &str, value: &str) -> Result<Stored> {
    put_tagged(redis, key, value, &[], None)
}

pub(crate) fn put_tagged(
    redis: &Redis,
    key: &str,
    value: &str,
    bears: &[&str],
    fence: Option<Fence>,
) -> Result<Stored> {
    let set = Set { tags: &tags(bears), fence, ..Set::new(MINUTE) };
    redis.set(key, text(value), set).wait()
}

pub(crate) fn get(redis: &Redis, key: &str) -> Result<Option<String>> {
    let entry = redis.get(key, Kind::of::<String>()).wait()?;
    Ok(entry.map(|entry| entry.value.downcast::<String>().expect("a text").to_string()))
}

pub(crate) fn there(redis: &Redis, key: &str) -> Result<bool> {
    get(redis, key).map(|value| value.is_some())
}

pub(crate) fn is_up(redis: &Redis) -> bool {
    redis.connection().connected_for.is_some()
}

/// The names in Redis that match `pattern`.
pub(crate) fn names(raw: &mut redis::Connection, pattern: &str) -> Vec<String> {
    redis::cmd("KEYS").arg(pattern).query(raw).expect("names")
}

/// Runs a command of a raw client.
pub(crate) fn run(raw: &mut redis::Connection, command: &[&str]) -> redis::Value {
    redis::cmd(command[0]).arg(&command[1..]).query(raw).expect("done")
}
