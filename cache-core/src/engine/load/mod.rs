//! Loads: one flight per key, a fence around each, stale values where the policy allows them.
//!
//! A load sits down in the flight table first and reads the cache then: whoever leads has thereby read the cache
//! after every earlier leader had published, and nothing is loaded twice.

mod about;
mod api;
mod batch;
mod behind;
mod detached;
mod elsewhere;
mod fence;
mod finish;
mod follow;
mod found;
mod gate;
mod loaded;
mod many;
mod round;
mod run;
mod start;
mod terms;
mod throttle;
mod turn;

use std::future::Future;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;

use super::{Compute, Engine, LoadPolicy, Uninterrupted};
use crate::policy::Policy;
use crate::runtime::block_on;
use crate::timeout::Timeout;
use crate::value::Cacheable;

use about::About;
use found::{Found, Stale};
pub(super) use gate::Gate;
pub(crate) use loaded::Kept;
pub use loaded::{Load, Loaded, Previous};
use run::Running;
pub(crate) use start::{Start, Told, Untold};
pub use terms::Share;
pub(crate) use terms::Terms;
pub(super) use throttle::Throttle;
use turn::{Place, Turn};

/// One load: what it is about, and of which types.
struct Job<'j, T, O, E> {
    about: About<'j>,
    terms: Terms<T, O, E>,
    loader: Traits<O>,
}

/// What is to be known of a loader's type before it is called.
struct Traits<O> {
    /// It may run in the background.
    detaches: bool,
    /// It wants to be told what there is.
    asks: bool,
    /// What it comes to at its hard timeout.
    limit: fn(Timeout) -> Option<O>,
}

impl<O> Clone for Traits<O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O> Copy for Traits<O> {}

impl<'j, T, O, E> Deref for Job<'j, T, O, E> {
    type Target = About<'j>;

    fn deref(&self) -> &About<'j> {
        &self.about
    }
}

impl Engine {
    /// The value of `key`, loaded if there is none. `plan` is called only where there is nothing fresh; the
    /// loader it gives is started by at most one of the callers who share it.
    #[inline]
    pub(crate) async fn load<T, O, E, P, S, L>(
        &self,
        key: &str,
        terms: Terms<T, O, E>,
        plan: impl FnOnce() -> (P, S),
    ) -> Result<Arc<T>, E>
    where
        T: Cacheable,
        O: 'static,
        E: 'static,
        P: LoadPolicy<L>,
        S: Start<T, L>,
        L: Future<Output = O>,
    {
        if terms.takes_any
            && let Some(value) = self.fresh(key)
        {
            return Ok(value);
        }
        // In a box, so that a hit's future is small, and so are those of loads that call loads.
        Box::pin(self.load_anyhow(key, terms, plan)).await
    }

    /// The same where there is nothing that can be had at once.
    pub(crate) async fn load_anyhow<T, O, E, P, S, L>(
        &self,
        key: &str,
        terms: Terms<T, O, E>,
        plan: impl FnOnce() -> (P, S),
    ) -> Result<Arc<T>, E>
    where
        T: Cacheable,
        O: 'static,
        E: 'static,
        P: LoadPolicy<L>,
        S: Start<T, L>,
        L: Future<Output = O>,
    {
        let (policy, start) = plan();
        let policy = policy.into_policy();
        let about = About::new(self, key, &policy, terms.blocking);
        let loader = Traits { detaches: P::DETACHES, asks: S::ASKS, limit: P::timed_out };
        let job = Job { about, terms, loader };
        let (mut task, place) = match job.turn().await {
            Turn::Over(result) => return result,
            Turn::Mine(task, place) => (task, place),
        };
        let stale = task.previous.take();
        let start = || start.start(|| Load { key: key.into(), stale });
        match place {
            Place::Here(begun) => {
                let run = job.run(task.role.leads(), &begun);
                let loader = pin!(run.starts(start));
                let output = Running::new(run, loader).await;
                let brought = match job.brought(begun, output) {
                    Ok(brought) => brought,
                    Err(error) => return job.failed(task, error),
                };
                Ok(job.succeeded(task, brought).await)
            }
            Place::Detached(leave) => match P::detach(job.starts(task.role.leads(), start)) {
                Ok(loader) => job.leave(task, leave, loader).await,
                Err(_) => unreachable!("only a loader that detaches may leave"),
            },
        }
    }
}

impl Engine {
    /// The same for synchronous code, which holds its thread meanwhile. What is there needs no future.
    #[inline]
    pub(crate) fn load_here<T, O, E, P, F>(
        &self,
        key: &str,
        terms: Terms<T, O, E>,
        plan: impl FnOnce() -> (P, F),
    ) -> Result<Arc<T>, E>
    where
        T: Cacheable,
        O: 'static,
        E: 'static,
        P: LoadPolicy<Compute<F>> + Uninterrupted,
        F: FnOnce() -> O,
    {
        if terms.takes_any
            && let Some(value) = self.fresh(key)
        {
            return Ok(value);
        }
        self.load_here_anyhow(key, terms, plan)
    }

    /// The same where there is nothing that can be had at once.
    pub(crate) fn load_here_anyhow<T, O, E, P, F>(
        &self,
        key: &str,
        terms: Terms<T, O, E>,
        plan: impl FnOnce() -> (P, F),
    ) -> Result<Arc<T>, E>
    where
        T: Cacheable,
        O: 'static,
        E: 'static,
        P: LoadPolicy<Compute<F>> + Uninterrupted,
        F: FnOnce() -> O,
    {
        let terms = Terms { blocking: true, ..terms };
        let (policy, compute) = plan();
        let mut compute = Compute::new(compute);
        if P::DETACHES {
            return block_on(self.load_anyhow(key, terms, || (policy, Untold(|| compute))));
        }
        self.run_here(key, terms, policy.into_policy(), &mut compute)
    }

    /// The same for any closure that cannot leave, so that this is compiled once for all of them.
    fn run_here<T, O, E>(
        &self,
        key: &str,
        terms: Terms<T, O, E>,
        policy: Policy,
        compute: &mut (dyn Future<Output = O> + Unpin),
    ) -> Result<Arc<T>, E>
    where
        T: Cacheable,
        O: 'static,
        E: 'static,
    {
        block_on(self.load_anyhow(key, terms, || (policy.in_caller(), Untold(|| compute))))
    }
}
