//! Keys that are loaded by one call of one loader.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use super::run::Owned;
use super::{Job, Loaded, Terms};
use crate::clock::within;
use crate::engine::Engine;
use crate::flight::{Landing, Lead, Piloted};
use crate::policy::Policy;
use crate::stats::Event;
use crate::target::Target;
use crate::timeout::Timeout;
use crate::value::{Cacheable, Value};

/// The load of one key, as far as it does not depend on who loads.
pub(super) type Part<'j, T, E> = Job<'j, T, Result<Loaded<T>, E>, E>;

pub(super) type Values<T> = HashMap<Box<str>, Arc<T>>;

pub(super) fn terms<T, E>(blocking: bool) -> Terms<T, Result<Loaded<T>, E>, E> {
    Terms { blocking, ..Terms::new(std::convert::identity, true) }
}

/// See the module; with the fences of the keys, and the flights that they lead.
pub(super) struct Batch {
    /// Its caller holds its thread.
    pub(super) blocking: bool,
    pub(super) keys: Vec<Box<str>>,
    pub(super) fences: HashMap<Box<str>, Owned>,
    pub(super) leads: Vec<Lead>,
}

impl Batch {
    pub(super) fn new(blocking: bool) -> Self {
        Self { blocking, keys: Vec::new(), fences: HashMap::new(), leads: Vec::new() }
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
        let Self { blocking, keys, mut fences, leads } = self;
        let part = |key| Part::<T, E>::new(engine, key, policy, terms(blocking), |_| None);
        let clock = &engine.shared.clock;
        let began = clock.now();
        let first = part(keys.first().map_or("", |key| key));
        let deadline = policy.hard_limit().map(|limit| began + limit);
        let output = {
            let loader = pin!(async {
                let _permit = first.permit().await;
                leads.iter().for_each(Lead::started);
                engine.count(Event::Load);
                loader.await
            });
            let loader = pin!(within(clock, deadline, loader));
            Piloted::new(&leads, loader).await
        };
        let cost = clock.now() - began;
        let timeout = || Timeout::new(&keys.join(", "), policy.hard_limit().unwrap_or_default());
        let over = |well| {
            engine.loaded(&names(&keys), cost, well);
            if !well {
                keys.iter().for_each(|key| part(key).throttle());
            }
        };
        let (values, leads) =
            by_key(output.or_else(|| limit(timeout())), leads).inspect_err(|_| over(false))?;
        over(true);
        for (key, value) in &values {
            engine.shared.throttle.lift(Target::Key(key));
            if let Some(fenced) = fences.remove(key) {
                let publish = pin!(async {
                    part(key).publish(&Loaded::from(value.clone()), cost, fenced).await;
                });
                Piloted::new(&leads, publish).await;
            }
        }
        for lead in leads {
            // What was not found is for somebody else to look for.
            if let Some(value) = values.get(lead.key()) {
                lead.land(Landing::Value(Value::new(value.clone())));
            }
        }
        Ok(values)
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

/// What a batch brought, by key; where it failed, so have its flights.
fn by_key<T, V: Into<Arc<T>>, E, F: AsRef<str>, M: IntoIterator<Item = (F, V)>>(
    output: Option<Result<M, E>>,
    leads: Vec<Lead>,
) -> Result<(Values<T>, Vec<Lead>), E> {
    // There was a deadline, so the policy has a limit, and its type says what that comes to.
    let output = output.unwrap_or_else(|| unreachable!("a limit without an error"));
    match output {
        Ok(found) => {
            Ok((found.into_iter().map(|(key, value)| (key.as_ref().into(), value.into())).collect(), leads))
        }
        Err(error) => {
            leads.into_iter().for_each(|lead| lead.land(Landing::Failed(None)));
            Err(error)
        }
    }
}
