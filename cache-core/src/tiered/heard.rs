//! What others change, as this tier hears of it; and whoever stands in front of it, when it is handled here.

use std::time::Duration;

use super::near::{Near, is_here_alone};
use crate::listener::Listener;
use crate::target::{Strength, Target};
use crate::value::Kind;

impl Listener for Near {
    fn changed(&self, target: Target<'_>, strength: Strength) {
        self.hear(target, strength);
        // Not before: what they asked of this tier could be the old copy.
        self.listeners.tell(|listener| listener.changed(target, strength));
    }

    fn replaced(&self, key: &str) -> bool {
        // Of what is kept here alone there is nothing there but the place that its load takes and gives up.
        if !self.held(key, Kind::of::<()>()).as_ref().is_some_and(is_here_alone) {
            self.hear(Target::Key(key), Strength::Remove);
        }
        self.listeners.any(|listener| listener.replaced(key))
    }

    fn belief(&self) -> Duration {
        self.listeners.longest(|listener| listener.belief()).max(self.trust.alone())
    }

    fn assured(&self, left: Duration) {
        self.trust.assured(left);
        self.listeners.tell(|listener| listener.assured(left));
    }

    fn cut_off(&self, since: Duration) {
        self.trust.cut_off(since, || self.listeners.tell(|listener| listener.cut_off(since)));
    }

    fn restored(&self) {
        self.trust.restored(|| self.flush(), || self.listeners.tell(|listener| listener.restored()));
    }
}
