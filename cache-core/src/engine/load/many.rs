//! One batched load of many keys, each of them a flight of its own.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use super::batch::{Batch, Part, Values, terms};
use super::{Found, Stale};
use crate::background::Place;
use crate::clock::within;
use crate::engine::watch::Began;
use crate::engine::{Engine, LoadPolicy};
use crate::flight::{Beside, Follow, Landing, Piloted, Seat};
use crate::policy::Policy;
use crate::runtime;
use crate::stats::Event;
use crate::timeout::Timeout;
use crate::value::Cacheable;

/// What was found of the keys of one round.
struct Round<T> {
    values: Values<T>,
    /// What may stand in for a load that fails.
    stale: HashMap<Box<str>, Stale<T>>,
    /// Places among the few who try again beside a leader.
    _beside: Vec<Beside>,
    missing: Batch,
    /// Stale, served, and to be loaded in the background.
    refresh: Batch,
    follows: Vec<(Box<str>, Follow)>,
}

impl<T> Round<T> {
    fn new(blocking: bool) -> Self {
        Self {
            values: HashMap::new(),
            stale: HashMap::new(),
            _beside: Vec::new(),
            missing: Batch::new(blocking),
            refresh: Batch::new(blocking),
            follows: Vec::new(),
        }
    }
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
        loader: impl FnMut(Vec<K>) -> L,
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
        self.load_each::<T, T, E, K, F, M, P, L>(keys.into_iter().collect(), policy, loader, false).await
    }

    /// The same for values that may be shared already, and for callers that hold their thread.
    pub(crate) async fn load_each<T, V, E, K, F, M, P, L>(
        &self,
        keys: Vec<K>,
        policy: P,
        mut loader: impl FnMut(Vec<K>) -> L,
        blocking: bool,
    ) -> Result<Vec<Option<Arc<T>>>, E>
    where
        T: Cacheable,
        V: Into<Arc<T>>,
        E: 'static,
        K: AsRef<str> + Clone,
        F: AsRef<str> + 'static,
        M: IntoIterator<Item = (F, V)> + 'static,
        P: LoadPolicy<L>,
        L: Future<Output = Result<M, E>>,
    {
        let (policy, limit) = (policy.into_policy(), P::timed_out);
        if self.shared.disabled {
            let all = keys.iter().map(|key| key.as_ref().into()).collect();
            let all = Batch { keys: all, ..Batch::new(blocking) };
            let values = all.load(self, &policy, loader(keys.clone()), limit).await?;
            return Ok(keys.iter().map(|key| values.get(key.as_ref()).cloned()).collect());
        }
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
        let deadline = policy.hard_limit().map(|limit| self.shared.clock.now() + limit);
        let timed_out = |key: &str| limit(Timeout::new(key, policy.hard_limit().unwrap_or_default()));
        let patient = policy.clone().unlimited();
        let stand_in = |missing: &[Box<str>], stale: &mut HashMap<Box<str>, Stale<T>>| {
            let mut serve = |key: &str| {
                let part = Part::<T, E>::new(self, key, &patient, terms(blocking), |_| None);
                let stale = stale.remove(key).filter(|stale| part.may_stand_in(stale))?;
                Some((Box::from(key), part.serve(stale)))
            };
            missing.iter().map(|key| serve(key)).collect::<Option<Vec<_>>>()
        };
        // Each round ends the call of somebody who loads a key that others wait for, so there is a last one.
        let mut retrying = false;
        loop {
            let mut found = self.find_many::<T, E>(&wanted, &patient, blocking, retrying).await;
            values.extend(std::mem::take(&mut found.values));
            wanted.clear();
            if !found.missing.keys.is_empty() {
                let given = given(&found.missing);
                let missing = found.missing.keys.clone();
                let load = pin!(found.missing.load(self, &policy, loader(given), limit));
                // Those that are refreshed after it are not given up meanwhile.
                match Piloted::new(&found.refresh.leads, load).await {
                    Ok(loaded) => values.extend(loaded),
                    Err(error) => values.extend(stand_in(&missing, &mut found.stale).ok_or(error)?),
                }
            }
            if !found.refresh.keys.is_empty()
                && let Some(place) = self.shared.background.place()
            {
                let given = given(&found.refresh);
                self.refresh_many::<T, V, E, F, M, P, L>(found.refresh, &policy, loader(given), place).await;
            }
            for (key, follow) in found.follows {
                let landed = {
                    let part = Part::<T, E>::new(self, &key, &patient, terms(blocking), |_| None);
                    let follow = pin!(part.follow(follow));
                    within(&self.shared.clock, deadline, follow).await
                };
                match landed {
                    Some(Some(Ok(value))) => drop(values.insert(key, value)),
                    Some(Some(Err(error))) => return Err(error),
                    Some(None) => wanted.push(key),
                    None => {
                        if let Some(Err(error)) = timed_out(&key) {
                            return Err(error);
                        }
                    }
                }
            }
            if wanted.is_empty() {
                break;
            }
            retrying = true;
        }
        Ok(keys.iter().map(|key| values.get(key.as_ref()).cloned()).collect())
    }

    /// Sits down for each key, and reads the cache for those that are this caller's to load.
    async fn find_many<T: Cacheable, E: 'static>(
        &self,
        keys: &[Box<str>],
        policy: &Policy,
        blocking: bool,
        retrying: bool,
    ) -> Round<T> {
        let mut found = Round::new(blocking);
        let (mut mine, mut leads) = (Vec::new(), Vec::new());
        for key in keys {
            let part = Part::<T, E>::new(self, key, policy, terms(blocking), |_| None);
            if let Err(error) = self.check(key, policy) {
                self.note(&error);
                drop(part.nothing());
                found.missing.keys.push(key.clone());
                continue;
            }
            if policy.takes_any()
                && let Some(value) = self.fresh(key)
            {
                found.values.insert(key.clone(), value);
                continue;
            }
            match self.seat(key, policy, part.caller(retrying)) {
                Seat::Lead(lead) => leads.push(lead),
                Seat::Alone(beside) => found._beside.extend(beside),
                Seat::Follow(follow) => {
                    found.follows.push((key.clone(), follow));
                    continue;
                }
            }
            mine.push(part);
        }
        // All of them under way while each is looked at: none is given up for the others' sake.
        {
            let look = pin!(async {
                for part in mine {
                    part.place(&mut found).await;
                }
            });
            Piloted::new(&leads, look).await;
        }
        for lead in leads {
            match lead.key() {
                key if found.refresh.fences.contains_key(key) => found.refresh.leads.push(lead),
                key if found.values.contains_key(key) => lead.land(Landing::Found),
                _ => found.missing.leads.push(lead),
            }
        }
        found
    }

    /// Loads a batch in the background, if its loader can go there.
    async fn refresh_many<T, V, E, F, M, P, L>(&self, batch: Batch, policy: &Policy, loader: L, place: Place)
    where
        T: Cacheable,
        E: 'static,
        F: AsRef<str> + 'static,
        V: Into<Arc<T>>,
        M: IntoIterator<Item = (F, V)> + 'static,
        P: LoadPolicy<L>,
        L: Future<Output = Result<M, E>>,
    {
        batch.keys.iter().for_each(|key| self.saw(key, Event::Refresh, Began::read()));
        match P::detach(loader) {
            Ok(loader) => {
                let (engine, policy, blocking) = (self.clone(), policy.clone(), batch.blocking);
                let load = async move {
                    let _place = place;
                    drop(batch.load::<T, V, E, _, _, _>(&engine, &policy, loader, P::timed_out).await);
                };
                runtime::spawn(Box::pin(load), blocking);
            }
            Err(loader) => drop(batch.load::<T, V, E, _, _, _>(self, policy, loader, P::timed_out).await),
        }
    }
}

impl<T: Cacheable, E: 'static> Part<'_, T, E> {
    /// Puts the key where it belongs: found, to be loaded now, or served stale and loaded in the background.
    async fn place(&self, round: &mut Round<T>) {
        let key: Box<str> = self.key.into();
        let batch = match self.find().await {
            Found::Fresh(value) => return drop(round.values.insert(key, value)),
            Found::Stale(stale) if self.is_throttled() => {
                return drop(round.values.insert(key, self.serve(stale)));
            }
            Found::Stale(stale) if self.may_revalidate(&stale) => {
                round.values.insert(key.clone(), self.serve(stale));
                &mut round.refresh
            }
            Found::Stale(stale) => {
                round.stale.insert(key.clone(), stale);
                &mut round.missing
            }
            Found::Nothing => &mut round.missing,
        };
        if let Some(fenced) = self.fence().await {
            batch.fences.insert(key.clone(), fenced.into_owned(self.engine.cache.clone()));
        }
        batch.keys.push(key);
    }
}
