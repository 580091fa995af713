//! Which Redis, and how it is reached: addresses, credentials, TLS, Sentinel, Cluster; the keeper, which connects for ever.

pub(crate) mod address;
#[cfg(feature = "cluster")]
pub(crate) mod cluster;
pub(crate) mod credentials;
pub(crate) mod given;
pub(crate) mod greeting;
pub(crate) mod keeper;
pub(crate) mod line;
pub(crate) mod place;
#[cfg(feature = "sentinel")]
pub(crate) mod sentinel;
pub(crate) mod settings;
#[cfg(feature = "simulated")]
pub(crate) mod simulated;
#[cfg(feature = "tls")]
pub(crate) mod tls;
#[cfg(feature = "cluster")]
pub(crate) mod topology;
pub(crate) mod url;
