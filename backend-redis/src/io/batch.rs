//! Commands that travel together, and their answers.

use std::vec;

use redis::{Cmd, Pipeline, Value};

use crate::io::failure::Failure;
use crate::stored::script::Script;

/// A command of one word and one name.
pub(crate) fn command(word: &str, name: &str) -> Cmd {
    let mut command = Cmd::with_capacity(2, word.len() + name.len());
    command.arg(word).arg(name);
    command
}

/// Commands to be sent in one go. Not a transaction: others' commands may come in between.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) pipeline: Pipeline,
    /// Which of them are scripts.
    pub(crate) scripts: Vec<(usize, &'static Script)>,
    /// Whether they may change anything.
    pub(crate) writes: bool,
    /// Whether names stand on several servers, so that no command can name more than one of them.
    pub(crate) apart: bool,
    /// On a cluster: the server that gets all of it, if they name no key.
    #[cfg(feature = "cluster")]
    pub(crate) to: Option<crate::connect::cluster::Server>,
}

impl Batch {
    /// A command that changes nothing.
    pub(crate) fn read(&mut self, command: Cmd) -> &mut Self {
        self.pipeline.add_command(command);
        self
    }

    /// Reads what stands under each of these names; [`Answers::next_values`] has it.
    pub(crate) fn read_values(&mut self, names: &[String]) -> &mut Self {
        if self.apart {
            for name in names {
                self.read(command("GET", name));
            }
        } else if !names.is_empty() {
            let bytes = names.iter().map(String::len).sum::<usize>();
            let mut command = Cmd::with_capacity(names.len() + 1, bytes + 4);
            self.read(command.arg("MGET").arg(names).take());
        }
        self
    }

    /// A command that may change something.
    pub(crate) fn write(&mut self, command: Cmd) -> &mut Self {
        self.writes = true;
        self.read(command)
    }

    /// A script by its hash; who sends the batch sends its source, too, if Redis has lost it.
    pub(crate) fn script(&mut self, script: &'static Script, keys: &[&str], args: &[&[u8]]) -> &mut Self {
        self.writes = true;
        self.harmless_script(script, keys, args)
    }

    /// The same for one that does no harm if it is done late, or twice.
    pub(crate) fn harmless_script(
        &mut self,
        script: &'static Script,
        keys: &[&str],
        args: &[&[u8]],
    ) -> &mut Self {
        self.scripts.push((self.pipeline.len(), script));
        let mut command = redis::cmd("EVALSHA");
        command.arg(script.hash()).arg(keys.len());
        keys.iter().for_each(|key| {
            command.arg(*key);
        });
        args.iter().for_each(|arg| {
            command.arg(*arg);
        });
        self.read(command)
    }
}

/// The answers of a batch, to be taken in order.
pub(crate) struct Answers {
    values: vec::IntoIter<Value>,
    apart: bool,
}

impl Answers {
    pub(crate) fn new(batch: &Batch, values: Vec<Value>) -> Self {
        Self { values: values.into_iter(), apart: batch.apart }
    }

    pub(crate) fn next(&mut self) -> Result<Value, Failure> {
        match self.values.next() {
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

    /// The answers to [`Batch::read_values`] of so many names.
    pub(crate) fn next_values(&mut self, names: usize) -> Result<vec::IntoIter<Value>, Failure> {
        let values = match names {
            0 => Vec::new(),
            _ if self.apart => (0..names).map(|_| self.next_value()).collect::<Result<_, _>>()?,
            _ => self.next_list()?,
        };
        if values.len() == names { Ok(values.into_iter()) } else { Err(Failure::Odd) }
    }

    /// As `MGET` has it: what is no string is as if it were not there, and none of the others' business.
    fn next_value(&mut self) -> Result<Value, Failure> {
        match self.values.next() {
            Some(Value::ServerError(error)) if error.code() == "WRONGTYPE" => Ok(Value::Nil),
            Some(Value::ServerError(error)) => Err(error.into()),
            value => value.ok_or(Failure::Odd),
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

/// A longer text, which may be marked as verbatim.
pub(crate) fn text(value: Value) -> Result<String, Failure> {
    Ok(match value {
        Value::VerbatimString { text, .. } => text,
        value => String::from_utf8_lossy(&bytes(value)?.unwrap_or_default()).into_owned(),
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_together_or_apart() {
        let (names, values) = (["a".to_owned(), "b".to_owned()], vec![Value::Nil, Value::Int(7)]);
        for apart in [false, true] {
            let mut batch = Batch { apart, ..Batch::default() };
            batch.read_values(&names).read_values(&[]);
            assert_eq!(batch.pipeline.len(), if apart { 2 } else { 1 });
            let from_redis = if apart { values.clone() } else { vec![Value::Array(values.clone())] };
            let mut answers = Answers::new(&batch, from_redis);
            let read: Vec<Value> = answers.next_values(2).expect("two").collect();
            assert_eq!(read, values);
            assert_eq!(answers.next_values(0).expect("none").len(), 0);
            answers.next_values(1).expect_err("there are no more");
        }
    }
}
