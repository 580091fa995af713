//! Which cache a function uses: one it names, or (in the facade) the global one, whose handle a hit does not clone.

use crate::engine::Engine;

/// See the module.
pub trait Handle: Copy {
    /// Lends the cache.
    fn with<X>(self, then: impl FnOnce(&Engine) -> X) -> X;

    /// A handle to keep.
    fn engine(self) -> Engine {
        self.with(Engine::clone)
    }
}

impl Handle for &Engine {
    #[inline]
    fn with<X>(self, then: impl FnOnce(&Engine) -> X) -> X {
        then(self)
    }
}
