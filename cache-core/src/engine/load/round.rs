//! One round of a batched load: what is found, what is loaded, and what others load.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use super::batch::{Batch, Part, Values, part};
use super::follow::Again;
use super::{Found, Stale};
use crate::clock::{Time, within};
use crate::engine::{Engine, LoadPolicy};
use crate::flight::{Beside, Follow, Landing, Piloted, Seat};
use crate::policy::Policy;
use crate::stats::Event;
use crate::value::Cacheable;

/// One call of `load_many`: what is the same in all of its rounds.
pub(super) struct Call<'c> {
    pub(super) engine: &'c Engine,
    pub(super) policy: &'c Policy,
    /// The same without a hard timeout, which the call minds, and no single key.
    pub(super) patient: &'c Policy,
    /// Its caller holds its thread.
    pub(super) blocking: bool,
    pub(super) deadline: Option<Time>,
}

/// Whether something stale may be served in place of what is loaded.
type Fits<T, E> = fn(&Part<'_, T, E>, &Stale<T>) -> bool;

/// What may stand in for a load.
type Stales<T> = HashMap<Box<str>, Stale<T>>;

/// What was found of the keys of one round.
pub(super) struct Round<T> {
    pub(super) values: Values<T>,
    /// What may stand in for a load that fails.
    pub(super) stale: Stales<T>,
    /// Places among the few who try again beside a leader.
    _beside: Vec<Beside>,
    pub(super) missing: Batch,
    /// Stale, served, and to be loaded in the background.
    pub(super) refresh: Batch,
    pub(super) follows: Vec<(Box<str>, Follow)>,
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

/// What others have loaded.
pub(super) struct Followed<T> {
    pub(super) values: Values<T>,
    /// What they have not: to sit down for once more.
    pub(super) again: Vec<Box<str>>,
    /// Some of it beside whoever leads, see [`Again::Beside`].
    pub(super) beside: bool,
}

impl Call<'_> {
    fn part<'p, T, E>(&'p self, key: &'p str) -> Part<'p, T, E> {
        part(self.engine, key, self.patient, self.blocking)
    }

    /// Sits down for each key, and reads the cache for those that are this caller's to load.
    pub(super) async fn find<T: Cacheable, E: 'static>(&self, keys: &[Box<str>], retrying: bool) -> Round<T> {
        let (engine, policy) = (self.engine, self.patient);
        let mut found = Round::new(self.blocking);
        let (mut mine, mut leads) = (Vec::new(), Vec::new());
        for key in keys {
            let part = self.part::<T, E>(key);
            if let Err(error) = engine.check(key, policy) {
                engine.note(&error);
                drop(part.nothing());
                found.missing.keys.push(key.clone());
                continue;
            }
            if policy.takes_any()
                && let Some(value) = engine.fresh(key)
            {
                found.values.insert(key.clone(), value);
                continue;
            }
            match part.seat(retrying) {
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

    /// Loads what is missing; the stale values in its place, where they may be.
    pub(super) async fn load<T, V, E, F, M, P, L>(
        &self,
        missing: Batch,
        stale: &Stales<T>,
        loader: L,
    ) -> Result<Values<T>, E>
    where
        T: Cacheable,
        E: 'static,
        F: AsRef<str> + 'static,
        V: Into<Arc<T>>,
        M: IntoIterator<Item = (F, V)> + 'static,
        P: LoadPolicy<L>,
        L: Future<Output = Result<M, E>>,
    {
        let keys = missing.keys.clone();
        let served = AtomicBool::new(false);
        let in_place = |fits: Fits<T, E>| self.in_place::<T, E>(&keys, stale, fits);
        let instead = |fits| in_place(fits).inspect(|_| served.store(true, Ordering::Relaxed));
        let in_time: Fits<T, E> = |part, stale| part.may_serve(stale);
        let loaded = match self.policy.soft_limit().filter(|_| in_place(in_time).is_some()) {
            None => missing.load(self.engine, self.policy, loader, P::timed_out).await,
            Some(soft) => {
                let load = missing.load_softly::<T, V, E, F, M, P, L>(
                    self.engine,
                    self.policy,
                    loader,
                    soft,
                    || instead(in_time),
                );
                Box::pin(load).await
            }
        };
        let values = loaded.or_else(|error| instead(|part, stale| part.may_stand_in(stale)).ok_or(error));
        self.count_stale::<T, E>(stale, served.into_inner());
        values
    }

    /// The stale values of all `keys`, if each has one that fits.
    fn in_place<T: Cacheable, E: 'static>(
        &self,
        keys: &[Box<str>],
        stale: &Stales<T>,
        fits: Fits<T, E>,
    ) -> Option<Values<T>> {
        let fitting = |key: &str| {
            let stale = stale.get(key).filter(|stale| fits(&self.part(key), stale))?;
            Some((key.into(), stale.value.clone()))
        };
        keys.iter().map(|key| fitting(key)).collect()
    }

    /// What the reads came to that found something stale: it was served, or there was as good as nothing.
    fn count_stale<T: Cacheable, E: 'static>(&self, stale: &Stales<T>, served: bool) {
        for (key, stale) in stale {
            let part = self.part::<T, E>(key);
            if served {
                drop(part.serve(stale.clone()));
            } else {
                part.count_read(Event::Miss);
            }
        }
    }

    /// Waits for what others load, for all of it at once.
    pub(super) async fn follow<T: Cacheable, E: 'static>(
        &self,
        follows: Vec<(Box<str>, Follow)>,
        timed_out: impl Fn(&str) -> Option<E>,
    ) -> Result<Followed<T>, E> {
        let timed_out = &timed_out;
        let wait = async |(key, follow): (Box<str>, Follow)| {
            let part = self.part::<T, E>(&key);
            let follow = pin!(part.follow(follow));
            if let Some(landed) = within(&self.engine.shared.clock, self.deadline, follow).await {
                return Ok((key.clone(), landed.map_or_else(|again| Ok(Err(again)), |value| value.map(Ok))?));
            }
            let value = match part.find(&[]).await {
                Found::Fresh(value) => Ok(value),
                Found::Stale(stale) if part.may_stand_in(&stale) => Ok(part.serve(stale)),
                _ => timed_out(&key).map_or(Ok(Err(Again::Anew)), Err)?,
            };
            Ok((key.clone(), value))
        };
        let mut followed = Followed { values: Values::new(), again: Vec::new(), beside: false };
        for (key, value) in try_all(follows.into_iter().map(wait)).await? {
            match value {
                Ok(value) => drop(followed.values.insert(key, value)),
                Err(again) => {
                    followed.beside |= matches!(again, Again::Beside);
                    followed.again.push(key);
                }
            }
        }
        Ok(followed)
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
            batch.fences.insert(key.clone(), fenced.into_owned(&self.engine.cache));
        }
        batch.keys.push(key);
    }
}
