//! Keys that are loaded by one call of one loader.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use super::about::About;
use super::fence::Fenced;
use super::run::Running;
use super::{Job, Loaded, Terms, Traits};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::flight::{Landing, Lead, is_loading};
use crate::policy::Policy;
use crate::target::Target;
use crate::timeout::Timeout;
use crate::value::{Cacheable, Value};

/// The load of one key, as far as it does not depend on who loads.
pub(super) type Part<'j, T, E> = Job<'j, T, Result<Loaded<T>, E>, E>;

pub(super) type Values<T> = HashMap<Box<str>, Arc<T>>;

/// The part of `key` in a batch, whose hard timeout is no single key's.
pub(super) fn part<'j, T, E>(
    engine: &'j Engine,
    key: &'j str,
    policy: &'j Policy,
    blocking: bool,
) -> Part<'j, T, E> {
    let terms = Terms { blocking, ..Terms::new(std::convert::identity, true) };
    let loader = Traits { detaches: false, asks: false, limit: |_| None };
    Job { about: About::new(engine, key, policy, blocking), terms, loader }
}

/// See the module; with the fences of the keys, and the flights that they lead.
pub(super) struct Batch {
    /// Its caller holds its thread.
    pub(super) blocking: bool,
    pub(super) keys: Vec<Box<str>>,
    pub(super) fences: HashMap<Box<str>, Fenced<'static>>,
    pub(super) leads: Vec<Lead>,
    /// It is called by another load's loader.
    pub(super) nested: bool,
}

impl Batch {
    pub(super) fn new(blocking: bool) -> Self {
        let nested = is_loading();
        Self { blocking, keys: Vec::new(), fences: HashMap::new(), leads: Vec::new(), nested }
    }

    /// Loads and publishes what the loader finds, and lands the flights.
    pub(super) async fn load<T, V, E, F, M, L>(
        self,
        engine: &Engine,
        policy: &Policy,
        loader: L,
        limit: fn(Timeout) -> Option<Result<M, E>>,
    ) -> Result<Values<T>, E>
    where
        T: Cacheable,
        E: 'static,
        F: AsRef<str> + 'static,
        V: Into<Arc<T>>,
        M: IntoIterator<Item = (F, V)> + 'static,
        L: Future<Output = Result<M, E>>,
    {
        let Self { blocking, keys, mut fences, leads, nested } = self;
        let about = |key| About::new(engine, key, policy, blocking);
        let mut first = about(keys.first().map_or("", |key| key));
        first.nested = nested;
        let (begun, output) = match first.begin(&leads).await {
            Ok(begun) => {
                let run = first.run_as(names(&keys), &leads, &begun);
                (begun, Running::new(run, pin!(loader)).await)
            }
            Err(begun) => (begun, None),
        };
        let cost = engine.shared.clock.now() - begun.over();
        let timeout = || Timeout::new(&keys.join(", "), policy.hard_limit().unwrap_or_default());
        let over = |well| {
            engine.loaded(&names(&keys), cost, well);
            if !well {
                keys.iter().for_each(|key| about(key).throttle());
            }
        };
        let mut values = match by_key(output.or_else(|| limit(timeout()))) {
            Ok(values) => values,
            Err(error) => {
                over(false);
                leads.into_iter().for_each(|lead| lead.land(Landing::Failed(None)));
                return Err(error);
            }
        };
        over(true);
        if let Err(error) = drop_unasked(&mut values, &keys) {
            engine.note(&error);
        }
        let led: HashMap<&str, &Lead> = leads.iter().map(|lead| (lead.key(), lead)).collect();
        for (key, value) in &values {
            engine.shared.throttle.lift(Target::Key(key));
            if let Some(fenced) = fences.remove(key)
                && led.get(&**key).is_none_or(|lead| lead.is_followed())
            {
                let Loaded { value, kept } = Loaded::from(value.clone());
                about(key).store(&leads, &Value::new(value), &kept, cost, &fenced).await;
            }
        }
        land(leads, &values);
        Ok(values)
    }
}

/// Ends the flights of what was loaded. What was not found is for others to look for.
fn land<T: Cacheable>(leads: Vec<Lead>, values: &Values<T>) {
    for lead in leads {
        let value = values.get(lead.key()).map(|value| Value::new(value.clone()));
        lead.land(value.map_or(Landing::Unshared, Landing::Value));
    }
}

/// What a batch is called when it is told of.
fn names(keys: &[Box<str>]) -> Cow<'_, str> {
    match keys {
        [] => "".into(),
        [key] => (&**key).into(),
        [key, others @ ..] => format!("{key} and {} more", others.len()).into(),
    }
}

/// What was not asked for reaches nobody: whoever gives it has most likely written a key in another way.
fn drop_unasked<T>(values: &mut Values<T>, keys: &[Box<str>]) -> Result<(), Error> {
    let asked: HashSet<&str> = keys.iter().map(|key| &**key).collect();
    let mut unasked: Vec<Box<str>> =
        values.extract_if(|key, _| !asked.contains(&**key)).map(|(key, _)| key).collect();
    unasked.sort_unstable();
    if unasked.is_empty() {
        return Ok(());
    }
    let names = names(&unasked);
    let message = format!(
        "load_many: the loader gave {names:?}, which it was not asked for: return keys as they were given to it"
    );
    Err(Error::new(ErrorKind::UnexpectedKey, message))
}

/// What a batch brought, by key.
fn by_key<T, V: Into<Arc<T>>, E, F: AsRef<str>, M: IntoIterator<Item = (F, V)>>(
    output: Option<Result<M, E>>,
) -> Result<Values<T>, E> {
    // There was a deadline, so the policy has a limit, and its type says what that comes to.
    let found = output.unwrap_or_else(|| unreachable!("a limit without an error"))?;
    Ok(found.into_iter().map(|(key, value)| (key.as_ref().into(), value.into())).collect())
}
