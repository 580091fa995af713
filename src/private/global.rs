//! The global cache, as the handle of functions that name none; a hit does not clone it.

use cache_core::Engine;
use cache_core::private::Handle;

use crate::global::with_global;

/// See the module.
#[derive(Clone, Copy)]
pub struct Global;

impl Handle for Global {
    #[inline]
    fn with<X>(self, then: impl FnOnce(&Engine) -> X) -> X {
        with_global(|cache| then(cache))
    }
}
