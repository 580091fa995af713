//! A connection, of whichever kind.

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Value};

#[cfg(feature = "cluster")]
use crate::connect::cluster::Spread;
use crate::connect::given::Given;
use crate::io::batch::Batch;

/// Clones share one connection.
#[derive(Clone)]
pub(crate) enum Line {
    /// To one server, made here.
    One(One),
    /// Made by the program.
    Given(Given),
    /// To all servers of a cluster.
    #[cfg(feature = "cluster")]
    Spread(Spread),
}

#[derive(Clone)]
pub(crate) struct One {
    pub(crate) connection: MultiplexedConnection,
    /// Whether the server can say on it what it was not asked for: it speaks RESP3.
    pub(crate) hears: bool,
}

impl Line {
    /// Sends the commands; their answers, errors of single commands among them. On a cluster each goes to the server
    /// that has its key, or all to one that is named.
    pub(crate) async fn send(&mut self, batch: &Batch) -> RedisResult<Vec<Value>> {
        let pipeline = &batch.pipeline;
        match self {
            #[cfg(feature = "cluster")]
            Self::Spread(spread) => Box::pin(spread.send(pipeline, batch.to.as_ref())).await,
            Self::One(one) => one.connection.send_packed_commands(pipeline, 0, pipeline.len()).await,
            Self::Given(given) => given.connection().req_packed_commands(pipeline, 0, pipeline.len()).await,
        }
    }

    /// Whether it is larder's alone, so that larder may have the server close it.
    pub(crate) fn is_ours_alone(&self) -> bool {
        matches!(self, Self::One(_))
    }

    /// Whether the server can say on it what it was not asked for.
    pub(crate) fn hears(&self) -> bool {
        match self {
            Self::One(one) => one.hears,
            Self::Given(_) => false,
            #[cfg(feature = "cluster")]
            Self::Spread(_) => true,
        }
    }

    /// What may be wrong with it where nothing comes back.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Given(given) => given.advice(),
            _ => "",
        }
    }

    /// Whether names stand on several servers.
    pub(crate) fn is_spread(&self) -> bool {
        #[cfg(feature = "cluster")]
        return matches!(self, Self::Spread(_));
        #[cfg(not(feature = "cluster"))]
        false
    }
}
