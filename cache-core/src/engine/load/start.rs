//! How a loader is started: told what there is, or just called. Most want to know nothing, and pay nothing.

use super::Load;

/// A loader that has not been started.
pub(crate) trait Start<T, L> {
    /// Whether it wants to be told.
    const ASKS: bool;

    /// Starts it; `load` is what it may be told.
    fn start(self, load: impl FnOnce() -> Load<T>) -> L;
}

/// Called, and told nothing.
pub(crate) struct Untold<F>(pub(crate) F);

impl<T, L, F: FnOnce() -> L> Start<T, L> for Untold<F> {
    const ASKS: bool = false;

    fn start(self, _: impl FnOnce() -> Load<T>) -> L {
        self.0()
    }
}

/// Told what there is.
pub(crate) struct Told<F>(pub(crate) F);

impl<T, L, F: FnOnce(Load<T>) -> L> Start<T, L> for Told<F> {
    const ASKS: bool = true;

    fn start(self, load: impl FnOnce() -> Load<T>) -> L {
        self.0(load())
    }
}
