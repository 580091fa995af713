//! A cache as the environment describes it.

use std::time::Duration;

use cache_core::{Error, ErrorKind, Result};

use crate::{Larder, LarderBuilder, Memory};

#[cfg(feature = "redis")]
mod redis;

impl Larder {
    /// A cache as the environment describes it; what is not set is at its default. A variable that is empty, or blank, counts as
    /// not set, as deployment tools pass on what they were not given: with an empty `REDIS_URL` (and no `REDIS_HOST`) it is
    /// memory alone, which is no error. Where a Redis must be, ask: [`Health::remote`](crate::Health::remote) is `None` then.
    ///
    /// | variable | says |
    /// |---|---|
    /// | `LARDER_CAPACITY` | how many entries it holds in memory, also in front of Redis; 10 000 |
    /// | `LARDER_NAMESPACE` | the prefix of its keys, or with Redis the namespace of [`RedisBuilder`](crate::RedisBuilder::namespace); none |
    /// | `LARDER_TTL` | the TTL of [`Policy::default`](crate::Policy::default), as `90s`, `5m`, `1h30m`, `250ms`; five minutes |
    /// | `LARDER_L1_TTL` | for how long a copy in memory is served at most before Redis is asked again ([`l1_ttl`](crate::LarderBuilder::l1_ttl)), as `LARDER_TTL`; `0` keeps no copies; as long as it is fresh |
    /// | `LARDER_CUT_OFF_TTL` | for how long copies are trusted while the process is not told what others change ([`cut_off_ttl`](crate::LarderBuilder::cut_off_ttl)); `0` not at all; `5s` |
    /// | `LARDER_SAMPLER` | how often an entry of memory is compared with that of Redis ([`sampler`](crate::LarderBuilder::sampler)), as `LARDER_TTL`; never |
    /// | `LARDER_DISABLED` | `1` or `true` switches it off; `0`, `false` or nothing does not. What it invalidates goes to Redis all the same, for those who are on |
    /// | `REDIS_URL` | where the Redis is, with the feature `redis`: `redis://[[user]:password@]host[:port][/database]`, `rediss://..` (feature `tls`) or `unix:///path/to/socket`; see [`Redis::connect`](crate::Redis::connect). Then entries are held there |
    /// | `REDIS_HOST`, `REDIS_PORT` | the same, where there is no URL; 6379 |
    /// | `REDIS_USERNAME`, `REDIS_PASSWORD`, `REDIS_DB` | go before what stands in the URL; the default user, no password, database 0. A user needs a password |
    /// | `LARDER_REDIS_CONNECT_TIMEOUT` | how long a connection may take to stand, as `LARDER_TTL`; `500ms` |
    /// | `LARDER_REDIS_RESPONSE_TIMEOUT` | how long a round trip may take; `500ms` |
    /// | `LARDER_REDIS_OPERATION_TIMEOUT` | how long an operation may take; `2s` |
    /// | `LARDER_REDIS_CODEC` | how values are encoded: `postcard`, or `json` or `bincode` with the feature of that name; `postcard` |
    ///
    /// With Redis, memory stands in front of it: see [`Tiered`](crate::Tiered). Whether Redis can be reached is not asked: it
    /// is joined when it comes. Without `REDIS_URL` and `REDIS_HOST` the other variables of Redis count for nothing.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let cache = larder::Larder::from_env().await?;
    /// # let _ = cache;
    /// # Ok::<(), larder::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// `InvalidConfig`, naming the variable, for a value that cannot be; that of `REDIS_URL` and `REDIS_PASSWORD` is not
    /// shown. The same if a Redis is named, but the feature `redis` is off. `Unavailable` if the system gives no thread.
    pub async fn from_env() -> Result<Self> {
        described_by(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())).await
    }
}

