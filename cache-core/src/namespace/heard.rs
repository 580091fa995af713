//! What a namespace hears of the store that it shares with others.

use std::sync::Weak;
use std::time::Duration;

use super::literal_start;
use crate::listener::Listener;
use crate::target::{Strength, Target};

/// Hands notices on without the prefix, and those of other namespaces not at all.
pub(super) struct Stripped {
    pub(super) prefix: Box<str>,
    pub(super) to: Weak<dyn Listener>,
}

impl Stripped {
    fn tell(&self, tell: impl FnOnce(&dyn Listener)) {
        if let Some(listener) = self.to.upgrade() {
            tell(&*listener);
        }
    }

    /// What `target` is here; `None`: nothing.
    fn own<'t>(&self, target: Target<'t>) -> Option<Target<'t>> {
        Some(match target {
            Target::Key(key) => Target::Key(key.strip_prefix(&*self.prefix)?),
            Target::Tag(tag) => Target::Tag(tag.strip_prefix(&*self.prefix)?),
            Target::Pattern(pattern) => {
                let (start, rest) = literal_start(pattern, self.prefix.len());
                match self.prefix.as_bytes().strip_prefix(&*start)? {
                    [] if rest == "*" => Target::All,
                    [] => Target::Pattern(rest),
                    // A key that is too short to be of this namespace.
                    _ if rest.is_empty() => return None,
                    // It begins with a wildcard before the prefix ends: what it matches of this namespace is in it.
                    _ => Target::All,
                }
            }
            Target::All => Target::All,
        })
    }
}

impl Listener for Stripped {
    fn changed(&self, target: Target<'_>, strength: Strength) {
        if let Some(target) = self.own(target) {
            self.tell(|listener| listener.changed(target, strength));
        }
    }

    fn replaced(&self, key: &str) -> bool {
        let Some(key) = key.strip_prefix(&*self.prefix) else { return false };
        self.to.upgrade().is_some_and(|listener| listener.replaced(key))
    }

    fn belief(&self) -> Duration {
        self.to.upgrade().map_or(Duration::ZERO, |listener| listener.belief())
    }

    fn assured(&self, left: Duration) {
        self.tell(|listener| listener.assured(left));
    }

    fn cut_off(&self, since: Duration) {
        self.tell(|listener| listener.cut_off(since));
    }

    fn restored(&self) {
        self.tell(|listener| listener.restored());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sync::Mutex;
    use crate::target::Named;

    #[derive(Default)]
    struct Noted(Mutex<Vec<Named>>);

    impl Listener for Noted {
        fn changed(&self, target: Target<'_>, _: Strength) {
            self.0.lock().push(target.into());
        }
        fn cut_off(&self, _: Duration) {}
        fn restored(&self) {}
    }

    #[test]
    fn only_what_is_in_the_namespace_is_heard_and_without_its_prefix() {
        let noted = Arc::new(Noted::default());
        let to: Weak<dyn Listener> = Arc::downgrade(&(noted.clone() as Arc<dyn Listener>));
        let stripped = Stripped { prefix: "a*b:".into(), to };
        let heard = |target: Target<'_>| {
            stripped.changed(target, Strength::Remove);
            noted.0.lock().pop()
        };
        assert_eq!(heard(Target::Key("a*b:k:1")), Some(Named::Key("k:1".into())));
        assert_eq!(heard(Target::Key("axb:k:1")), None);
        assert_eq!(heard(Target::Tag("a*b:t")), Some(Named::Tag("t".into())));
        assert_eq!(heard(Target::Tag("other:t")), None);
        assert_eq!(heard(Target::Pattern(r"a\*b:k:[0-9]*")), Some(Named::Pattern("k:[0-9]*".into())));
        assert_eq!(heard(Target::Pattern(r"a\*b:*")), Some(Named::All));
        assert_eq!(heard(Target::Pattern(r"a\*c:*")), None);
        assert_eq!(heard(Target::Pattern("other:*")), None);
        // What may cover some of it covers all of it.
        assert_eq!(heard(Target::Pattern("a*:k:1")), Some(Named::All));
        assert_eq!(heard(Target::Pattern("*")), Some(Named::All));
        assert_eq!(heard(Target::Pattern("?*b:k")), Some(Named::All));
        // Literal, and too short to be a key of this namespace.
        assert_eq!(heard(Target::Pattern("a")), None);
        assert_eq!(heard(Target::All), Some(Named::All));
    }
}
