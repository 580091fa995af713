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
//! Where far says for how long it may be believed ([`Trust::assured`]), that is the end of what is believed while whole, too: a
//! process that was stopped, and knows nothing of it, does not serve what it had. It is then LAPSED, believes nothing, and
//! is whole again when far says so again: what was told meanwhile has come before that.
//!
//! A flush voids every fence taken before it. So whoever puts a copy there and asks for its [`cap`](Trust::cap) *after* it
//! has taken its fence cannot leave one there that is believed for too long: if the channel was lost in between, the flush
//! that ends the trust in what was there finds the copy, or hinders it.

use std::time::Duration;

use crate::clock::{Clock, Time};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};

/// See the module.
pub(super) struct Trust {
    clock: Clock,
    cut_off_ttl: Duration,
    /// What is there is believed before this, in milliseconds of the clock. Every hit reads it.
    until: AtomicU64,
    /// For how long what is put there now is believed, in milliseconds.
    cap: AtomicU64,
    /// Held by whoever changes any of this.
    channel: Mutex<Known>,
}

/// What far has said.
struct Known {
    channel: Channel,
    /// Until when it may be believed; [`Time::MAX`] if it never says so.
    assured: Time,
    /// How often it was whole, and then was not.
    gaps: u64,
}

/// How this process learns what others change.
#[derive(Clone, Copy)]
enum Channel {
    Needless,
    Withheld,
    Whole,
    /// Nothing was heard for so long that it may not be believed, since then.
    Lapsed(Time),
    /// It is being made since then.
    Opening(Time),
    /// At this moment it was said to have been lost so long ago.
    CutOff(Time, Duration),
}

/// How long it may take to make the channel before that is a trouble.
const OPENS_WITHIN: Duration = Duration::from_secs(2);

/// In milliseconds, with parts of one as a whole; less than [`ALWAYS`].
fn millis(duration: Duration) -> u64 {
    (Time::ZERO + duration).as_millis().min(ALWAYS - 1)
}

/// No end.
const ALWAYS: u64 = u64::MAX;

impl Trust {
    /// Cut off, with nothing there that was believed before.
    pub(super) fn new(clock: Clock, cut_off_ttl: Duration) -> Self {
        let known = Known { channel: Channel::Opening(clock.now()), assured: Time::MAX, gaps: 0 };
        let cap = AtomicU64::new(millis(cut_off_ttl));
        Self { clock, cut_off_ttl, until: AtomicU64::new(ALWAYS), cap, channel: Mutex::new(known) }
    }

    /// Nobody else changes anything.
    pub(super) fn never_cut_off(&self) {
        self.channel.lock().channel = Channel::Needless;
        self.cap.store(ALWAYS, Ordering::SeqCst);
    }

    /// Nobody will ever tell what others change.
    pub(super) fn never_told(&self) {
        self.channel.lock().channel = Channel::Withheld;
        self.cap.store(millis(self.cut_off_ttl), Ordering::SeqCst);
    }

    /// Whether what is there may be served. The hit path: a clock is read only while a moment is set.
    #[inline]
    pub(super) fn stands(&self) -> bool {
        let until = self.until.load(Ordering::Acquire);
        until == ALWAYS || self.clock.is_before(Time::from_millis(until))
    }

    /// For how long what is put there now is believed. To be asked under the fence that it is put there by.
    pub(super) fn cap(&self) -> Duration {
        let cap = match self.cap.load(Ordering::SeqCst) {
            ALWAYS => return Duration::MAX,
            cap => Duration::from_millis(cap),
        };
        let known = self.channel.lock();
        match known.channel {
            // No moment is set for what is there: so each copy by itself is gone before far is not to be believed.
            Channel::Withheld => cap.min(known.assured - self.clock.now()),
            _ => cap,
        }
    }

    /// Returns when what is there now, here and in other processes, is believed no more if nobody is told of anything.
    pub(super) async fn over(&self) {
        self.clock.sleep(self.cut_off_ttl).await;
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
        let mut known = self.channel.lock();
        if !self.stands() {
            if let Channel::Whole = known.channel {
                known.channel = Channel::Lapsed(self.clock.now());
                known.gaps += 1;
                self.cap.store(0, Ordering::SeqCst);
            }
            flush();
            self.until.store(ALWAYS, Ordering::SeqCst);
        }
    }

