//! The handle that applications hold, and how it is built.

use std::ops::Deref;

#[cfg(feature = "memory")]
use backend_memory::Memory;
use cache_core::{Cache, Engine};

use crate::LarderBuilder;

/// A cache. Clones share everything.
///
/// Its operations are those of [`Engine`], which it dereferences to.
///
/// ```
/// use larder::{Larder, ttl};
///
/// let cache = Larder::memory(100_000);
/// cache.set("school:7:name", "Lakeside".to_owned(), ttl::LONG).wait()?;
/// let name = cache.get::<String>("school:7:name").wait()?;
/// assert_eq!(name.as_deref().map(String::as_str), Some("Lakeside"));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Larder(Engine);

impl Larder {
    /// A cache in process memory of at most `capacity` entries.
    #[cfg(feature = "memory")]
    pub fn memory(capacity: usize) -> Self {
        Self::over(Memory::builder().capacity(capacity).build())
    }

    /// A cache over any backend, with everything else at its default.
    pub fn over(backend: impl Cache) -> Self {
        Self(Engine::new(backend))
    }

    /// A cache that holds nothing: every get misses, every load runs. For a switch in a program's configuration.
    pub fn disabled() -> Self {
        Self(Engine::disabled())
    }

    /// How it is put together.
    pub fn builder() -> LarderBuilder {
        LarderBuilder::default()
    }
}

impl Deref for Larder {
    type Target = Engine;

    #[inline]
    fn deref(&self) -> &Engine {
        &self.0
    }
}

impl From<Engine> for Larder {
    fn from(engine: Engine) -> Self {
        Self(engine)
    }
}
