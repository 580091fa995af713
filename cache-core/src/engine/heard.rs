//! What others change, as far as it concerns the loads in flight: who comes later does not join them.

use std::time::Duration;

use super::Shared;
use crate::listener::Listener;
use crate::target::{Strength, Target};

impl Listener for Shared {
    fn changed(&self, target: Target<'_>, _: Strength) {
        self.updates.disturb(target);
        self.throttle.lift(target);
        self.flights.detach_loads(target);
    }

    fn replaced(&self, key: &str) -> bool {
        self.updates.disturb(Target::Key(key));
        self.flights.loads(key)
    }

    fn cut_off(&self, _: Duration) {}

    fn restored(&self) {
        // Any of them may have been changed meanwhile.
        self.changed(Target::All, Strength::Remove);
    }
}