    /// The channel is lost, and was last known to stand `since` ago; then says so to others, by `tell`.
    pub(super) fn cut_off(&self, since: Duration, tell: impl FnOnce()) {
        let mut known = self.channel.lock();
        let now = self.clock.now();
        if let Channel::Whole = known.channel {
            known.channel = Channel::CutOff(now, since);
            known.gaps += 1;
            // First the one, then the other: a copy that is put there in between is flushed, or capped.
            self.cap.store(millis(self.cut_off_ttl), Ordering::SeqCst);
            let until = known.assured.min(now + self.cut_off_ttl.saturating_sub(since));
            self.until.store(until.as_millis(), Ordering::SeqCst);
        } else {
            if let Channel::Lapsed(_) = known.channel {
                // Nothing is there.
                known.channel = Channel::CutOff(now, since);
            }
            // What is loaded while far is away.
            self.cap.store(millis(self.cut_off_ttl), Ordering::SeqCst);
        }
        tell();
    }

    /// The channel stands again. Flushes, for what is there may have been changed; believes what comes after that.
    pub(super) fn restored(&self, flush: impl FnOnce(), tell: impl FnOnce()) {
        let mut known = self.channel.lock();
        flush();
        // What was changed before is not told, though nobody said that it was lost.
        known.gaps += u64::from(matches!(known.channel, Channel::Whole));
        known.channel = Channel::Whole;
        self.cap.store(ALWAYS, Ordering::SeqCst);
        self.until.store(known.assured.as_millis(), Ordering::SeqCst);
        tell();
    }

    /// Far may be believed for `left` from now on, and not longer.
    pub(super) fn assured(&self, left: Duration) {
        let mut known = self.channel.lock();
        let now = self.clock.now();
        known.assured = now + left;
        match known.channel {
            Channel::Lapsed(_) if left.is_zero() => {}
            Channel::Lapsed(_) | Channel::Whole => {
                if let Channel::Lapsed(_) = known.channel {
                    known.channel = Channel::Whole;
                    self.cap.store(ALWAYS, Ordering::SeqCst);
                }
                self.until.store(known.assured.as_millis(), Ordering::SeqCst);
            }
            // Nobody knows that this process is there.
            Channel::Opening(_) | Channel::CutOff(..) if left.is_zero() => {
                self.cap.store(0, Ordering::SeqCst);
                self.until.fetch_min(now.as_millis(), Ordering::SeqCst);
            }
            Channel::Opening(_) | Channel::CutOff(..) => {
                self.cap.store(millis(self.cut_off_ttl), Ordering::SeqCst);
            }
            Channel::Needless | Channel::Withheld => {}
        }
    }

    /// Runs `add`, which makes somebody hear of the channel; then `tell`, if the channel stands. Nothing comes in between.
    pub(super) fn joined(&self, add: impl FnOnce(), tell: impl FnOnce()) {
        let known = self.channel.lock();
        add();
        if let Channel::Whole = known.channel {
            tell();
        }
    }

    /// How often the channel was whole, and then was not.
    pub(super) fn gaps(&self) -> u64 {
        self.channel.lock().gaps
    }

    /// What is wrong with the channel, in words.
    pub(super) fn trouble(&self) -> Option<String> {
        let ttl = self.cut_off_ttl;
        let now = self.clock.now();
        let (at, since) = match self.channel.lock().channel {
            Channel::Needless | Channel::Whole => return None,
            Channel::Opening(at) if now - at <= OPENS_WITHIN => return None,
            Channel::Withheld => {
                return Some(format!(
                    "the store behind does not tell what other processes change: what is in memory is trusted for \
                    {ttl:?} after it came there"
                ));
            }
            Channel::Opening(at) => (at, Duration::ZERO),
            Channel::Lapsed(at) => {
                return Some(format!(
                    "the store behind has not said for {:?} that its word can be relied on: nothing is kept in memory",
                    now - at
                ));
            }
            Channel::CutOff(at, since) => (at, since),
        };
        let ago = (now - at).saturating_add(since);
        let left = rounded(ttl.saturating_sub(ago));
        let was =
            if left.is_zero() { "no longer trusted".into() } else { format!("trusted for {left:?} more") };
        Some(format!(
            "cut off for {:?} from word of what other processes change: what was in memory is {was}, and what comes \
             there is for {:?}",
            rounded(ago),
            self.cap()
        ))
    }
}

/// In tenths of a second, for people.
fn rounded(time: Duration) -> Duration {
    let tenths = u64::try_from(time.as_millis() / 100).unwrap_or(u64::MAX / 100);
    Duration::from_millis(tenths * 100)
}
