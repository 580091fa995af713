//! Commands that travel together, and their answers.

use redis::{Cmd, Pipeline, Value};

use crate::failure::Failure;
use crate::script::Script;

/// Commands to be sent in one go. Not a transaction: others' commands may come in between.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) pipeline: Pipeline,
    /// Which of them are scripts.
    pub(crate) scripts: Vec<(usize, &'static Script)>,
    /// Whether they may change anything.
    pub(crate) writes: bool,
}

impl Batch {
    /// A command that changes nothing.
    pub(crate) fn read(&mut self, command: Cmd) -> &mut Self {
        self.pipeline.add_command(command);
        self
    }

    /// A command that may change something.
    pub(crate) fn write(&mut self, command: Cmd) -> &mut Self {
        self.writes = true;
        self.read(command)
    }

    /// A script by its hash; who sends the batch sends its source, too, if Redis has lost it.
    pub(crate) fn script(&mut self, script: &'static Script, keys: &[&str], args: &[&[u8]]) -> &mut Self {
        self.scripts.push((self.pipeline.len(), script));
        let mut command = redis::cmd("EVALSHA");
        command.arg(script.hash()).arg(keys.len());
        keys.iter().for_each(|key| {
            command.arg(*key);
        });
        args.iter().for_each(|arg| {
            command.arg(*arg);
        });
        self.write(command)
    }
}

/// The answers of a batch, to be taken in order.
pub(crate) struct Answers(std::vec::IntoIter<Value>);

impl Answers {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    pub(crate) fn next(&mut self) -> Result<Value, Failure> {
        match self.0.next() {
            Some(Value::ServerError(error)) => Err(error.into()),
            Some(value) => Ok(value),
            None => Err(Failure::Odd),
        }
    }

    pub(crate) fn next_number(&mut self) -> Result<i64, Failure> {
        match self.next()? {
            Value::Int(number) => Ok(number),
            _ => Err(Failure::Odd),
        }
    }

    pub(crate) fn next_list(&mut self) -> Result<Vec<Value>, Failure> {
        match self.next()? {
            Value::Array(values) => Ok(values),
            _ => Err(Failure::Odd),
        }
    }
}

/// A text as Redis answers it; `None` for nil.
pub(crate) fn bytes(value: Value) -> Result<Option<Vec<u8>>, Failure> {
    match value {
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::SimpleString(text) => Ok(Some(text.into_bytes())),
        Value::Okay => Ok(Some(b"OK".to_vec())),
        Value::Nil => Ok(None),
        _ => Err(Failure::Odd),
    }
}

/// A whole number, as text or as it is.
pub(crate) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        Value::Double(number) => Some(*number as u64),
        _ => None,
    }
}
