//! An URL of Redis, as redis-rs reads it; what is wrong with one, in words that show nothing of it: it may hold a password.

use std::net::Ipv6Addr;

use redis::ConnectionInfo;

const FORM: &str = "it is redis://[[user]:password@]host[:port][/database], rediss://.. for TLS, or unix:///path/to/socket; \
                    what stands for user and password is percent-encoded";
const NO_TLS: &str =
    "the URL of Redis is rediss://, but this larder is built without TLS: enable the feature `tls`";
const INSECURE: &str = "larder does not connect by TLS without looking at the certificate: leave out `#insecure`, and give \
                        the authority that signed it by `ca`";
const TWO_DATABASES: &str = "the URL of Redis names two databases: one after the host, another one as `db`";
const UNKNOWN_PARAMETER: &str = "the URL of Redis has a parameter that larder does not know: after the `?` may stand `db` and `protocol`, and for \
     unix:// `user` and `pass`; the rest is told to the builder";

const NO_NUMBER_AFTER_HOST: &str = "its database, what stands after the host and a `/`, is not a number";
const NO_NUMBER_AS_DB: &str = "its database, the `db` after the `?`, is not a number";
const NO_PATH: &str = "it is unix://, and names no path: the path of a socket begins with a third `/`";
const UNSPECIFIED: &str = "its host is an address to listen at (0.0.0.0 or ::), not one to connect to";
const PORTS: &str = "its port is out of range: ports are 1 to 65535";

/// What it begins with says how Redis is reached.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Scheme {
    Plain,
    Tls,
    Unix,
}

pub(crate) fn parse(url: &str) -> Result<ConnectionInfo, String> {
    let url = url.trim();
    let (scheme, rest) = scheme(url).map_err(unreadable)?;
    if scheme == Scheme::Tls && cfg!(not(feature = "tls")) {
        return Err(NO_TLS.to_owned());
    }
    if scheme == Scheme::Tls && rest.ends_with("#insecure") {
        return Err(INSECURE.to_owned());
    }
    // redis-rs may find another host and port in such a one.
    if scheme != Scheme::Unix && split_authority(rest).1.contains('@') {
        return Err(unreadable(
            "a `/`, `?` or `#` stands before an `@`: in a user or password it is written as %2F, %3F, %23",
        ));
    }
    let info = url.parse().map_err(|_| unreadable(fault(scheme, rest)))?;
    obey_query(url, scheme, check_numbers(scheme, rest, info)?)
}

/// An URL that is none: `why`, and what one looks like.
fn unreadable(why: &str) -> String {
    format!("the URL of Redis cannot be read: {why}; {FORM}")
}

/// The scheme, and what comes after it and its slashes.
fn scheme(url: &str) -> Result<(Scheme, &str), &'static str> {
    if url.is_empty() {
        return Err("it is empty");
    }
    if url.starts_with(['"', '\'']) {
        return Err("it stands in quotes, which are no part of it");
    }
    let (name, rest) = url.split_once(':').unwrap_or(("", url));
    let known = match &*name.to_ascii_lowercase() {
        "redis" | "valkey" => Some(Scheme::Plain),
        "rediss" | "valkeys" => Some(Scheme::Tls),
        "unix" | "redis+unix" | "valkey+unix" => Some(Scheme::Unix),
        "http" | "https" => {
            return Err(
                "http:// and https:// are no schemes of it: larder speaks Redis' own protocol, not that of a \
                        REST gateway",
            );
        }
        _ => None,
    };
    let has_slashes = rest.starts_with("//");
    match known {
        Some(Scheme::Unix) => Ok((Scheme::Unix, rest.strip_prefix("//").unwrap_or(rest))),
        Some(scheme) => match rest.strip_prefix("//") {
            Some(rest) => Ok((scheme, rest)),
            None => Err("two slashes are missing behind its scheme"),
        },
        None if has_slashes && name.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) => {
            Err("its scheme, what stands before the `://`, is none that larder knows")
        }
        None => Err("it has no scheme, such as redis://"),
    }
}

/// Host and port, with whoever logs in, and what follows.
fn split_authority(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()))
}

