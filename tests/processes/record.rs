//! What the processes write down, each in a file of its own, and how it is read back.
//!
//! Moments are those of the machine's monotonic clock, which all of its processes share.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// A moment: nanoseconds since the machine began.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct At(u64);

impl At {
    pub(crate) fn now() -> Self {
        let now = clock_gettime(ClockId::Monotonic);
        Self(now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64)
    }

    pub(crate) fn plus(self, time: Duration) -> Self {
        Self(self.0 + time.as_nanos() as u64)
    }

    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A process: its place in the fleet, and which one it is that has had this place.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Who {
    pub(crate) node: usize,
    pub(crate) life: usize,
}

/// What is cached.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Value {
    pub(crate) key: usize,
    pub(crate) version: u64,
    /// Whose load brought it, and which; 0 of what was set.
    pub(crate) who: Who,
    pub(crate) load: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Read {
    pub(crate) start: At,
    pub(crate) end: At,
    pub(crate) key: usize,
    pub(crate) got: Value,
    /// It was in this process's memory.
    pub(crate) near: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Change {
    pub(crate) number: u64,
    pub(crate) start: At,
    pub(crate) end: At,
    /// Keys, and which version the truth had before the call.
    pub(crate) keys: Vec<(usize, u64)>,
    pub(crate) what: String,
    pub(crate) acked: bool,
    /// Why Redis may not have it yet.
    pub(crate) error: Option<String>,
}

/// One line of the record.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Event {
    Read(Read),
    Change(Change),
    /// Redis has what it did not have when the change with that number returned.
    Delivered {
        number: u64,
        at: At,
    },
    Load {
        number: u64,
        start: At,
        end: At,
    },
    /// `read_after` has answered, for a token that was asked for at `taken`.
    Seen {
        taken: At,
        end: At,
    },
    /// A change was acknowledged: as said at first, and when it is told to end.
    Works,
}

fn file(dir: &Path, who: Who) -> PathBuf {
    dir.join(format!("record-{}-{}", who.node, who.life))
}

pub(crate) struct Recorder {
    file: File,
    numbers: AtomicU64,
}

impl Recorder {
    pub(crate) fn new(dir: &Path, who: Who) -> Self {
        let file = File::create(file(dir, who)).expect("a file");
        Self { file, numbers: AtomicU64::new(1) }
    }

    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// In one piece, so that who is killed leaves whole lines.
    pub(crate) fn write(&self, event: &Event) {
        let mut line = serde_json::to_vec(event).expect("a line");
        line.push(b'\n');
        (&self.file).write_all(&line).expect("written");
    }
}

/// All that these processes have recorded in `dir`.
pub(crate) fn read_back(dir: &Path, processes: impl Iterator<Item = Who>) -> Vec<(Who, Event)> {
    let mut all = Vec::new();
    for who in processes {
        // Who was killed at once has none.
        let text = fs::read_to_string(file(dir, who)).unwrap_or_default();
        // Who is killed while he writes leaves half a line, the last one.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        all.extend(whole.lines().map(|line| (who, serde_json::from_str(line).expect("an event"))));
    }
    all
}
