//! What can be broken in a server on purpose.

use std::borrow::Cow;
use std::cell::Cell;

use super::Server;

/// See the module.
#[derive(Default)]
pub(super) struct Sabotage {
    doctor: Cell<Option<fn(&str) -> String>>,
    /// Whether it says that it is the server that it was, whatever it has forgotten.
    pub(super) is_the_same: Cell<bool>,
}

impl Server {
    /// From now on runs what `doctor` makes of a script in its place, by the same name.
    pub fn doctor(&self, doctor: fn(&str) -> String) {
        self.0.sabotage.doctor.set(Some(doctor));
    }

    /// From now on has the same `run_id` in all its lives.
    pub fn keep_its_name(&self) {
        self.0.sabotage.is_the_same.set(true);
    }
}

impl Sabotage {
    /// What is run in the place of this script.
    pub(super) fn of<'s>(&self, source: &'s [u8]) -> Cow<'s, [u8]> {
        match self.doctor.get() {
            Some(doctor) => doctor(&String::from_utf8_lossy(source)).into_bytes().into(),
            None => source.into(),
        }
    }
}
