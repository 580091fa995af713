//! One batched load of many keys, each of them a flight of its own.

use std::collections::{HashMap, HashSet};
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::batch::{Batch, Part, Values, terms};
use super::follow::Again;
use super::{Found, Stale};
use crate::clock::{Time, within};
use crate::engine::{Engine, LoadPolicy};
use crate::flight::{Beside, Follow, Landing, Piloted, Seat};
use crate::policy::Policy;
use crate::timeout::Timeout;
use crate::value::Cacheable;

/// Whether something stale may be served in place of what is loaded.
type Fits<T, E> = fn(&Part<'_, T, E>, &Stale<T>) -> bool;

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

impl<T> Default for Round<T> {
    fn default() -> Self {
        Self {
            values: HashMap::new(),
            stale: HashMap::new(),
            _beside: Vec::new(),
            missing: Batch::default(),
            refresh: Batch::default(),
            follows: Vec::new(),
        }
    }
}

impl Engine {
    /// The values of `keys`, in their order; those that are missing are loaded by one call of `loader`, which is given
    /// their keys and returns what it finds, by key. A key that it does not return is `None` for this caller, and not
    /// cached. One that it returns unasked is dropped, and counted in [`Stats::errors`](crate::Stats::errors).
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
        if self.shared.disabled {
            let all =
                Batch { keys: keys.iter().map(|key| key.as_ref().into()).collect(), ..Batch::default() };
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
        let patient = policy.clone().unlimited();
        let in_place = |missing: &[Box<str>], stale: &HashMap<Box<str>, Stale<T>>, fits: Fits<T, E>| {
            let serve = |key: &str| {
                let part = Part::new(self, key, &patient, terms(), |_| None);
                let stale = stale.get(key).filter(|stale| fits(&part, stale))?;
                Some((key.into(), part.serve(stale.clone())))
            };
            missing.iter().map(|key| serve(key)).collect::<Option<Values<T>>>()
        };
        // Each round ends the call of somebody who loads a key that others wait for, so there is a last one.
        let mut retrying = false;
        loop {
            let mut found = self.find_many::<T, E>(&wanted, &patient, retrying).await;
            values.extend(mem::take(&mut found.values));
            wanted.clear();
            if !found.missing.keys.is_empty() {
                let loader = loader(given(&found.missing));
                let missing = found.missing.keys.clone();
                let stale = || in_place(&missing, &found.stale, |part, stale| part.may_serve(stale));
                let soft = policy.soft_limit().filter(|_| stale().is_some());
                let load = pin!(async {
                    match soft {
                        None => found.missing.load(self, &policy, loader, limit).await,
                        Some(soft) => {
                            let missing = found.missing;
                            let load =
                                missing.load_softly::<T, E, F, M, P, L>(self, &policy, loader, soft, stale);
                            Box::pin(load).await
                        }
                    }
                });
                // Those that are refreshed after it are not given up meanwhile.
                match Piloted::new(&found.refresh.leads, load).await {
                    Ok(loaded) => values.extend(loaded),
                    Err(error) => {
                        values.extend(
                            in_place(&missing, &found.stale, |part, stale| part.may_stand_in(stale))
                                .ok_or(error)?,
                        );
                    }
                }
            }
            let refresh = found.refresh;
            match self.shared.background.place() {
                Some(place) if !refresh.keys.is_empty() => {
                    let given = given(&refresh);
                    refresh.load_behind::<T, E, F, M, P, L>(self, &policy, loader(given), place).await;
                }
                // Its flights are not held meanwhile.
                _ => drop(refresh),
            }
            let timed_out = |key: &str| {
                limit(Timeout::new(key, policy.hard_limit().unwrap_or_default())).and_then(Result::err)
            };
            for (key, value) in self.follow_many(found.follows, &patient, deadline, timed_out).await? {
                match value {
                    Ok(value) => drop(values.insert(key, value)),
                    Err(again) => {
                        retrying |= matches!(again, Again::Beside);
                        wanted.push(key);
                    }
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
        let mut found = Round::default();
        let (mut mine, mut leads) = (Vec::new(), Vec::new());
        for key in keys {
            let part = Part::<T, E>::new(self, key, policy, terms(), |_| None);
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

    /// Waits for what others load, for all of it at once. The values, and the keys to sit down for again.
    async fn follow_many<T: Cacheable, E: 'static>(
        &self,
        follows: Vec<(Box<str>, Follow)>,
        policy: &Policy,
        deadline: Option<Time>,
        timed_out: impl Fn(&str) -> Option<E>,
    ) -> Result<Vec<(Box<str>, Result<Arc<T>, Again>)>, E> {
        let timed_out = &timed_out;
        let wait = async |(key, follow): (Box<str>, Follow)| {
            let part = Part::<T, E>::new(self, &key, policy, terms(), |_| None);
            let follow = pin!(part.follow(follow));
            if let Some(landed) = within(&self.shared.clock, deadline, follow).await {
                return Ok((key.clone(), landed.map_or_else(|again| Ok(Err(again)), |value| value.map(Ok))?));
            }
            let value = match part.find(&[]).await {
                Found::Fresh(value) => Ok(value),
                Found::Stale(stale) if part.may_stand_in(&stale) => Ok(part.serve(stale)),
                _ => timed_out(&key).map_or(Ok(Err(Again::Anew)), Err)?,
            };
            Ok((key.clone(), value))
        };
        try_all(follows.into_iter().map(wait)).await
    }
}

/// What `futures` come to, all of them under way at once; or the first error.
async fn try_all<F: Future<Output = Result<T, E>>, T, E>(
    futures: impl Iterator<Item = F>,
) -> Result<Vec<T>, E> {
    let mut running: Vec<_> = futures.map(Box::pin).collect();
    let mut done = Vec::with_capacity(running.len());
    poll_fn(move |cx| {
        let mut next = 0;
        while let Some(future) = running.get_mut(next) {
            let Poll::Ready(output) = future.as_mut().poll(cx) else {
                next += 1;
                continue;
            };
            drop(running.swap_remove(next));
            done.push(output?);
        }
        if running.is_empty() { Poll::Ready(Ok(mem::take(&mut done))) } else { Poll::Pending }
    })
    .await
}

impl<T: Cacheable, E: 'static> Part<'_, T, E> {
    /// Puts the key where it belongs: found, to be loaded now, or served stale and loaded in the background.
    async fn place(&self, round: &mut Round<T>) {
        let key: Box<str> = self.key.into();
        let batch = match self.find(&[]).await {
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
        if let Some(fenced) = self.fence(&[]).await {
            batch.fences.insert(key.clone(), fenced.into_owned(self.engine.cache.clone()));
        }
        batch.keys.push(key);
    }
}
