//! What can go wrong between here and Redis, and how users are told.

use std::time::Duration;

use cache_core::Error;
use redis::{ErrorKind, RedisError, ServerError};
use tokio::time::timeout;

/// Why a batch of commands has no answer, or a command a bad one.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// There is no connection, and why.
    Down(String),
    /// It was sent, and nobody knows what became of it.
    Lost(String),
    /// Redis said no.
    Refused(String),
    /// Redis said what cannot be.
    Odd,
}

impl Failure {
    /// Whether Redis has no room for what would be written.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self, Self::Refused(why) if why.contains("OOM"))
    }

    /// What was refused for reasons that concern more than one key.
    pub(crate) fn refused_in_general(&self) -> Option<&str> {
        let Self::Refused(why) = self else { return None };
        ["NOPERM", "OOM", "MISCONF"].iter().any(|code| why.starts_with(code)).then_some(why)
    }

    /// Why, in words.
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Down(why) | Self::Lost(why) | Self::Refused(why) => why,
            Self::Odd => {
                "it answers what larder does not understand: does another program use larder's keys?"
            }
        }
    }

    /// As an error of an operation: `what` was tried, on which key.
    pub(crate) fn into_error(self, what: &str) -> Error {
        let message = match &self {
            Self::Down(why) => {
                format!("{what}: Redis {} ({why}); it is tried again by itself, see `health()`", unused(why))
            }
            Self::Lost(why) => {
                format!("{what}: whether it was done is not known, the connection to Redis was lost ({why})")
            }
            Self::Refused(why) => format!("{what}: Redis says {why}"),
            Self::Odd => format!("{what}: Redis cannot be used, {}", self.words()),
        };
        Error::new(cache_core::ErrorKind::Unavailable, message)
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        Self::Refused(said(error.code(), error.details()))
    }
}

/// What Redis does where there is no connection, and `why` there is none: one that refuses is there.
pub(crate) fn unused(why: &str) -> &'static str {
    let refusals = ["WRONGPASS", "NOAUTH", "NOPERM", "Authentication required", REFUSES_LOGIN, NO_DATABASE];
    let refuses = refusals.iter().any(|refusal| why.contains(refusal));
    if refuses { "refuses the connection" } else { "is not reachable" }
}

const REFUSES_LOGIN: &str = "it refuses the password, or user and password, that it was given";
const NO_DATABASE: &str = "it has no database of that number";

/// What comes of `work`; a failure if it takes longer than its limit, if it has one.
pub(crate) async fn within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match limit {
        Some(limit) => {
            let late = |_| Err(Failure::Lost(format!("no answer within {limit:?}")));
            timeout(limit, work).await.unwrap_or_else(late)
        }
        None => work.await,
    }
}

/// What a server said, and what to do about it.
fn said(code: &str, details: Option<&str>) -> String {
    let advice = match code {
        "LOADING" => "it still reads its data from disk",
        "READONLY" => "it is a replica, or has become one: connect to its primary, or through its sentinels",
        "MOVED" | "ASK" => {
            "another server of a Redis Cluster has that slot: connect by `Redis::cluster` (feature `redis-cluster`)"
        }
        "NOAUTH" => {
            "it asks for a password, and was given none: give it one, by REDIS_PASSWORD, the URL or `RedisBuilder::password`"
        }
        "WRONGPASS" => {
            "it refuses the user and password that it was given: see REDIS_USERNAME and REDIS_PASSWORD, the URL, or \
             `RedisBuilder`, and ACL LIST there"
        }
        "NOPERM" => {
            "its ACL keeps larder's user from what larder needs: the guide's chapter on Redis has an ACL SETUSER that does not"
        }
        "OOM" => "it is full and may not evict: raise its `maxmemory`, or set `maxmemory-policy allkeys-lru`",
        "MISCONF" => "it takes no writes, as it cannot save to disk: see its log",
        "CLUSTERDOWN" => "the cluster has lost some of its slots",
        "MASTERDOWN" => "it has lost its primary",
        "BUSY" => "it is busy with a script of somebody's",
        _ => "",
    };
    let details = details.map(|details| format!(": {details}")).unwrap_or_default();
    if advice.is_empty() { format!("{code}{details}") } else { format!("{code}{details} ({advice})") }
}

/// What a connection says that has failed. The texts of redis-rs hold neither address nor password.
pub(crate) fn reason(error: &RedisError) -> String {
    match error.kind() {
        // redis-rs does not hand on which of these it is.
        ErrorKind::AuthenticationFailed => {
            let details = error.detail().map(|details| format!(" ({details})")).unwrap_or_default();
            let none = "it has no password, and was given one: then leave it out";
            format!("{REFUSES_LOGIN}{details}; or {none}")
        }
        // Whatever it is, its words stay on one line.
        ErrorKind::Parse => {
            let words = error.to_string();
            let words =
                words.split(|c: char| c.is_whitespace() || c.is_control()).collect::<Vec<_>>().join(" ");
            format!("it does not answer as a Redis does: is it one? ({})", words.trim())
        }
        _ if error.to_string().contains("DB index is out of range") => {
            let where_it_is = "the end of the URL, REDIS_DB or `RedisBuilder::database`";
            format!("{NO_DATABASE}: see {where_it_is}, and its own setting `databases`")
        }
        _ => match error.code() {
            Some(code) => said(code, error.detail()),
            None => error.to_string(),
        },
    }
}
