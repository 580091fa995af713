//! One load for the fleet: who leads in its process asks for the lease of the key, and waits while another process has it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::about::About;
use super::fence::{Fenced, wait_for};
use super::{Job, Stale};
use crate::clock::{Time, within};
use crate::flight::{Lead, Piloted};
use crate::lease::{Ended, Lease};
use crate::reply::{BoxFuture, Reply};
use crate::value::Cacheable;

/// How long a load waits for others in all. After that it loads beside them: none of them is known to make progress.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same where whoever has the lease may wait for this very caller: a load inside a load, whose outer one another
/// process may wait for, and one that holds the thread of a runtime.
const BRIEFLY: Duration = Duration::from_secs(1);
/// How long a stale value is served without asking again who refreshes it.
const LOOK: Duration = Duration::from_millis(250);

/// What a load knows of those in other processes that it has waited for.
#[derive(Default)]
pub(super) struct Waited {
    since: Option<Time>,
    /// One of them brought nothing that could be shared.
    in_vain: bool,
}

/// Who loads.
pub(super) enum Leased<'f> {
    /// This caller; without a fence if there is none to be had. Whether it is to look again first.
    Here(Option<Fenced<'f>>, bool),
    Elsewhere(BoxFuture<'static, Ended>),
}

impl<'j> About<'j> {
    /// Asks for the lease, for the leader of a flight; a fence for everybody else.
    pub(super) async fn lease(&self, leads: &[Lead], anew: bool, waited: &Waited) -> Leased<'j> {
        // A load that takes nothing that is there waits for nobody who puts something there.
        if leads.is_empty() || anew || self.is_over(waited) {
            return Leased::Here(self.fence(leads).await, false);
        }
        let cache = &*self.engine.cache;
        let lease = match cache.lease(self.key, waited.in_vain) {
            Reply::Ready(lease) => lease,
            reply => Box::pin(wait_for(leads, reply)).await,
        };
        match lease {
            Ok(Lease::Mine(fence)) => Leased::Here(Some(Fenced::new(cache, self.key, fence)), false),
            Ok(Lease::LookAgain(fence)) => Leased::Here(Some(Fenced::new(cache, self.key, fence)), true),
            Ok(Lease::Theirs(ended)) => Leased::Elsewhere(ended),
            Err(error) => {
                self.engine.note(&error);
                Leased::Here(None, false)
            }
        }
    }

    /// Until when it waits for others.
    fn patience(&self, since: Time) -> Time {
        since + if self.queues() { PATIENCE } else { BRIEFLY }
    }

    fn is_over(&self, waited: &Waited) -> bool {
        waited.since.is_some_and(|since| self.engine.shared.clock.now() >= self.patience(since))
    }
}

impl<T: Cacheable, O: 'static, E: 'static> Job<'_, T, O, E> {
    /// Another process loads. What this caller gets of that without waiting any longer; `None`: it is to look again.
    pub(super) async fn elsewhere(
        &self,
        leads: &[Lead],
        ended: BoxFuture<'static, Ended>,
        waited: &mut Waited,
        stale: Option<Stale<T>>,
    ) -> Option<Result<Arc<T>, E>> {
        if let Some(stale) = stale.as_ref().filter(|stale| self.may_revalidate(stale)) {
            self.throttle_for(LOOK);
            return Some(Ok(self.serve(stale.clone())));
        }
        self.count_coalesced();
        let clock = &self.engine.shared.clock;
        let now = clock.now();
        let since = *waited.since.get_or_insert(now);
        let soft = stale.as_ref().and(self.policy.soft_limit()).map(|limit| since + limit);
        let hard = self.policy.hard_limit().map(|limit| since + limit);
        if soft.is_some_and(|soft| now >= soft)
            && let Some(stale) = stale
        {
            return Some(Ok(self.serve(stale)));
        }
        if hard.is_some_and(|hard| now >= hard)
            && let Some(error) = self.timed_out()
        {
            return Some(self.stand_in(Err(error), stale));
        }
        // At a limit it looks once more, and comes by here if there is still nothing.
        let limits = [soft, hard, Some(self.patience(since))];
        let until = limits.into_iter().flatten().filter(|limit| *limit > now).min();
        let ended = pin!(ended);
        match Piloted::new(leads, pin!(within(clock, until, ended))).await? {
            Ended::Somehow => None,
            Ended::Unshared => {
                waited.in_vain = true;
                None
            }
            Ended::Failed => {
                waited.in_vain = true;
                let stale = stale.filter(|stale| self.may_stand_in(stale))?;
                // As if it had failed here.
                self.throttle();
                Some(Ok(self.serve(stale)))
            }
        }
    }
}
