//! A subscriber that keeps the events it is told.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Level, Metadata, Subscriber};

#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) level: Level,
    pub(crate) target: String,
    pub(crate) message: String,
    /// All fields but the message, as `name=value `.
    pub(crate) fields: String,
}

impl Event {
    /// The message without the time at its end.
    pub(crate) fn untimed(&self) -> &str {
        match self.message.rsplit_once(' ') {
            Some((rest, time)) if time.starts_with(|c: char| c == '<' || c.is_ascii_digit()) => {
                if self.level == Level::WARN { &self.message } else { rest }
            }
            _ => &self.message,
        }
    }
}

/// What was told, in its order.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<Event>>>);

impl Heard {
    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().expect("nobody panicked over it"))
    }
}

pub(crate) struct Listener {
    level: Level,
    heard: Heard,
}

impl Listener {
    /// One that listens from `level` upwards.
    pub(crate) fn dispatch(level: Level) -> (Dispatch, Heard) {
        let heard = Heard::default();
        (Dispatch::new(Self { level, heard: heard.clone() }), heard)
    }

    /// What `work` tells, from `level` upwards, on this thread and on those that are given the dispatch.
    pub(crate) fn of(level: Level, work: impl FnOnce(&Dispatch)) -> Vec<Event> {
        let (dispatch, heard) = Self::dispatch(level);
        tracing::dispatcher::with_default(&dispatch, || work(&dispatch));
        heard.take()
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level.into())
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let metadata = event.metadata();
        let (level, target) = (*metadata.level(), metadata.target().to_owned());
        let mut heard = Event { level, target, message: String::new(), fields: String::new() };
        event.record(&mut heard);
        self.heard.0.lock().expect("nobody panicked over it").push(heard);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for Event {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let written = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, "{}={value:?} ", field.name())
        };
        written.expect("a String takes all");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}
