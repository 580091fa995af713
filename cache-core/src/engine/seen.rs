//! What other nodes see of a change, and this one of theirs.

use super::Engine;
use crate::listener::{Listener, Notices};
use crate::reply::Reply;
use crate::target::{Strength, Target};
use crate::token::Token;

impl Engine {
    /// The reply of a change, whose [`acked`](Reply::acked) waits for those who share the store, if anybody does.
    pub(crate) fn acknowledgeable<'a, T>(&self, reply: Reply<'a, T>) -> Reply<'a, T> {
        match self.notices {
            Notices::Needless => reply,
            Notices::Given | Notices::Withheld => reply.changed_in(&self.cache),
        }
    }

    /// What stands for all that this process has changed until now, and for all that it knows to have been changed: to be
    /// taken once a write has answered, and presented by whoever is to see at least that write.
    ///
    /// ```
    /// # let (here, there) = (larder::Larder::memory(100), larder::Larder::memory(100));
    /// // On one node: the user changes his name, and gets a cookie with the answer.
    /// here.set("user:42", "Ada".to_owned(), larder::ttl::SHORT).wait()?;
    /// let cookie = here.token().wait()?.to_string();
    ///
    /// // On another, which his next request comes to.
    /// there.read_after(&cookie.parse()?).wait()?;
    /// // What is read now is at least as new.
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// Costs a round trip to a store elsewhere. Of caches in one process all tokens are the same.
    ///
    /// # Errors
    /// `Unavailable`, if the store cannot be asked.
    pub fn token(&self) -> Reply<'_, Token> {
        self.cache.token()
    }

    /// When this has answered, what is read here later is at least as new as what `token` stands for: for whoever comes from
    /// another node, with what [`token`](Engine::token) gave there.
    ///
    /// Answers at once where that much has been seen here already, and costs a round trip otherwise (on a cluster some).
    ///
    /// # Errors
    /// `Unavailable`: the store cannot be reached, so nobody here knows. Read on for what is there and may be older, or from
    /// the source.
    pub fn read_after(&self, token: &Token) -> Reply<'_, ()> {
        let reply = self.cache.read_after(token);
        if self.notices != Notices::Withheld {
            return reply;
        }
        // Nobody says which of the loads in flight began before it.
        reply.map(|()| self.shared.changed(Target::All, Strength::Remove))
    }
}
