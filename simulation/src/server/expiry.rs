//! What has expired goes soon after, also if nobody asks for it. There is no timer while nothing is to expire.

use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep_until};

use super::state::{Mode, State};

/// Sees to it for as long as the server is there.
pub(super) fn begin(server: &Rc<State>) {
    if !server.expires.replace(true) {
        spawn_local(expire(Rc::downgrade(server), server.ends.clone()));
    }
}

async fn expire(server: Weak<State>, ends: Rc<Notify>) {
    let Some(mut lag) = server.upgrade().map(|server| server.draw_lag()) else { return };
    loop {
        let Some(next) = server.upgrade().map(|server| next(&server, lag)) else { return };
        let Some(next) = next else {
            ends.notified().await;
            continue;
        };
        tokio::select! {
            biased;
            () = ends.notified() => {}
            () = sleep_until(next) => {
                let Some(server) = server.upgrade() else { return };
                server.expire();
                lag = server.draw_lag();
            }
        }
    }
}

/// When to look.
fn next(server: &State, lag: Duration) -> Option<Instant> {
    if server.mode.get() != Mode::Up {
        return None;
    }
    let end = server.keys.borrow().first_end()?;
    // In its last millisecond it is still there.
    server.at(end.saturating_add(1))?.checked_add(lag)
}

impl State {
    /// All that has expired goes.
    fn expire(&self) {
        if self.mode.get() != Mode::Up {
            return;
        }
        let now = self.now();
        loop {
            let gone = self.keys.borrow_mut().pop_expired(now);
            let Some(name) = gone else { break };
            self.trackers.borrow_mut().changed(&name, None);
        }
        self.tell_trackers();
    }
}
