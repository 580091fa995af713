//! The thread that speaks with Redis: calls, batches, sessions, the queue of what is undelivered, failures.

pub(crate) mod batch;
pub(crate) mod channel;
pub(crate) mod ears;
pub(crate) mod failure;
pub(crate) mod flag;
pub(crate) mod flood;
pub(crate) mod link;
pub(crate) mod notices;
pub(crate) mod queue;
pub(crate) mod session;
pub(crate) mod subscription;
pub(crate) mod thread;
pub(crate) mod told;
