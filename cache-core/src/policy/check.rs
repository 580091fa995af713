//! What a policy cannot say.

use std::time::Duration;

use super::Policy;
use crate::error::{Error, ErrorKind, Result};
use crate::target::check_tag;

impl<R, H> Policy<R, H> {
    pub(crate) fn check(&self) -> Result<()> {
        let settings = &self.settings;
        settings.ttl.map_or(Ok(()), check_ttl)?;
        settings.negative_ttl.map_or(Ok(()), check_ttl)?;
        if !(0.0..1.0).contains(&settings.jitter) {
            return wrong("jitter", settings.jitter, "is a share of the TTL, from 0 to less than 1");
        }
        if let Some(share) = settings.refresh_ahead
            && !(share > 0.0 && share < 1.0)
        {
            return wrong("refresh_ahead", share, "is a share of the TTL, more than 0 and less than 1");
        }
        if !(settings.xfetch.is_finite() && settings.xfetch >= 0.0) {
            return wrong("xfetch", settings.xfetch, "is 1 as a rule, and never negative");
        }
        if settings.soft_timeout.is_some_and(|t| t.is_zero())
            || settings.hard_timeout.is_some_and(|t| t.is_zero())
        {
            let message = "a timeout of zero leaves no time to load: give it some, or set none";
            return Err(Error::new(ErrorKind::InvalidPolicy, message));
        }
        if settings.skip_l1 && settings.skip_l2 {
            let message = "a policy that skips both tiers caches nothing: skip one of them";
            return Err(Error::new(ErrorKind::InvalidPolicy, message));
        }
        settings.soft_timeout.map_or(Ok(()), |soft| self.check_soft(soft))?;
        settings.tags.iter().try_for_each(|tag| check_tag(tag))
    }

    /// Whoever sets a soft timeout counts on not waiting longer: one that never comes is a mistake.
    fn check_soft(&self, soft: Duration) -> Result<()> {
        let settings = &self.settings;
        let message = match settings.hard_timeout {
            _ if settings.swr.max(settings.sie).is_zero() => format!(
                "soft_timeout({soft:?}) never comes: there is no stale value to give instead; add `sie` or `swr`"
            ),
            Some(hard) if hard <= soft => format!(
                "soft_timeout({soft:?}) never comes: hard_timeout({hard:?}) ends the load before; make it the shorter one"
            ),
            _ => return Ok(()),
        };
        Err(Error::new(ErrorKind::InvalidPolicy, message))
    }
}

fn wrong(what: &str, value: f64, rule: &str) -> Result<()> {
    Err(Error::new(ErrorKind::InvalidPolicy, format!("{what}({value}) cannot be: it {rule}")))
}

pub(crate) fn check_ttl(ttl: Duration) -> Result<()> {
    if ttl.is_zero() {
        let message = "a TTL of zero caches nothing: give it some time, `delete` the key, or do not cache";
        return Err(Error::new(ErrorKind::InvalidPolicy, message));
    }
    Ok(())
}
