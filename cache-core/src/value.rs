//! Typed values behind one erased handle, and the static description a remote tier encodes them by.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::absent;
#[cfg(feature = "postcard")]
use crate::wire::Coding;

/// What can be cached: every `Serialize + DeserializeOwned + Send + Sync + 'static` type, and [`Local`].
///
/// It is implemented for you; there is nothing to write.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be cached",
    label = "neither encodable nor `Local`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it, so that remote tiers can hold it too",
    note = "or wrap it in `larder::Local<_>`: it is then cached in this process only",
    note = "either way it must be `Send + Sync + 'static`; of what is borrowed or unsized, such as `str`, cache the owned form"
)]
pub trait Cacheable: Send + Sync + 'static {
    /// The static description of the type.
    #[doc(hidden)]
    fn kind() -> &'static Kind
    where
        Self: Sized;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Cacheable for T {
    fn kind() -> &'static Kind {
        const {
            &Kind {
                id: TypeId::of::<T>,
                name: type_name::<T>,
                is_none: is_none::<T>,
                local: false,
                #[cfg(feature = "postcard")]
                coding: Some(Coding::of::<T>()),
            }
        }
    }
}

/// A value that is cached in this process only: it need not be serialisable and never goes on the wire.
///
/// Over Redis alone it is not cached: each load runs, and counts an error. With memory in front it is kept there.
///
/// ```
/// use larder::Local;
/// let compiled = Local(std::sync::mpsc::channel::<u8>().0.clone());
/// let _sender: &std::sync::mpsc::Sender<u8> = &compiled;
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Local<T>(pub T);

impl<T: Send + Sync + 'static> Cacheable for Local<T> {
    fn kind() -> &'static Kind {
        const {
            &Kind {
                id: TypeId::of::<Self>,
                name: type_name::<Self>,
                is_none: |_| false,
                local: true,
                #[cfg(feature = "postcard")]
                coding: None,
            }
        }
    }
}

impl<T> Deref for Local<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// The static description of a cached type: its name, its identity, and how to encode it.
pub struct Kind {
    pub(crate) id: fn() -> TypeId,
    name: fn() -> &'static str,
    /// Whether a value of it says "there is none".
    is_none: fn(&dyn Any) -> bool,
    local: bool,
    /// How it is encoded; nothing for [`Local`].
    #[cfg(feature = "postcard")]
    pub(crate) coding: Option<Coding>,
}

impl Kind {
    /// The type's own name.
    pub fn name(&self) -> &'static str {
        (self.name)()
    }

    /// Whether its values never leave the process.
    pub(crate) fn is_local(&self) -> bool {
        self.local
    }

    /// The description of `T`.
    pub fn of<T: Cacheable>() -> &'static Self {
        T::kind()
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        (self.id)() == (other.id)()
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({})", self.name())
    }
}

fn is_none<T: Serialize + 'static>(value: &dyn Any) -> bool {
    value.downcast_ref::<T>().is_some_and(absent::is_none)
}

trait Stored: Any + Send + Sync {
    fn kind(&self) -> &'static Kind;
}

impl<T: Cacheable> Stored for T {
    fn kind(&self) -> &'static Kind {
        T::kind()
    }
}

/// A cached value of any type: a shared handle to the user's own `Arc<T>`.
#[derive(Clone)]
pub struct Value(Arc<dyn Stored>);

impl Value {
    /// Erases the type of `value`; no copy is made.
    #[inline]
    pub fn new<T: Cacheable>(value: Arc<T>) -> Self {
        Self(value)
    }

    /// The user's own `Arc` again.
    ///
    /// # Errors
    /// The value itself, if it is of another type.
    #[inline]
    pub fn downcast<T: Cacheable>(self) -> Result<Arc<T>, Self> {
        let any: &dyn Any = &*self.0;
        if any.type_id() != TypeId::of::<T>() {
            return Err(self);
        }
        // The type was compared just above, so this cannot fail.
        Ok(self.cast().unwrap_or_else(|| unreachable!("type ids agree")))
    }

    /// The user's own `Arc` again; `None` if it is of another type.
    #[inline]
    pub(crate) fn cast<T: Cacheable>(self) -> Option<Arc<T>> {
        let any: Arc<dyn Any + Send + Sync> = self.0;
        any.downcast::<T>().ok()
    }

    /// The value as a counter: a stored `i64`.
    pub fn as_integer(&self) -> Option<i64> {
        let any: &dyn Any = &*self.0;
        any.downcast_ref::<i64>().copied()
    }

    /// Whether the value serialises as `None`.
    pub(crate) fn is_none(&self) -> bool {
        (self.kind().is_none)(&*self.0)
    }

    /// The static description of its type.
    pub fn kind(&self) -> &'static Kind {
        self.0.kind()
    }

    /// Whether both are handles to one and the same value.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The value as whatever it is, for those who look at values of many types: a weigher, a listener.
    pub fn as_any(&self) -> &(dyn Any + Send + Sync) {
        &*self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({})", self.kind().name())
    }
}
