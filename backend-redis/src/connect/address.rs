//! Where Redis is and who larder is to it, as the program says it; what is wrong with that, in words.

#[cfg(any(feature = "sentinel", feature = "tls"))]
use redis::ConnectionAddr;
use redis::ConnectionInfo;

#[cfg(feature = "cluster")]
use crate::connect::cluster::Seeds;
use crate::connect::given::Given;
use crate::connect::place::Place;
#[cfg(feature = "sentinel")]
use crate::connect::sentinel::Sentinels;
#[cfg(feature = "tls")]
use crate::connect::tls::Tls;
use crate::connect::url;

/// What an URL says, or what is wrong with it.
type Parsed = Result<ConnectionInfo, String>;

pub(crate) enum Address {
    One(Box<Parsed>),
    Given(Given),
    #[cfg(feature = "sentinel")]
    Sentinels(Vec<Parsed>, Box<str>),
    #[cfg(feature = "cluster")]
    Cluster(Vec<Parsed>),
}

/// What is told beside an URL, and goes before what stands in it.
#[derive(Clone, Default)]
pub(crate) struct Login {
    pub(crate) database: Option<u32>,
    pub(crate) username: Option<Box<str>>,
    pub(crate) password: Option<Box<str>>,
    /// Whether the program is asked for them at each connect.
    pub(crate) asks: bool,
    #[cfg(feature = "tls")]
    pub(crate) tls: Tls,
}

impl Address {
    pub(crate) fn url(url: &str) -> Self {
        Self::One(Box::new(url::parse(url)))
    }

    #[cfg(any(feature = "sentinel", feature = "cluster"))]
    pub(crate) fn urls(urls: &[&str]) -> Vec<Parsed> {
        urls.iter().map(|url| url::parse(url)).collect()
    }
}

impl Place {
    pub(crate) fn find(address: Address, login: Login) -> Result<Self, String> {
        match address {
            Address::One(info) => Ok(Self::At(Box::new(login.apply((*info)?)?))),
            Address::Given(_) if login.says_something() => Err(Login::TOLD_TO_GIVEN.to_owned()),
            Address::Given(given) => Ok(Self::Given(given)),
            #[cfg(feature = "sentinel")]
            Address::Sentinels(all, service) => {
                let all = all.into_iter().collect::<Result<Vec<_>, _>>()?;
                login.check(login.username.as_deref(), login.password.as_deref())?;
                Ok(Self::Watched(Sentinels::new(all, service, login)?))
            }
            #[cfg(feature = "cluster")]
            Address::Cluster(all) => {
                let all = all.into_iter().collect::<Result<Vec<_>, _>>()?;
                Ok(Self::Spread(Seeds::new(all, &login)?))
            }
        }
    }
}

impl Login {
    pub(crate) const TOLD_TO_GIVEN: &str = "a connection that was handed in is logged in already: credentials, database \
                                            and certificates are for whoever made it";

    fn says_something(&self) -> bool {
        #[cfg(feature = "tls")]
        if self.tls.says_something() {
            return true;
        }
        self.database.is_some() || self.username.is_some() || self.password.is_some()
    }

    /// `info`, with what was told beside it.
    pub(crate) fn apply(&self, info: ConnectionInfo) -> Result<ConnectionInfo, String> {
        let mut redis = info.redis_settings().clone();
        if let Some(number) = self.database {
            redis = redis.set_db(number.into());
        }
        if let Some(name) = &self.username {
            redis = redis.set_username(name);
        }
        if let Some(password) = &self.password {
            redis = redis.set_password(password);
        }
        self.check(redis.username(), redis.password())?;
        self.secure(info.set_redis_settings(redis))
    }

    /// Redis logs nobody in by a name alone, and redis-rs then passes over the name.
    fn check(&self, username: Option<&str>, password: Option<&str>) -> Result<(), String> {
        if username.is_some_and(|name| !name.is_empty()) && password.is_none() && !self.asks {
            return Err("a user is named without a password, so that it would be the default user: give a password too \
                        (REDIS_PASSWORD, the URL or `RedisBuilder::password`), whatever it be for a user without one"
                .to_owned());
        }
        Ok(())
    }

    #[cfg(feature = "tls")]
    pub(crate) fn secure(&self, info: ConnectionInfo) -> Result<ConnectionInfo, String> {
        self.tls.apply(info)
    }

    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unused_self, reason = "as with the feature")]
    pub(crate) fn secure(&self, info: ConnectionInfo) -> Result<ConnectionInfo, String> {
        Ok(info)
    }
}

/// Where somebody is, to be told apart and shown: without user and password.
#[cfg(feature = "sentinel")]
pub(crate) fn shown(info: &ConnectionInfo) -> String {
    info.addr().to_string()
}

/// Whether it is reached by TLS.
#[cfg(any(feature = "sentinel", feature = "tls"))]
pub(crate) fn is_tls(info: &ConnectionInfo) -> bool {
    matches!(info.addr(), ConnectionAddr::TcpTls { .. })
}