/// Why redis-rs does not take it.
fn fault(scheme: Scheme, rest: &str) -> &'static str {
    let (authority, behind) = split_authority(rest);
    let (before_fragment, fragment) = behind.split_once('#').unwrap_or((behind, ""));
    let (path, query) = before_fragment.split_once('?').unwrap_or((before_fragment, ""));
    let asked = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(other, value)| (other == name).then_some(value))
    };
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    let (host, in_path) =
        (authority.rsplit_once('@').map_or(authority, |(_, host)| host), path.trim_matches('/'));
    let of_address = if scheme == Scheme::Unix {
        (!authority.is_empty() || path.is_empty()).then_some(NO_PATH)
    } else {
        fault_of(host)
    };
    if let Some(fault) = of_address {
        fault
    } else if scheme != Scheme::Unix && !in_path.is_empty() && !is_number(in_path) {
        NO_NUMBER_AFTER_HOST
    } else if asked("db").is_some_and(|number| !is_number(number)) {
        NO_NUMBER_AS_DB
    } else if asked("protocol").is_some_and(|version| !["2", "3", "resp2", "resp3"].contains(&version)) {
        "its `protocol` is neither 2 nor 3"
    } else if !fragment.is_empty() {
        "nothing stands in it behind a `#`"
    } else {
        "its host, user or password has characters that must be percent-encoded"
    }
}

/// What is wrong with `host[:port]`.
fn fault_of(host: &str) -> Option<&'static str> {
    let port = if let Some(bracketed) = host.strip_prefix('[') {
        let Some((address, behind)) = bracketed.split_once(']') else {
            return Some("a `[` in it has no `]`");
        };
        if address.parse::<Ipv6Addr>().is_err() {
            return Some("what stands between `[` and `]` is no IPv6 address");
        }
        if address.parse() == Ok(Ipv6Addr::UNSPECIFIED) {
            return Some(UNSPECIFIED);
        }
        behind
    } else if host.parse::<Ipv6Addr>().is_ok() {
        return Some("an IPv6 address stands between `[` and `]`");
    } else {
        let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
        match name {
            "" => return Some("it names no host"),
            "0.0.0.0" => return Some(UNSPECIFIED),
            _ => port,
        }
    };
    match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            (!digits.is_empty() && digits.parse::<u16>().is_err()).then_some(PORTS)
        }
        None if port.is_empty() => None,
        _ => Some("its port is not a number"),
    }
}

/// What redis-rs takes, and no Redis can be.
fn check_numbers(scheme: Scheme, rest: &str, info: ConnectionInfo) -> Result<ConnectionInfo, String> {
    use redis::ConnectionAddr::{Tcp, TcpTls, Unix};
    match info.addr() {
        Tcp(_, 0) | TcpTls { port: 0, .. } => Err(unreadable(PORTS)),
        Unix(path) if path.file_name().is_none() => Err(unreadable(NO_PATH)),
        _ if info.redis_settings().db() < 0 => Err(unreadable(fault(scheme, rest))),
        _ => Ok(info),
    }
}