/// A cache as the variables describe it, asked for by name.
async fn described_by(variable: impl Fn(&str) -> Option<String>) -> Result<Larder> {
    let variable = &|name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let (builder, namespace) = (LarderBuilder::from_variables(variable)?, namespace(variable)?);
    #[cfg(feature = "redis")]
    if let Some(redis) = redis::described_by(variable, namespace.as_deref()).await? {
        // Redis keeps its namespaces apart by itself, so that `clear` looks at no other's keys.
        let builder = match namespace {
            Some(namespace) => builder.name(namespace),
            None => builder,
        };
        return builder.redis(redis).try_build();
    }
    #[cfg(not(feature = "redis"))]
    for name in ["REDIS_URL", "REDIS_HOST"] {
        // Its value may hold a password, and is not shown.
        if variable(name).is_some() {
            let why =
                "is set, but this larder is built without Redis: unset it, or enable the feature `redis`";
            return Err(Error::new(ErrorKind::InvalidConfig, format!("{name} {why}")));
        }
    }
    match namespace {
        Some(namespace) => builder.namespace(&namespace),
        None => builder,
    }
    .try_build()
}

fn namespace(variable: impl Fn(&str) -> Option<String>) -> Result<Option<String>> {
    let Some(namespace) = variable("LARDER_NAMESPACE") else { return Ok(None) };
    let namespace = namespace.trim();
    if namespace.len() > 256 || namespace.contains(|c: char| c == ':' || c.is_control()) {
        let rule = "is 1 to 256 bytes without `:` and control characters, such as campus";
        return Err(wrong("LARDER_NAMESPACE", namespace, rule));
    }
    Ok(Some(namespace.to_owned()))
}

impl LarderBuilder {
    /// What the variables say of anything but Redis and the namespace.
    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let mut memory = Memory::builder();
        if let Some(capacity) = variable("LARDER_CAPACITY") {
            let entries = capacity.trim().parse().ok().filter(|entries| *entries > 0);
            memory = memory.capacity(entries.ok_or_else(|| {
                wrong("LARDER_CAPACITY", &capacity, "is a number of entries, at least 1, such as 100000")
            })?);
        }
        let mut builder = Self::default().memory(memory.build());
        if let Some(ttl) = variable("LARDER_TTL") {
            builder = builder.default_ttl(time("LARDER_TTL", &ttl)?);
        }
        if let Some(ttl) = variable("LARDER_L1_TTL") {
            builder = builder.l1_ttl(time_or_zero("LARDER_L1_TTL", &ttl)?);
        }
        if let Some(ttl) = variable("LARDER_CUT_OFF_TTL") {
            builder = builder.cut_off_ttl(time_or_zero("LARDER_CUT_OFF_TTL", &ttl)?);
        }
        if let Some(every) = variable("LARDER_SAMPLER") {
            builder = builder.sampler(time("LARDER_SAMPLER", &every)?);
        }
        if let Some(disabled) = variable("LARDER_DISABLED") {
            builder = builder.disabled(match &*disabled.trim().to_ascii_lowercase() {
                "1" | "true" | "yes" | "on" => true,
                "0" | "false" | "no" | "off" => false,
                _ => return Err(wrong("LARDER_DISABLED", &disabled, "is 1 or 0, true or false")),
            });
        }
        Ok(builder)
    }
}

fn wrong(name: &str, value: &str, rule: &str) -> Error {
    Error::new(ErrorKind::InvalidConfig, format!("{name}={value:?} cannot be: it {rule}"))
}

fn time(name: &str, value: &str) -> Result<Duration> {
    let rule = "is a duration such as 90s, 5m, 1h30m or 250ms, and not zero";
    duration(value.trim()).ok_or_else(|| wrong(name, value, rule))
}

fn time_or_zero(name: &str, value: &str) -> Result<Duration> {
    match value.trim() {
        "0" | "0s" => Ok(Duration::ZERO),
        value => duration(value)
            .ok_or_else(|| wrong(name, value, "is a duration such as 90s, 5m, 1h30m or 250ms, or 0")),
    }
}

