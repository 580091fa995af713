//! Types whose values are not stored, as the codec refuses them: loads go on without, so nobody may notice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use cache_core::Error;
use parking_lot::Mutex;

/// So many types are named.
const MOST: usize = 8;

/// Each with why its last value was refused. One of which a value was taken later is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    any: AtomicBool,
    types: Mutex<BTreeMap<&'static str, String>>,
}

impl Refused {
    /// A value of that type could not be encoded.
    #[cold]
    pub(crate) fn refuse(&self, kind: &'static str, why: &Error) {
        let mut types = self.types.lock();
        if types.len() < MOST || types.contains_key(kind) {
            types.insert(kind, why.to_string());
            self.any.store(true, Ordering::Relaxed);
        }
    }

    /// One was.
    #[inline]
    pub(crate) fn take(&self, kind: &'static str) {
        if self.any.load(Ordering::Relaxed) {
            let mut types = self.types.lock();
            types.remove(kind);
            self.any.store(!types.is_empty(), Ordering::Relaxed);
        }
    }

    /// In words, one for each type.
    pub(crate) fn troubles(&self) -> Vec<String> {
        self.types.lock().values().map(|why| format!("values of a type are not stored: {why}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use cache_core::ErrorKind;

    use super::*;

    #[test]
    fn each_type_is_told_once_and_not_without_end() {
        let refused = Refused::default();
        let why = |text: &str| Error::new(ErrorKind::Codec, text);
        refused.refuse("a", &why("old"));
        refused.refuse("a", &why("new"));
        assert_eq!(refused.troubles(), ["values of a type are not stored: new"]);
        for kind in ["b", "c", "d", "e", "f", "g", "h", "i", "j"] {
            refused.refuse(kind, &why(kind));
        }
        assert_eq!(refused.troubles().len(), MOST);
        refused.take("a");
        refused.take("unknown");
        assert_eq!(refused.troubles().len(), MOST - 1);
        assert!(!refused.troubles().iter().any(|trouble| trouble.ends_with("new")));
    }
}
