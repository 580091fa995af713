//! A cache as the environment describes it.

use std::time::Duration;

use cache_core::{Error, ErrorKind, Result};

use crate::{Larder, LarderBuilder, Memory};

impl Larder {
    /// A cache as the environment describes it; what is not set is at its default.
    ///
    /// | variable | says |
    /// |---|---|
    /// | `LARDER_CAPACITY` | how many entries it holds in memory; 10 000 |
    /// | `LARDER_NAMESPACE` | the prefix of its keys; none |
    /// | `LARDER_TTL` | the TTL of [`Policy::default`](crate::Policy::default), as `90s`, `5m`, `1h30m`, `250ms`; five minutes |
    /// | `LARDER_DISABLED` | `1` or `true` switches it off; `0`, `false` or nothing does not |
    /// | `REDIS_URL` | an error: Redis is not read from here yet |
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
    /// `InvalidConfig`, naming the variable, for a value that cannot be read, and for `REDIS_URL`.
    pub async fn from_env() -> Result<Self> {
        LarderBuilder::from_variables(|name| {
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        })?
        .try_build()
    }
}

impl LarderBuilder {
    /// What the variables say, asked for by name.
    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let variable = |name| variable(name).filter(|value| !value.trim().is_empty());
        // Its value may hold a password, and is not shown.
        if variable("REDIS_URL").is_some() {
            let message = if cfg!(feature = "redis") {
                "REDIS_URL is set, but `from_env` does not connect to it yet: unset it, and give \
                 `Larder::builder()` a `Redis` instead"
            } else {
                "REDIS_URL is set, but this larder is built without Redis: unset it, or enable the feature `redis`"
            };
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        let mut memory = Memory::builder();
        if let Some(capacity) = variable("LARDER_CAPACITY") {
            let entries = capacity.trim().parse().ok().filter(|entries| *entries > 0);
            memory = memory.capacity(entries.ok_or_else(|| {
                wrong("LARDER_CAPACITY", &capacity, "is a number of entries, at least 1, such as 100000")
            })?);
        }
        let mut builder = Self::default().memory(memory.build());
        if let Some(namespace) = variable("LARDER_NAMESPACE").map(|namespace| namespace.trim().to_owned()) {
            if namespace.len() > 256 || namespace.contains(|c: char| c == ':' || c.is_control()) {
                let rule = "is 1 to 256 bytes without `:` and control characters, such as campus";
                return Err(wrong("LARDER_NAMESPACE", &namespace, rule));
            }
            builder = builder.namespace(&namespace);
        }
        if let Some(ttl) = variable("LARDER_TTL") {
            let rule = "is a duration such as 90s, 5m, 1h30m or 250ms, and not zero";
            builder =
                builder.default_ttl(duration(ttl.trim()).ok_or_else(|| wrong("LARDER_TTL", &ttl, rule))?);
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
        LarderBuilder::from_variables(variable)?.try_build()
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
            ("LARDER_DISABLED", "maybe"),
            ("REDIS_URL", "redis://user:hunter2@127.0.0.1/"),
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
