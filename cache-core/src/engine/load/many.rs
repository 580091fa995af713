//! One batched load of many keys, each of them a flight of its own.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::run::Owned;
use super::{Found, Job, Loaded, Terms};
use crate::clock::within;
use crate::engine::watch::Began;
use crate::engine::{Engine, LoadPolicy};
use crate::flight::{Caller, Follow, Landing, Lead, Piloted, Seat};
use crate::policy::Policy;
use crate::runtime;
use crate::stats::Event;
use crate::target::Target;
use crate::timeout::Timeout;
use crate::value::{Cacheable, Value};

/// The load of one key, as far as it does not depend on who loads.
type Part<'j, T, E> = Job<'j, T, Result<Loaded<T>, E>, E>;

type Values<T> = HashMap<Box<str>, Arc<T>>;

/// How often keys whose load came to nothing are sat down for again.
const ROUNDS: usize = 3;

/// What was found of the keys of one round.
struct Round<T> {
    values: Values<T>,
    /// What may stand in for a load that fails.
    stale: Values<T>,
    missing: Batch,
    /// Stale, served, and to be loaded in the background.
    refresh: Batch,
    follows: Vec<(Box<str>, Follow)>,
}

/// Keys that are loaded by one call, with the flights that they lead.
#[derive(Default)]
struct Batch {
    keys: Vec<Box<str>>,
    fences: HashMap<Box<str>, Owned>,
    leads: Vec<Lead>,
}

fn terms<T, E>() -> Terms<T, Result<Loaded<T>, E>, E> {
    Terms { split: std::convert::identity, share: None, blocking: false, takes_any: true }
}

impl Engine {
    /// The values of `keys`, in their order; those that are missing are loaded by one call of `loader`, which is given
    /// their keys and returns what it finds, by key. A key that it does not return is `None` for this caller, and not
    /// cached.
    ///
    /// Each key is a flight: other callers share it, and keys that others are loading already are waited for and not
    /// given to `loader`. It is called again only for those whose other load came to nothing, and apart for those
    /// that are stale and refreshed in the background.
    ///
    /// ```
    /// # use larder::{testing::Plain, Engine, ttl};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let cache = Engine::new(Plain::default());
    /// let keys = ["user:1", "user:2", "user:7"];
    /// let users = cache.load_many(keys, ttl::SHORT, async |missing: Vec<&str>| {
    ///     let rows = missing.into_iter().filter(|key| *key != "user:7"); // one query stands here
    ///     Ok::<_, std::io::Error>(rows.map(|key| (key, format!("row of {key}"))).collect::<Vec<_>>())
    /// });
    /// let users = users.await?;
    /// assert_eq!(users[1].as_deref().map(String::as_str), Some("row of user:2"));
    /// assert!(users[2].is_none());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The loader's own, unless stale values may stand in for all that is missing. What was found is then given up.
    ///
    /// # Cancellation
    /// Dropping the future gives up its loads; those who wait for one of its keys load that themselves.
    pub async fn load_many<T, E, K, F, M, P, L>(
        &self,
        keys: impl IntoIterator<Item = K>,
        policy: P,
        mut loader: impl FnMut(Vec<K>) -> L,
    ) -> Result<Vec<Option<Arc<T>>>, E>
    where
        T: Cacheable,
        E: 'static,
        K: AsRef<str> + Clone,
        F: AsRef<str> + 'static,
        M: IntoIterator<Item = (F, T)> + 'static,
        P: LoadPolicy<L>,
        L: Future<Output = Result<M, E>>,
    {
        let keys: Vec<K> = keys.into_iter().collect();
        let (policy, limit) = (policy.into_policy(), P::timed_out);
        let given = |batch: &Batch| {
            let wanted: HashSet<&str> = batch.keys.iter().map(|key| &**key).collect();
            let mut seen = HashSet::new();
            let wanted = |key: &&K| wanted.contains(key.as_ref()) && seen.insert(key.as_ref().to_owned());
            keys.iter().filter(wanted).cloned().collect::<Vec<K>>()
        };
        let mut values = HashMap::new();
        let mut wanted: Vec<Box<str>> = keys.iter().map(|key| key.as_ref().into()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        for round in 0..ROUNDS {
            let found = self.find_many::<T, E>(&wanted, &policy, round > 0).await;
            values.extend(found.values);
            wanted.clear();
            if !found.refresh.keys.is_empty() {
                let given = given(&found.refresh);
                self.refresh_many::<T, E, F, M, P, L>(found.refresh, &policy, loader(given)).await;
            }
            if !found.missing.keys.is_empty() {
                let missing = found.missing.keys.clone();
                let given = given(&found.missing);
                match found.missing.load(self.clone(), policy.clone(), loader(given), limit).await {
                    Ok(loaded) => values.extend(loaded),
                    Err(_) if missing.iter().all(|key| found.stale.contains_key(key)) => {
                        missing.iter().for_each(|key| self.saw(key, Event::StaleHit, Began::read()));
                        values.extend(found.stale);
                    }
                    Err(error) => return Err(error),
                }
            }
            for (key, follow) in found.follows {
                match Part::<T, E>::new(self, &key, &policy, terms(), |_| None).follow(follow).await {
                    Some(Ok(value)) => drop(values.insert(key, value)),
                    Some(Err(error)) => return Err(error),
                    None => wanted.push(key),
                }
            }
            if wanted.is_empty() {
                break;
            }
        }
        Ok(keys.iter().map(|key| values.get(key.as_ref()).cloned()).collect())
    }

    /// Sits down for each key, and reads the cache for those that are this caller's to load.
    async fn find_many<T: Cacheable, E: 'static>(
        &self,
        keys: &[Box<str>],
        policy: &Policy,
        retrying: bool,
    ) -> Round<T> {
        let (missing, refresh) = (Batch::default(), Batch::default());
        let mut round =
            Round { values: HashMap::new(), stale: HashMap::new(), missing, refresh, follows: Vec::new() };
        for key in keys {
            let part = Part::<T, E>::new(self, key, policy, terms(), |_| None);
            if let Err(error) = crate::key::check(key).and_then(|()| policy.check()) {
                self.note(&error);
                round.missing.keys.push(key.clone());
                continue;
            }
            if let Some(value) = self.fresh(key).filter(|_| policy.age_limit().is_none()) {
                round.values.insert(key.clone(), value);
                continue;
            }
            let caller = Caller { blocking: false, retrying };
            let lead = match self.seat(key, policy, caller) {
                Seat::Lead(lead) => Some(lead),
                Seat::Alone(_) => None,
                Seat::Follow(follow) => {
                    round.follows.push((key.clone(), follow));
                    continue;
                }
            };
            part.place(lead, &mut round).await;
        }
        round
    }

