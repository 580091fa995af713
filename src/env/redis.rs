//! Where Redis is, as the environment says it.

use std::time::Duration;

use backend_redis::{Redis, RedisBuilder};
use cache_core::wire::Codec;
use cache_core::{Error, ErrorKind, Result};

use super::{time, wrong};

type Timeout = fn(RedisBuilder, Duration) -> RedisBuilder;

const TIMEOUTS: [(&str, Timeout); 3] = [
    ("LARDER_REDIS_CONNECT_TIMEOUT", RedisBuilder::connect_timeout),
    ("LARDER_REDIS_RESPONSE_TIMEOUT", RedisBuilder::response_timeout),
    ("LARDER_REDIS_OPERATION_TIMEOUT", RedisBuilder::operation_timeout),
];

/// A handle, if a Redis is named; its entries are apart by `namespace`.
pub(super) async fn described_by(
    variable: impl Fn(&str) -> Option<String>,
    namespace: Option<&str>,
) -> Result<Option<Redis>> {
    let (named_by, mut builder) = if let Some(url) = variable("REDIS_URL") {
        ("REDIS_URL", Redis::builder(url.trim()))
    } else if let Some(host) = variable("REDIS_HOST") {
        ("REDIS_HOST", Redis::at(plain(&host)?, port(&variable)?))
    } else {
        return Ok(None);
    };
    if let Some(name) = variable("REDIS_USERNAME") {
        builder = builder.username(name.trim());
    }
    if let Some(password) = variable("REDIS_PASSWORD") {
        builder = builder.password(password);
    }
    if let Some(number) = variable("REDIS_DB") {
        let rule = "is the number of a database, such as 0";
        builder = builder.database(number.trim().parse().map_err(|_| wrong("REDIS_DB", &number, rule))?);
    }
    for (name, set) in TIMEOUTS {
        if let Some(value) = variable(name) {
            builder = set(builder, time(name, &value)?);
        }
    }
    if let Some(name) = variable("LARDER_REDIS_CODEC") {
        builder = builder.codec(codec(&name)?);
    }
    if let Some(namespace) = namespace {
        builder = builder.namespace(namespace);
    }
    match builder.connect().await {
        Ok(redis) => Ok(Some(redis)),
        // Says what is wrong without the value, which may hold a password.
        Err(error) if error.kind() == ErrorKind::InvalidConfig => {
            Err(Error::new(ErrorKind::InvalidConfig, format!("{named_by}: {error}")))
        }
        Err(error) => Err(error),
    }
}

/// A host, and nothing else. It is not shown: an URL in its place may hold a password.
fn plain(host: &str) -> Result<&str> {
    let host = host.trim();
    if host.contains([':', '/', '@']) && host.parse::<std::net::Ipv6Addr>().is_err() {
        let why =
            "it holds more than a host, such as 10.0.0.1: a port goes in REDIS_PORT, an URL in REDIS_URL";
        return Err(Error::new(ErrorKind::InvalidConfig, format!("REDIS_HOST cannot be: {why}")));
    }
    Ok(host)
}

fn codec(name: &str) -> Result<Codec> {
    let rule = match &*name.trim().to_ascii_lowercase() {
        "postcard" => return Ok(Codec::Postcard),
        #[cfg(feature = "json")]
        "json" => return Ok(Codec::Json),
        #[cfg(feature = "bincode")]
        "bincode" => return Ok(Codec::Bincode),
        #[cfg(not(feature = "json"))]
        "json" => "needs a larder that is built with the feature `json`",
        #[cfg(not(feature = "bincode"))]
        "bincode" => "needs a larder that is built with the feature `bincode`",
        _ => "is postcard, json or bincode",
    };
    Err(wrong("LARDER_REDIS_CODEC", name, rule))
}

fn port(variable: impl Fn(&str) -> Option<String>) -> Result<u16> {
    let Some(port) = variable("REDIS_PORT") else { return Ok(6379) };
    let rule = "is the number of a port, such as 6379";
    port.trim().parse().ok().filter(|port| *port > 0).ok_or_else(|| wrong("REDIS_PORT", &port, rule))
}

#[cfg(test)]
mod tests {
    use cache_core::ErrorKind;

    use super::*;

    fn ask(variables: &[(&str, &str)]) -> Result<Option<Redis>> {
        let variable = |name: &str| {
            variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(described_by(variable, None))
    }

    #[test]
    fn without_an_address_there_is_none() {
        let rest = [("REDIS_PORT", "tcp://10.0.0.1:6379"), ("REDIS_PASSWORD", "hunter2"), ("REDIS_DB", "x")];
        assert!(ask(&rest).expect("not looked at").is_none());
    }

    #[test]
    fn a_redis_that_is_not_there_is_no_error() {
        for named in [("REDIS_URL", "redis://:hunter2@127.0.0.1:1/2"), ("REDIS_HOST", "127.0.0.1")] {
            let rest = [("REDIS_PORT", "1"), ("REDIS_PASSWORD", " hunter2"), ("REDIS_DB", "3")];
            let times = [("LARDER_REDIS_CONNECT_TIMEOUT", "250ms"), ("LARDER_REDIS_RESPONSE_TIMEOUT", "1s")];
            let redis = ask(&[&[named], &rest[..], &times[..]].concat()).expect("a handle").expect("a Redis");
            assert!(redis.connection().connected_for.is_none());
            assert!(!format!("{redis:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_user_without_a_password_is_refused() {
        for named in [("REDIS_URL", "redis://127.0.0.1:1/"), ("REDIS_HOST", "127.0.0.1")] {
            let error = ask(&[named, ("REDIS_USERNAME", "ada")]).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::InvalidConfig);
            assert!(error.to_string().contains("REDIS_PASSWORD"), "{error}");
        }
        let url = ("REDIS_URL", "redis://:hunter2@127.0.0.1:1/");
        assert!(ask(&[url, ("REDIS_USERNAME", "ada")]).expect("a handle").is_some());
    }

    #[test]
    fn a_host_is_no_address() {
        for host in ["127.0.0.1:6379", "redis://u:hunter2@localhost", "user:hunter2@localhost"] {
            let error = ask(&[("REDIS_HOST", host)]).expect_err("refused");
            assert!(error.to_string().contains("REDIS_PORT") && !error.to_string().contains("hunter2"));
        }
        assert_eq!(plain(" ::1 ").expect("a host"), "::1");
    }

    #[test]
    fn a_bad_value_is_an_error_that_names_its_variable_and_shows_no_secret() {
        let bad = [
            ("REDIS_URL", "http://u:hunter2@127.0.0.1/"),
            ("REDIS_URL", "redis://u:hunter2@127.0.0.1/one"),
            ("REDIS_PORT", "tcp://10.0.0.1:6379"),
            ("REDIS_PORT", "0"),
            ("LARDER_REDIS_CODEC", "yaml"),
            #[cfg(not(feature = "json"))]
            ("LARDER_REDIS_CODEC", "json"),
            #[cfg(not(feature = "bincode"))]
            ("LARDER_REDIS_CODEC", "bincode"),
            ("REDIS_DB", "-1"),
            ("LARDER_REDIS_CONNECT_TIMEOUT", "0s"),
            ("LARDER_REDIS_RESPONSE_TIMEOUT", "500"),
            ("LARDER_REDIS_OPERATION_TIMEOUT", "soon"),
        ];
        for (name, value) in bad {
            let error = ask(&[(name, value), ("REDIS_HOST", "127.0.0.1"), ("REDIS_PASSWORD", "hunter2")]);
            let error = error.expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::InvalidConfig);
            assert!(error.to_string().contains(name), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
