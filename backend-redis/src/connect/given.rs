//! A connection that the program made, and larder uses too.

use redis::aio::ConnectionLike;
use tokio::runtime::{Handle, RuntimeFlavor};

trait Share: Send {
    fn share(&self) -> Box<dyn Share>;
    fn connection(&mut self) -> &mut (dyn ConnectionLike + Send);
}

impl<C: ConnectionLike + Clone + Send + 'static> Share for C {
    fn share(&self) -> Box<dyn Share> {
        Box::new(self.clone())
    }

    fn connection(&mut self) -> &mut (dyn ConnectionLike + Send) {
        self
    }
}

/// Clones share one connection, as its own clones do.
pub(crate) struct Given {
    shared: Box<dyn Share>,
    /// Whether it was handed in on a runtime that has one thread, which a caller who waits would stop.
    one_thread: bool,
}

impl Given {
    pub(crate) fn new(connection: impl ConnectionLike + Clone + Send + 'static) -> Self {
        let runtime = Handle::try_current();
        let one_thread = runtime.is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::CurrentThread);
        Self { shared: Box::new(connection), one_thread }
    }

    pub(crate) fn connection(&mut self) -> &mut (dyn ConnectionLike + Send) {
        self.shared.connection()
    }

    pub(crate) fn advice(&self) -> &'static str {
        if self.one_thread {
            "; the connection was handed in on a runtime of one thread: there, await replies and do not `wait()` for \
             them, or let larder connect by itself"
        } else {
            ""
        }
    }
}

impl Clone for Given {
    fn clone(&self) -> Self {
        Self { shared: self.shared.share(), one_thread: self.one_thread }
    }
}