    /// Loads a batch in the background, if its loader can go there.
    async fn refresh_many<T, E, F, M, P, L>(&self, batch: Batch, policy: &Policy, loader: L)
    where
        T: Cacheable,
        E: 'static,
        F: AsRef<str> + 'static,
        M: IntoIterator<Item = (F, T)> + 'static,
        P: LoadPolicy<L>,
        L: Future<Output = Result<M, E>>,
    {
        let place = self.shared.background.place();
        let (engine, policy) = (self.clone(), policy.clone());
        match (P::detach(loader), place) {
            (Ok(loader), Some(place)) => {
                batch.keys.iter().for_each(|key| self.saw(key, Event::Refresh, Began::read()));
                let load = batch.load::<T, E, _, _, _>(engine, policy, loader, P::timed_out);
                let load = async move {
                    let _place = place;
                    drop(load.await);
                };
                runtime::spawn(Box::pin(load), false);
            }
            (Ok(_), None) => {}
            (Err(loader), _) => drop(batch.load::<T, E, _, _, _>(engine, policy, loader, P::timed_out).await),
        }
    }
}

impl<T: Cacheable, E: 'static> Part<'_, T, E> {
    /// Puts the key where it belongs: found, to be loaded now, or served stale and loaded in the background.
    async fn place(&self, lead: Option<Lead>, round: &mut Round<T>) {
        let key: Box<str> = self.key.into();
        let found = Piloted::new(lead.as_slice(), pin!(self.find())).await;
        let batch = match found {
            Found::Fresh(value) => {
                if let Some(lead) = lead {
                    lead.land(Landing::Value(Value::new(value.clone())));
                }
                round.values.insert(key, value);
                return;
            }
            Found::Stale(stale) if self.is_throttled() => {
                round.values.insert(key, self.serve(stale));
                return;
            }
            Found::Stale(stale) if self.may_revalidate(&stale) => {
                round.values.insert(key.clone(), self.serve(stale));
                &mut round.refresh
            }
            Found::Stale(stale) => {
                round.stale.insert(key.clone(), stale.value);
                &mut round.missing
            }
            Found::Nothing => &mut round.missing,
        };
        if let Some(fenced) = Piloted::new(lead.as_slice(), pin!(self.fence())).await {
            batch.fences.insert(key.clone(), fenced.into_owned(self.engine.cache.clone()));
        }
        batch.keys.push(key);
        batch.leads.extend(lead);
    }
}

impl Batch {
    /// Loads and publishes what the loader finds, and lands the flights.
    async fn load<T, E, F, M, L>(
        self,
        engine: Engine,
        policy: Policy,
        loader: L,
        limit: fn(Timeout) -> Option<Result<M, E>>,
    ) -> Result<Values<T>, E>
    where
        T: Cacheable,
        E: 'static,
        F: AsRef<str> + 'static,
        M: IntoIterator<Item = (F, T)> + 'static,
        L: Future<Output = Result<M, E>>,
    {
        let Self { keys, mut fences, leads } = self;
        let clock = &engine.shared.clock;
        let began = clock.now();
        engine.count(Event::Load);
        let deadline = policy.hard_limit().map(|limit| began + limit);
        let output = {
            let mut loader = pin!(loader);
            let loader = pin!(within(clock, deadline, loader.as_mut()));
            Piloted::new(&leads, loader).await
        };
        let timeout = || Timeout::new(&keys.join(", "), policy.hard_limit().unwrap_or(Duration::MAX));
        let cost = clock.now() - began;
        let over = |well| engine.loaded(&names(&keys), cost, well);
        let (values, leads) =
            by_key(output.or_else(|| limit(timeout())), leads).inspect_err(|_| over(false))?;
        over(true);
        for (key, value) in &values {
            let part = Part::<T, E>::new(&engine, key, &policy, terms(), |_| None);
            engine.shared.throttle.lift(Target::Key(key));
            if let Some(fenced) = fences.remove(key) {
                let publish = pin!(async {
                    part.publish(&Loaded::from(value.clone()), cost, fenced).await;
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
fn by_key<T, E, F: AsRef<str>, M: IntoIterator<Item = (F, T)>>(
    output: Option<Result<M, E>>,
    leads: Vec<Lead>,
) -> Result<(Values<T>, Vec<Lead>), E> {
    // There was a deadline, so the policy has a limit, and its type says what that comes to.
    let output = output.unwrap_or_else(|| unreachable!("a limit without an error"));
    match output {
        Ok(found) => Ok((
            found.into_iter().map(|(key, value)| (key.as_ref().into(), Arc::new(value))).collect(),
            leads,
        )),
        Err(error) => {
            leads.into_iter().for_each(|lead| lead.land(Landing::Failed(None)));
            Err(error)
        }
    }
}