/// `1h30m` and the like: numbers with the units `d`, `h`, `m`, `s`, `ms`, the longest first. Not zero.
fn duration(mut text: &str) -> Option<Duration> {
    let units = [("d", 86_400_000_u64), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
    let (mut total, mut next) = (0_u64, 0);
    while !text.is_empty() {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = text[..digits].parse().ok()?;
        let rest = &text[digits..];
        let unit = &rest[..rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len())];
        let at = units.iter().position(|(name, _)| *name == unit).filter(|at| *at >= next)?;
        total = total.checked_add(number.checked_mul(units[at].1)?)?;
        (next, text) = (at + 1, &rest[unit.len()..]);
    }
    (total > 0).then(|| Duration::from_millis(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(variables: &[(&str, &str)]) -> Result<Larder> {
        let variable = |name: &str| {
            variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(described_by(variable))
    }

    #[test]
    fn the_environment_is_read() {
        assert!(build(&[]).is_ok());
        let cache =
            build(&[("LARDER_CAPACITY", "7"), ("LARDER_NAMESPACE", "campus"), ("LARDER_TTL", "1h30m")]);
        let cache = cache.expect("it can be");
        for i in 0..20 {
            cache.set(format!("k:{i}"), i, crate::Policy::default()).wait().expect("set");
        }
        assert_eq!(cache.stats().entries, 7);
        let left = (0..20).filter_map(|i| match cache.ttl(format!("k:{i}")).wait() {
            Ok(crate::Ttl::Left(left)) => Some(left),
            _ => None,
        });
        assert!(
            left.into_iter()
                .all(|left| left > Duration::from_secs(5_300) && left <= Duration::from_secs(5_400))
        );
        assert!(cache.backend().get("campus:k:19", cache_core::Kind::of::<i32>()).wait().is_ok());
    }

    /// As where docker compose passes on what it was not given.
    #[test]
    fn an_empty_variable_counts_as_not_set() {
        for blank in ["", " ", "\t\n"] {
            let names = [
                "LARDER_CAPACITY",
                "LARDER_NAMESPACE",
                "LARDER_TTL",
                "LARDER_DISABLED",
                "REDIS_URL",
                "REDIS_HOST",
            ];
            let cache = build(&names.map(|name| (name, blank))).expect("memory alone");
            let health = cache.health().wait().expect("told");
            assert!(health.ok && health.troubles.is_empty() && health.remote.is_none(), "{health:?}");
        }
    }

    #[cfg(feature = "redis")]
    #[test]
    fn an_empty_url_gives_way_to_a_host() {
        let named = [("REDIS_URL", ""), ("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", "1")];
        let health = build(&named).expect("a cache").health().wait().expect("told");
        assert!(health.remote.is_some());
    }

    #[test]
    fn a_disabled_cache_holds_nothing() {
        let cache = build(&[("LARDER_DISABLED", "TRUE")]).expect("it can be");
        cache.set("k", 1_u8, Duration::from_secs(60)).wait().expect("ok");
        assert_eq!(cache.get::<u8>("k").wait().expect("ok"), None);
        assert!(build(&[("LARDER_DISABLED", "0")]).is_ok());
    }

    #[test]
    fn a_bad_value_is_an_error_that_names_its_variable_and_shows_no_password() {
        let bad = [
            ("LARDER_CAPACITY", "many"),
            ("LARDER_CAPACITY", "0"),
            ("LARDER_CAPACITY", "-1"),
            ("LARDER_NAMESPACE", "a:b"),
            ("LARDER_TTL", "5 minutes"),
            ("LARDER_TTL", "0s"),
            ("LARDER_TTL", "30m1h"),
            ("LARDER_L1_TTL", "00"),
            ("LARDER_CUT_OFF_TTL", "-1s"),
            ("LARDER_SAMPLER", "often"),
            ("LARDER_DISABLED", "maybe"),
            ("REDIS_URL", "http://user:hunter2@127.0.0.1/"),
        ];
        for (name, value) in bad {
            let error = build(&[(name, value)]).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::InvalidConfig);
            assert!(error.to_string().contains(name), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn durations() {
        let ms = |text| duration(text).map(|duration| duration.as_millis());
        assert_eq!(ms("250ms"), Some(250));
        assert_eq!(ms("1h30m"), Some(5_400_000));
        assert_eq!(ms("1d1s1ms"), Some(86_401_001));
        for bad in ["", "5", "m", "5x", "1m1m", "5m ", "99999999999999999999s"] {
            assert_eq!(ms(bad), None, "{bad}");
        }
    }
}
