//! A namespace: every key, tag and pattern prefixed, so that no cache sees another's.

mod heard;

use std::sync::{Arc, Weak};
use std::time::Duration;

use arrayvec::ArrayString;

use crate::cache::Cache;
use crate::connection::Connection;
use crate::deadline::Lifetime;
use crate::entry::{Entry, Set, Stored, Usage};
use crate::error::{Error, ErrorKind, Result};
use crate::fence::Fence;
use crate::key;
use crate::lease::{Ended, Lease};
use crate::listener::{Listener, Notices};
use crate::pattern::Pattern;
use crate::reply::Reply;
use crate::sync::Mutex;
use crate::target::{Strength, Target};
use crate::token::Token;
use crate::value::{Kind, Value};
use heard::Stripped;

/// A namespace's prefix, with its `:`.
#[derive(Debug)]
pub(crate) struct Namespaced(Box<str>);

impl Namespaced {
    pub(crate) fn new(namespace: &str) -> Result<Self> {
        if namespace.len() > 256 || namespace.contains(':') || key::check(namespace).is_err() {
            let rule = "a namespace is 1 to 256 bytes without `:` and control characters";
            return Err(Error::new(
                ErrorKind::InvalidKey,
                format!("namespace {namespace:?} cannot be used: {rule}"),
            ));
        }
        Ok(Self(format!("{namespace}:").into()))
    }

    /// The namespace itself.
    pub(crate) fn name(&self) -> &str {
        self.0.trim_end_matches(':')
    }

    pub(crate) fn over(self, cache: Arc<dyn Cache>) -> Namespace {
        Namespace { prefix: self.0, cache, heard: Mutex::default() }
    }
}

/// `cache` with `namespace` and a `:` before every key, tag and pattern.
///
/// # Errors
/// [`ErrorKind::InvalidKey`]: a namespace is 1 to 256 bytes without `:` and control characters.
pub fn namespaced(namespace: &str, cache: Arc<dyn Cache>) -> Result<Arc<dyn Cache>> {
    Ok(Arc::new(Namespaced::new(namespace)?.over(cache)))
}

/// The wrapper itself.
pub(crate) struct Namespace {
    prefix: Box<str>,
    cache: Arc<dyn Cache>,
    /// Those who listen; the cache holds them weakly.
    heard: Mutex<Vec<Arc<Stripped>>>,
}

impl Namespace {
    /// `name` with the prefix, on the stack where it fits.
    #[inline]
    fn full<R>(&self, name: &str, then: impl FnOnce(&str) -> R) -> R {
        let mut short = ArrayString::<256>::new_const();
        if short.try_push_str(&self.prefix).and_then(|()| short.try_push_str(name)).is_ok() {
            return then(&short);
        }
        then(&format!("{}{name}", self.prefix))
    }

    /// The entry with the names that it has in here.
    fn own(&self, mut entry: Entry) -> Entry {
        for tag in &mut entry.tags {
            if let Some(own) = tag.strip_prefix(&*self.prefix) {
                *tag = own.into();
            }
        }
        entry
    }
}

#[deny(clippy::missing_trait_methods)]
impl Cache for Namespace {
    fn fresh(&self, key: &str) -> Option<Value> {
        self.full(key, |key| self.cache.fresh(key))
    }

    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        let entry = self.full(key, |key| self.cache.get(key, kind));
        entry.map(|entry| entry.map(|entry| self.own(entry)))
    }

    fn confirmed(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        let entry = self.full(key, |key| self.cache.confirmed(key, kind));
        entry.map(|entry| entry.map(|entry| self.own(entry)))
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.full(key, |key| self.cache.ttl(key))
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        let tags: Vec<Box<str>> =
            options.tags.iter().map(|tag| format!("{}{tag}", self.prefix).into()).collect();
        self.full(key, |key| self.cache.set(key, value, Set { tags: &tags, ..options }))
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.full(key, |key| self.cache.delete(key))
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        match target {
            Target::Key(key) => self.full(key, |key| self.cache.invalidate(Target::Key(key), strength)),
            Target::Tag(tag) => self.full(tag, |tag| self.cache.invalidate(Target::Tag(tag), strength)),
            Target::Pattern(pattern) => {
                let pattern = Pattern::literal_then(&self.prefix, pattern);
                self.cache.invalidate(Target::Pattern(&pattern), strength)
            }
            Target::All => {
                let pattern = Pattern::literal_then(&self.prefix, "*");
                self.cache.invalidate(Target::Pattern(&pattern), strength)
            }
        }
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        self.full(key, |key| self.cache.expire(key, ttl))
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        self.full(key, |key| self.cache.incr(key, delta, lifetime))
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        self.full(key, |key| self.cache.fence(key))
    }

    fn lease(&self, key: &str, retrying: bool) -> Reply<'_, Lease> {
        self.full(key, |key| self.cache.lease(key, retrying))
    }

    fn release(&self, key: &str, fence: Fence) {
        self.full(key, |key| self.cache.release(key, fence));
    }

    fn settle(&self, key: &str, fence: Fence, ended: Ended) {
        self.full(key, |key| self.cache.settle(key, fence, ended));
    }

    fn listen(&self, listener: Weak<dyn Listener>) -> Notices {
        let stripped = Arc::new(Stripped { prefix: self.prefix.clone(), to: listener });
        let mut heard = self.heard.lock();
        heard.retain(|other| other.to.strong_count() > 0);
        heard.push(stripped.clone());
        drop(heard);
        let stripped: Arc<dyn Listener> = stripped;
        self.cache.listen(Arc::downgrade(&stripped))
    }

    fn acknowledged(&self) -> Reply<'_, ()> {
        self.cache.acknowledged()
    }

    fn token(&self) -> Reply<'_, Token> {
        self.cache.token()
    }

    fn read_after(&self, token: &Token) -> Reply<'_, ()> {
        self.cache.read_after(token)
    }

    fn troubles(&self) -> Reply<'_, Vec<String>> {
        self.cache.troubles()
    }

    fn remote(&self) -> Option<Connection> {
        self.cache.remote()
    }

    fn close(&self, within: Duration) -> Reply<'_, u64> {
        self.cache.close(within)
    }

    fn usage(&self) -> Usage {
        self.cache.usage()
    }
}

/// The bytes that whatever `pattern` matches begins with, `most` of them at most, and the rest of the pattern.
fn literal_start(pattern: &str, most: usize) -> (Vec<u8>, &str) {
    let (mut start, mut rest) = (Vec::new(), pattern);
    while start.len() < most {
        let mut chars = rest.chars();
        let literal = match chars.next() {
            None | Some('*' | '?' | '[') => break,
            Some('\\') => chars.next().unwrap_or('\\'),
            Some(literal) => literal,
        };
        start.extend_from_slice(literal.encode_utf8(&mut [0; 4]).as_bytes());
        rest = chars.as_str();
    }
    (start, rest)
}
