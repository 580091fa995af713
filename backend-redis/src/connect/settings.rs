//! What a connection can be told.

use std::time::Duration;

use cache_core::{Error, ErrorKind, Result};
use redis::Cmd;

use crate::connect::place::{Dial, Place};

/// How Redis is reached, and how long anything may take. Holds passwords, so it is not to be shown.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) place: Place,
    pub(crate) dial: Dial,
    pub(crate) namespace: String,
    /// What the program wants its connections to be called.
    pub(crate) client: Option<String>,
    /// For one round trip.
    pub(crate) response: Duration,
    /// For a whole operation, of however many round trips.
    pub(crate) operation: Duration,
    /// How many undelivered invalidations are kept one by one.
    pub(crate) queue: usize,
    /// For how long a load may hold the place of its value, and a mark that nobody needs is kept: far longer than
    /// between looking for one and making one.
    pub(crate) hold: Duration,
    /// How many bytes of an encoded value are sent.
    pub(crate) max_value: usize,
}

impl Settings {
    /// Whether Redis is spoken with on a thread of its own.
    pub(crate) fn have_a_thread(&self) -> bool {
        #[cfg(feature = "simulated")]
        return !self.dial.streams.are_all_there_is();
        #[cfg(not(feature = "simulated"))]
        true
    }

    /// The same, of a namespace within this one.
    pub(crate) fn within(&self, namespace: &str) -> Result<Self> {
        check_namespace(namespace)?;
        let namespace = match (&*self.namespace, namespace) {
            (outer, "") => outer.to_owned(),
            ("", inner) => inner.to_owned(),
            // No part of it has a `:` in it.
            (outer, inner) => format!("{outer}:{inner}"),
        };
        Ok(Self { namespace, ..self.clone() })
    }

    /// The command that names a connection for `CLIENT LIST`, which takes no more than visible ASCII.
    pub(crate) fn name_client(&self) -> Cmd {
        let namespace = if self.namespace.is_empty() { "-" } else { &self.namespace };
        let name = self.client.clone().unwrap_or_else(|| format!("larder:{namespace}"));
        let name: String = name.chars().map(|c| if c.is_ascii_graphic() { c } else { '_' }).collect();
        redis::cmd("CLIENT").arg("SETNAME").arg(name).take()
    }
}

pub(crate) fn check_namespace(namespace: &str) -> Result<()> {
    if namespace.len() > 256 || namespace.contains(|c: char| c == ':' || c.is_control()) {
        let rule = "a namespace is at most 256 bytes without `:` and control characters";
        let message = format!("namespace {namespace:?} cannot be used: {rule}");
        return Err(Error::new(ErrorKind::InvalidConfig, message));
    }
    Ok(())
}
