//! Whose turn it is to load: what comes before a loader is started.

use std::slice;
use std::sync::Arc;

use super::detached::Leave;
use super::elsewhere::{Leased, Waited};
use super::fence::Fenced;
use super::follow::Again;
use super::run::Begun;
use super::{Found, Job, Previous, Stale};
use crate::flight::{Beside, Landing, Lead, Seat};
use crate::stats::Event;
use crate::target::Target;
use crate::value::Cacheable;

/// What a load has come to before its loader is needed.
#[expect(clippy::large_enum_variant, reason = "moved once; a box would be an allocation more for each load")]
pub(super) enum Turn<'j, T, E> {
    /// All is done: there is something to serve, or somebody else has loaded, or nobody can in time.
    Over(Result<Arc<T>, E>),
    /// The loader is to be run.
    Mine(Task<'j, T>, Place),
}

/// A run of the loader that is to be made.
pub(super) struct Task<'j, T> {
    pub(super) role: Role,
    pub(super) fenced: Option<Fenced<'j>>,
    /// What may be served in place of a failed load.
    pub(super) stale: Option<Stale<T>>,
    /// What the loader is told.
    pub(super) previous: Option<Previous<T>>,
}

/// Where the loader runs.
pub(super) enum Place {
    /// In its caller, since then.
    Here(Begun),
    /// In the background, at once or if it takes long.
    Detached(Leave),
}

/// For whom a loader runs.
pub(super) enum Role {
    /// For all who follow.
    Leads(Lead),
    /// Beside everybody else; it may have a place among the few who try again.
    Alone { _beside: Option<Beside> },
    /// Without the cache: it is off, or cannot hold this.
    Uncached,
}

impl Role {
    pub(super) fn leads(&self) -> &[Lead] {
        match self {
            Self::Leads(lead) => slice::from_ref(lead),
            Self::Alone { .. } | Self::Uncached => &[],
        }
    }

    /// Ends its flight, if it has one.
    pub(super) fn land(self, landing: Landing) {
        if let Self::Leads(lead) = self {
            lead.land(landing);
        }
    }
}

impl<T: Cacheable, O: 'static, E: 'static> Job<'_, T, O, E> {
    /// Sits down, looks, and takes what a load needs.
    pub(super) async fn turn(&self) -> Turn<'_, T, E> {
        let role = match self.role().await {
            Ok(role) => role,
            Err(result) => return Turn::Over(result),
        };
        if matches!(role, Role::Uncached) {
            self.count_read(Event::Miss);
            return self.mine(role, None, None, None).await;
        }
        let mut waited = Waited::default();
        loop {
            let (stale, leave) = match self.find(role.leads()).await {
                Found::Nothing => (None, None),
                Found::Fresh(value) => {
                    role.land(Landing::Found);
                    return Turn::Over(Ok(value));
                }
                Found::Stale(stale) => match self.may_leave(&role, &stale) {
                    Ok(leave) if !self.is_served(&role, &stale) => (Some(stale), leave),
                    _ => {
                        role.land(Landing::Found);
                        return Turn::Over(Ok(self.serve(stale)));
                    }
                },
            };
            match self.lease(role.leads(), self.terms.anew, &waited).await {
                Leased::Here(fenced, again) => {
                    if again && let Found::Fresh(value) = Box::pin(self.find(role.leads())).await {
                        role.land(Landing::Found);
                        return Turn::Over(Ok(value));
                    }
                    if stale.is_none() {
                        return self.mine(role, fenced, None, None).await;
                    }
                    return Box::pin(self.mine(role, fenced, stale, leave)).await;
                }
                Leased::Elsewhere(ended) => {
                    drop(leave);
                    let got = Box::pin(self.elsewhere(role.leads(), ended, &mut waited, stale)).await;
                    if let Some(result) = got {
                        // Its followers each look for themselves; where there is nothing, one of them leads.
                        role.land(if result.is_ok() { Landing::Found } else { Landing::Abandoned });
                        return Turn::Over(result);
                    }
                }
            }
        }
    }

    /// For whom it would load, unless another caller's load gives it a result.
    async fn role(&self) -> Result<Role, Result<Arc<T>, E>> {
        let shared = &self.engine.shared;
        if shared.disabled {
            return Ok(Role::Uncached);
        }
        if let Err(error) = self.engine.check(self.key, self.policy) {
            self.engine.note(&error);
            return Ok(Role::Uncached);
        }
        if self.terms.anew {
            shared.flights.detach(Target::Key(self.key));
        }
        let mut retrying = false;
        loop {
            match self.seat(retrying) {
                Seat::Lead(lead) => return Ok(Role::Leads(lead)),
                Seat::Alone(_beside) => return Ok(Role::Alone { _beside }),
                Seat::Follow(follow) => match Box::pin(self.follow(follow)).await {
                    Ok(result) => return Err(result),
                    Err(again) => retrying |= matches!(again, Again::Beside),
                },
            }
        }
    }

    /// Whether a stale value is all that this load comes to.
    fn is_served(&self, role: &Role, stale: &Stale<T>) -> bool {
        // Who loads alone serves it within its window as well; who refreshes it has a flight: these could be any number.
        self.is_throttled() || matches!(role, Role::Alone { .. }) && self.may_revalidate(stale)
    }

    /// What is needed before the loader is even started, besides the fence: its closure may read the source already.
    async fn mine<'t>(
        &self,
        role: Role,
        fenced: Option<Fenced<'t>>,
        stale: Option<Stale<T>>,
        leave: Option<Leave>,
    ) -> Turn<'t, T, E> {
        let leads = role.leads();
        let previous = match &stale {
            Some(_) if self.loader.asks => self.previous(leads).await,
            _ => None,
        };
        if let Some(leave) = leave {
            return Turn::Mine(Task { role, fenced, stale, previous }, Place::Detached(leave));
        }
        let begun = self.begin(leads).await;
        let task = Task { role, fenced, stale, previous };
        match begun {
            Ok(begun) => Turn::Mine(task, Place::Here(begun)),
            Err(begun) => Turn::Over(match self.brought(begun, None) {
                Ok((loaded, _)) => Ok(loaded.value),
                Err(error) => self.failed(task, error),
            }),
        }
    }
}
