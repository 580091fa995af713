//! A connection, of whichever kind.

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisResult, Value};

use crate::given::Given;

/// Clones share one connection.
#[derive(Clone)]
pub(crate) enum Line {
    /// To one server, made here.
    One(MultiplexedConnection),
    /// Made by the program.
    Given(Given),
}

impl Line {
    /// Sends the commands; their answers, errors of single commands among them.
    pub(crate) async fn send(&mut self, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        match self {
            Self::One(connection) => connection.send_packed_commands(pipeline, 0, pipeline.len()).await,
            Self::Given(given) => given.connection().req_packed_commands(pipeline, 0, pipeline.len()).await,
        }
    }

    /// Whether it is larder's alone, so that larder may have the server close it.
    pub(crate) fn is_ours_alone(&self) -> bool {
        matches!(self, Self::One(_))
    }

    /// What may be wrong with it where nothing comes back.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Given(given) => given.advice(),
            Self::One(_) => "",
        }
    }
}
