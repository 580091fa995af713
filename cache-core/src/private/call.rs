//! The call of a cached function: one for all of them, synchronous or not.

use std::future::Future;

use super::{Handle, Shape};
use crate::engine::{Compute, LoadPolicy, Uninterrupted, Untold};
use crate::value::Cacheable;

/// What a call asks of the cache.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ask {
    /// Any fresh value.
    Fresh,
    /// A value that the policy takes: it has a version or a largest age.
    Checked,
    /// To be filled anew.
    Anew,
    /// Nothing: the function just runs.
    Nothing,
}

/// A call of a cached function.
pub struct Call<'k, H, T, O, R> {
    /// Its cache.
    pub cache: H,
    /// What it asks of it.
    pub ask: Ask,
    /// The key of its arguments.
    pub key: &'k str,
    /// How its results are cached.
    pub shape: Shape<T, O, R>,
}

impl<H: Handle, T: Cacheable, O: 'static, R: 'static> Call<'_, H, T, O, R> {
    /// A hit, without a future: what every call tries first.
    #[inline]
    fn hit(&self) -> Option<R> {
        if self.ask != Ask::Fresh {
            return None;
        }
        self.cache.with(|cache| cache.fresh(self.key)).map(self.shape.join)
    }
}

/// Runs the call of an asynchronous function. `plan` gives what only a miss needs: the policy, and the load.
#[inline]
pub async fn run<H, T, O, R, P, L>(call: Call<'_, H, T, O, R>, plan: impl FnOnce() -> (P, L)) -> R
where
    H: Handle,
    T: Cacheable,
    O: 'static,
    R: 'static,
    P: LoadPolicy<L>,
    L: Future<Output = O>,
{
    if let Some(hit) = call.hit() {
        return hit;
    }
    let Call { cache, ask, key, shape } = call;
    if ask == Ask::Nothing {
        let (_, load) = plan();
        return (shape.bare)(Box::pin(load).await);
    }
    let plan = || {
        let (policy, load) = plan();
        (policy, Untold(|| load))
    };
    let cache = cache.engine();
    let terms = shape.terms(ask, false);
    // In a box, so that a hit's future is small, and so are those of functions that call functions.
    shape.joined(Box::pin(cache.load_anyhow(key, terms, plan)).await)
}

/// Runs the call of a synchronous function.
#[inline]
pub fn run_sync<H, T, O, R, P, F>(call: Call<'_, H, T, O, R>, plan: impl FnOnce() -> (P, F)) -> R
where
    H: Handle,
    T: Cacheable,
    O: 'static,
    R: 'static,
    P: LoadPolicy<Compute<F>> + Uninterrupted,
    F: FnOnce() -> O,
{
    if let Some(hit) = call.hit() {
        return hit;
    }
    let Call { cache, ask, key, shape } = call;
    if ask == Ask::Nothing {
        let (_, compute) = plan();
        return (shape.bare)(compute());
    }
    shape.joined(cache.engine().load_here_anyhow(key, shape.terms(ask, true), plan))
}