/// redis-rs reads parameters of a socket only, and passes over those that it does not know.
fn obey_query(url: &str, scheme: Scheme, info: ConnectionInfo) -> Result<ConnectionInfo, String> {
    let Some(parsed) = redis::parse_redis_url(url) else { return Err(unreadable("it is none")) };
    let is_socket = scheme == Scheme::Unix;
    let (mut redis, in_path) = (info.redis_settings().clone(), parsed.path().trim_matches('/'));
    for (name, value) in parsed.query_pairs() {
        match &*name {
            "db" if is_socket => {}
            "db" => {
                let Ok(number) = value.parse::<u32>() else { return Err(unreadable(NO_NUMBER_AS_DB)) };
                if !in_path.is_empty() && in_path.parse() != Ok(number) {
                    return Err(TWO_DATABASES.to_owned());
                }
                redis = redis.set_db(number.into());
            }
            "protocol" => {}
            "user" | "pass" if is_socket => {}
            _ => return Err(UNKNOWN_PARAMETER.to_owned()),
        }
    }
    Ok(info.set_redis_settings(redis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(url: &str) -> String {
        let error = parse(url).expect_err(url);
        assert!(!error.contains("hunter2"), "{error}");
        error
    }

    #[test]
    fn each_url_that_is_none_is_told_what_is_wrong_with_it() {
        let none = [
            ("", "empty"),
            (" \t\n", "empty"),
            ("\"redis://:hunter2@localhost/\"", "quotes"),
            ("localhost", "no scheme"),
            ("localhost:6379", "no scheme"),
            ("u:hunter2@localhost:6379", "no scheme"),
            ("u:hunter2://x@localhost:6379", "no scheme"),
            ("//localhost:6379", "no scheme"),
            ("http://u:hunter2@localhost/", "REST"),
            ("https://localhost", "REST"),
            ("tcp://u:hunter2@10.0.0.1:6379", "none that larder knows"),
            ("reddis://u:hunter2@localhost", "none that larder knows"),
            ("redis:localhost", "two slashes"),
            ("redis:/localhost", "two slashes"),
            ("redis://", "names no host"),
            ("redis://:hunter2@", "names no host"),
            ("redis://u:hunter2@:6379/0", "names no host"),
            ("redis://0.0.0.0:6379", "to listen at"),
            ("redis://[::]:6379", "to listen at"),
            ("redis://u:hunter2@[broken", "no `]`"),
            ("redis://u:hunter2@[broken]:6379", "no IPv6 address"),
            ("redis://u:hunter2@fe80::1", "between `[` and `]`"),
            ("redis://u:hunter2@localhost:six", "port is not a number"),
            ("redis://u:hunter2@localhost:63 79/0", "port is not a number"),
            ("redis://localhost:-1", "port is not a number"),
            ("redis://[::1]6379", "port is not a number"),
            ("redis://u:hunter2@localhost:65536", "out of range"),
            ("redis://localhost:99999999999999999999", "out of range"),
            ("redis://u:hunter2@localhost:0/1", "out of range"),
            ("redis://u:hunter2@localhost/one", "after the host"),
            ("redis://u:hunter2@localhost/-1", "after the host"),
            ("redis://u:hunter2@localhost/0/1", "after the host"),
            ("redis://:hunter2@localhost/?db=one", "after the `?`"),
            ("redis://:hunter2@localhost/?db=-1", "after the `?`"),
            ("unix:///socket?pass=hunter2&db=one", "after the `?`"),
            ("unix:///socket?db=-1", "after the `?`"),
            ("redis://:hunter2@localhost/?protocol=9", "neither 2 nor 3"),
            ("redis://u:hunter2@local host/", "percent-encoded"),
            ("redis://:hunter2%ff@localhost/", "percent-encoded"),
            ("redis://:hun/ter2@localhost/", "%2F"),
            ("redis://u:12?hunter2@localhost/", "%2F"),
            ("redis://u:12#hunter2@localhost:6379/0", "%2F"),
            ("redis://u:12/hunter2@localhost:6379/0", "%2F"),
            ("unix:", "no path"),
            ("unix://", "no path"),
            ("unix:///", "no path"),
            ("unix://?db=1&pass=hunter2", "no path"),
            ("unix://run/socket?pass=hunter2", "no path"),
            ("redis+unix://socket", "no path"),
        ];
        for (url, words) in none {
            let why = why(url);
            let (fault, form) = why.split_once("; it is redis://").expect("it says what one looks like");
            assert!(fault.contains(words), "{url:?}: {why}");
            assert!(form.contains("unix:///path/to/socket"), "{why}");
        }
        assert!(why("redis://:hunter2@localhost/1?db=2").contains("two databases"));
        assert!(why("redis://localhost/?pass=hunter2").contains("parameter"));
    }

    #[test]
    fn those_that_are_one_are_read() {
        let one = [
            " redis://localhost \n",
            "REDIS://u:p%2Fw%40d@localhost:6379/3",
            "redis://localhost:/",
            "redis://[::1]:6379/?protocol=3&db=1",
            "valkey://:p:w@10.0.0.1",
            "unix:///run/redis.sock?db=1&user=u&pass=p@w",
            "redis+unix:/run/redis.sock",
        ];
        for url in one {
            assert!(parse(url).is_ok(), "{url}: {:?}", parse(url));
        }
    }

    #[test]
    fn tls_needs_its_feature() {
        for url in
            ["rediss://u:hunter2@localhost/", "REDISS://u:hunter2@localhost/", "valkeys://:hunter2@localhost"]
        {
            assert_eq!(parse(url).is_ok(), cfg!(feature = "tls"), "{url}");
            assert!(parse(url).is_ok() || why(url).contains("feature `tls`"), "{url}");
        }
        let words = if cfg!(feature = "tls") { "certificate" } else { "feature `tls`" };
        assert!(why("rediss://u:hunter2@localhost/#insecure").contains(words));
    }
}
