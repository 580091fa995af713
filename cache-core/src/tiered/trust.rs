//! For how long the copies in memory are believed.
//!
//! ```text
//!            cut_off                     its time is over: flushed
//! WHOLE ─────────────────► CUT OFF ────────────────────────────────► CUT OFF
//!   ▲   all believed       believed until a moment,                  each believed for
//!   │                      new ones for `cut_off_ttl` too            `cut_off_ttl`
//!   └──────────────────────────────── restored: flushed ─────────────────────┘
//! ```
//!
//! A flush voids every fence taken before it. So whoever puts a copy there and asks for its [`cap`](Trust::cap) *after* it
//! has taken its fence cannot leave one there that is believed for too long: if the channel was lost in between, the flush
//! that ends the trust in what was there finds the copy, or hinders it.

use std::time::Duration;

use crate::clock::{Clock, Time};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// See the module.
pub(super) struct Trust {
    clock: Clock,
    cut_off_ttl: Duration,
    /// What is there is believed before this, in milliseconds of the clock. Every hit reads it.
    until: AtomicU64,
    /// What is put there now is believed for `cut_off_ttl`.
    capped: AtomicBool,
    /// Held by whoever changes any of this.
    channel: Mutex<Channel>,
}

/// How this process learns what others change.
#[derive(Clone, Copy)]
enum Channel {
    Needless,
    Withheld,
    Whole,
    /// It is being made since then.
    Opening(Time),
    /// At this moment it was said to have been lost so long ago.
    CutOff(Time, Duration),
}

/// How long it may take to make the channel before that is a trouble.
const OPENS_WITHIN: Duration = Duration::from_secs(2);

/// No end.
const ALWAYS: u64 = u64::MAX;

impl Trust {
    /// Cut off, with nothing there that was believed before.
    pub(super) fn new(clock: Clock, cut_off_ttl: Duration) -> Self {
        let channel = Mutex::new(Channel::Opening(clock.now()));
        Self { clock, cut_off_ttl, until: AtomicU64::new(ALWAYS), capped: AtomicBool::new(true), channel }
    }

    /// Nobody else changes anything.
    pub(super) fn never_cut_off(&self) {
        *self.channel.lock() = Channel::Needless;
        self.capped.store(false, Ordering::SeqCst);
    }

    /// Nobody will ever tell what others change.
    pub(super) fn never_told(&self) {
        *self.channel.lock() = Channel::Withheld;
    }

    /// Whether what is there may be served. The hit path: a clock is read only while a moment is set.
    #[inline]
    pub(super) fn stands(&self) -> bool {
        let until = self.until.load(Ordering::Acquire);
        until == ALWAYS || self.clock.is_before(Time::from_millis(until))
    }

    /// For how long what is put there now is believed. To be asked under the fence that it is put there by.
    pub(super) fn cap(&self) -> Duration {
        if self.capped.load(Ordering::SeqCst) { self.cut_off_ttl } else { Duration::MAX }
    }

    /// What is believed while far cannot be asked.
    pub(super) fn alone(&self) -> Duration {
        self.cut_off_ttl
    }

    /// For how long what is there is believed from when it was put there. While a moment is set, that is the end for all.
    pub(super) fn limit(&self) -> Duration {
        if self.until.load(Ordering::SeqCst) == ALWAYS { self.cap() } else { Duration::MAX }
    }

    /// Flushes what is not believed any more: what comes after that is.
    pub(super) fn renew(&self, flush: impl FnOnce()) {
        if self.stands() {
            return;
        }
        let _channel = self.channel.lock();
        if !self.stands() {
            flush();
            self.until.store(ALWAYS, Ordering::SeqCst);
        }
    }

    /// The channel is lost, and was last known to stand `since` ago; then says so to others, by `tell`.
    pub(super) fn cut_off(&self, since: Duration, tell: impl FnOnce()) {
        let mut channel = self.channel.lock();
        if let Channel::Whole = *channel {
            let now = self.clock.now();
            *channel = Channel::CutOff(now, since);
            // First the one, then the other: a copy that is put there in between is flushed, or capped.
            self.capped.store(true, Ordering::SeqCst);
            let until = now + self.cut_off_ttl.saturating_sub(since);
            self.until.store(until.as_millis(), Ordering::SeqCst);
        }
        tell();
    }

    /// The channel stands again. Flushes, for what is there may have been changed; believes what comes after that.
    pub(super) fn restored(&self, flush: impl FnOnce(), tell: impl FnOnce()) {
        let mut channel = self.channel.lock();
        flush();
        *channel = Channel::Whole;
        self.capped.store(false, Ordering::SeqCst);
        self.until.store(ALWAYS, Ordering::SeqCst);
        tell();
    }

    /// Runs `add`, which makes somebody hear of the channel; then `tell`, if the channel stands. Nothing comes in between.
    pub(super) fn joined(&self, add: impl FnOnce(), tell: impl FnOnce()) {
        let channel = self.channel.lock();
        add();
        if let Channel::Whole = *channel {
            tell();
        }
    }

    /// What is wrong with the channel, in words.
    pub(super) fn trouble(&self) -> Option<String> {
        let ttl = self.cut_off_ttl;
        let now = self.clock.now();
        let (at, since) = match *self.channel.lock() {
            Channel::Needless | Channel::Whole => return None,
            Channel::Opening(at) if now - at <= OPENS_WITHIN => return None,
            Channel::Withheld => {
                return Some(format!(
                    "the store behind does not tell what other processes change: what is in memory is trusted for \
                    {ttl:?} after it came there"
                ));
            }
            Channel::Opening(at) => (at, Duration::ZERO),
            Channel::CutOff(at, since) => (at, since),
        };
        let ago = (now - at).saturating_add(since);
        Some(format!(
            "cut off for {:?} from word of what other processes change: what was in memory is trusted for {:?} more, \
            and what comes there for {ttl:?}",
            rounded(ago),
            rounded(ttl.saturating_sub(ago))
        ))
    }
}

/// In tenths of a second, for people.
fn rounded(time: Duration) -> Duration {
    let tenths = u64::try_from(time.as_millis() / 100).unwrap_or(u64::MAX / 100);
    Duration::from_millis(tenths * 100)
}
