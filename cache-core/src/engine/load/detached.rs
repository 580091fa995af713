//! A load that may go on without its caller, because there is a stale value to serve.

use std::pin::{Pin, pin};
use std::sync::Arc;

use super::about::About;
use super::run::Running;
use super::turn::{Role, Task};
use super::{Job, Stale};
use crate::background;
use crate::clock::within;
use crate::reply::BoxFuture;
use crate::runtime;
use crate::stats::Event;
use crate::value::Cacheable;

/// Leave to run in the background.
pub(super) struct Leave {
    place: background::Place,
    /// At once, and not when it takes long.
    at_once: bool,
}

type Detached<T, E> = BoxFuture<'static, Result<Arc<T>, E>>;

impl<T: Cacheable, O: 'static, E: 'static> Job<'_, T, O, E> {
    /// Whether a load may leave its caller, who would be served `stale`. `Err`: it should at once, and all places are taken.
    pub(super) fn may_leave(&self, role: &Role, stale: &Stale<T>) -> Result<Option<Leave>, ()> {
        let at_once = self.may_revalidate(stale);
        let softly = self.policy.soft_limit().is_some() && !self.blocking;
        if !(self.loader.detaches && matches!(role, Role::Leads(_)) && (at_once || softly)) {
            return Ok(None);
        }
        match self.engine.shared.background.place() {
            Some(place) => Ok(Some(Leave { place, at_once })),
            None if at_once => Err(()),
            None => Ok(None),
        }
    }

    /// Runs a loader that depends on nobody in the background: at once, or when it has taken long.
    pub(super) async fn leave(
        &self,
        mut task: Task<'_, T>,
        Leave { place, at_once }: Leave,
        loader: BoxFuture<'static, O>,
    ) -> Result<Arc<T>, E> {
        let stale = task.stale.take();
        let load = self.movable(task, loader);
        match stale {
            Some(stale) if at_once => {
                self.spawn(load, place);
                Ok(self.serve(stale))
            }
            Some(stale) => self.lead_softly(load, place, stale).await,
            None => load.await,
        }
    }

    /// Loads in the caller up to the soft timeout, and then goes on in the background.
    async fn lead_softly(
        &self,
        mut load: Detached<T, E>,
        place: background::Place,
        stale: Stale<T>,
    ) -> Result<Arc<T>, E> {
        let clock = &self.engine.shared.clock;
        let deadline = self.policy.soft_limit().map(|limit| clock.now() + limit);
        match within(clock, deadline, Pin::new(&mut load)).await {
            Some(result) => self.stand_in(result, Some(stale)),
            None if self.may_serve(&stale) => {
                self.spawn(load, place);
                Ok(self.serve(stale))
            }
            None => self.stand_in(load.await, Some(stale)),
        }
    }

    /// The load as something that depends on nobody, and can be polled here and there.
    fn movable(&self, task: Task<'_, T>, loader: BoxFuture<'static, O>) -> Detached<T, E> {
        let engine = self.engine.clone();
        let (key, policy) = (Box::<str>::from(self.key), self.policy.clone());
        let (terms, traits) = (self.terms, self.loader);
        let fenced = task.fenced.map(|fenced| fenced.into_owned(&engine.cache));
        let task = Task { fenced, role: task.role, stale: None, previous: None };
        Box::pin(async move {
            let about = About::new(&engine, &key, &policy, terms.blocking);
            let job = Job { about, terms, loader: traits };
            let leads = task.role.leads();
            let (begun, output) = match job.begin(leads).await {
                Ok(begun) => {
                    let run = job.run(leads, &begun);
                    (begun, Running::new(run, pin!(loader)).await)
                }
                Err(begun) => (begun, None),
            };
            let brought = match job.brought(begun, output) {
                Ok(brought) => brought,
                Err(error) => return job.failed(task, error),
            };
            Ok(job.succeeded(task, brought).await)
        })
    }

    fn spawn(&self, load: Detached<T, E>, place: background::Place) {
        self.saw(Event::Refresh);
        let load = async move {
            let _place = place;
            drop(load.await);
        };
        runtime::spawn(Box::pin(load), self.blocking);
    }
}
