//! Batches that are loaded in the background, or end there.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::batch::{Batch, Values};
use crate::background::Place;
use crate::clock::within;
use crate::engine::watch::Began;
use crate::engine::{Engine, LoadPolicy};
use crate::policy::Policy;
use crate::reply::BoxFuture;
use crate::runtime;
use crate::stats::Event;
use crate::value::Cacheable;

impl Batch {
    /// Loads; goes on in the background when it takes longer than `soft`, if it can, and if there is
    /// something `stale` for each of its keys by then.
    pub(super) async fn load_softly<T, V, E, F, M, P, L>(
        self,
        engine: &Engine,
        policy: &Policy,
        loader: L,
        soft: Duration,
        stale: impl Fn() -> Option<Values<T>>,
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
        let Some(place) = engine.shared.background.place() else {
            return self.load(engine, policy, loader, P::timed_out).await;
        };
        let loader = match P::detach(loader) {
            Ok(loader) => loader,
            Err(loader) => return self.load(engine, policy, loader, P::timed_out).await,
        };
        let (here, policy, keys, blocking) =
            (engine.clone(), policy.clone(), self.keys.clone(), self.blocking);
        let mut load: BoxFuture<'static, Result<Values<T>, E>> =
            Box::pin(async move { self.load(&here, &policy, loader, P::timed_out).await });
        let clock = &engine.shared.clock;
        if let Some(result) = within(clock, Some(clock.now() + soft), Pin::new(&mut load)).await {
            return result;
        }
        let Some(stale) = stale() else { return load.await };
        keys.iter().for_each(|key| engine.saw(key, Event::Refresh, Began::read()));
        let load = async move {
            let _place = place;
            drop(load.await);
        };
        runtime::spawn(Box::pin(load), blocking);
        Ok(stale)
    }

    /// Loads in the background, if its loader can go there.
    pub(super) async fn load_behind<T, V, E, F, M, P, L>(
        self,
        engine: &Engine,
        policy: &Policy,
        loader: L,
        place: Place,
    ) where
        T: Cacheable,
        E: 'static,
        F: AsRef<str> + 'static,
        V: Into<Arc<T>>,
        M: IntoIterator<Item = (F, V)> + 'static,
        P: LoadPolicy<L>,
        L: Future<Output = Result<M, E>>,
    {
        self.keys.iter().for_each(|key| engine.saw(key, Event::Refresh, Began::read()));
        match P::detach(loader) {
            Ok(loader) => {
                let (engine, policy, blocking) = (engine.clone(), policy.clone(), self.blocking);
                let batch = Batch { nested: false, ..self };
                let load = async move {
                    let _place = place;
                    drop(batch.load::<T, V, E, _, _, _>(&engine, &policy, loader, P::timed_out).await);
                };
                runtime::spawn(Box::pin(load), blocking);
            }
            Err(loader) => drop(self.load::<T, V, E, _, _, _>(engine, policy, loader, P::timed_out).await),
        }
    }
}
