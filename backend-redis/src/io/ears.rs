//! Hears that loads of other processes are over. There is a connection for it only while somebody waits, and for a while
//! after; without one, those who wait look for themselves, some times a second.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use cache_core::Ended;
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::io::failure::Failure;
use crate::io::flag::Flag;
use crate::io::link::Link;
use crate::io::subscription::Subscription;

/// How long a connection that hears nothing is kept.
const IDLE: Duration = Duration::from_secs(10);
/// How long after a failure another one is tried.
const PAUSE: Duration = Duration::from_secs(1);

/// Those who wait, by the name of what they wait for.
#[derive(Default)]
pub(crate) struct Ears {
    waiting: RefCell<HashMap<Box<str>, Vec<oneshot::Sender<Ended>>>>,
    /// Whether all that is published is heard.
    open: Flag,
    /// Whether somebody sees to it.
    busy: Cell<bool>,
}

/// One who waits.
pub(crate) struct Ear {
    link: Rc<Link>,
    name: Box<str>,
    told: oneshot::Receiver<Ended>,
}

impl Ear {
    pub(crate) async fn told(&mut self) -> Ended {
        (&mut self.told).await.unwrap_or(Ended::Somehow)
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.told.close();
        let mut waiting = self.link.ears.waiting.borrow_mut();
        if let Some(those) = waiting.get_mut(&self.name) {
            those.retain(|waiter| !waiter.is_closed());
            if those.is_empty() {
                waiting.remove(&self.name);
            }
        }
    }
}

impl Ears {
    /// Hears from now on how loads of `name` end; `None` if nothing is heard now.
    pub(crate) fn listen(link: &Rc<Link>, name: &str) -> Option<Ear> {
        let ears = &link.ears;
        if !ears.open.is_up() {
            return None;
        }
        let (waiter, told) = oneshot::channel();
        ears.waiting.borrow_mut().entry(name.into()).or_default().push(waiter);
        Some(Ear { link: link.clone(), name: name.into(), told })
    }

    /// Returns when what is published is heard; what was published before may have been missed.
    pub(crate) async fn opened(link: &Rc<Link>) {
        if !link.ears.busy.replace(true) {
            let link = link.clone();
            spawn_local(async move {
                let heard = hear(&link).await;
                link.ears.open.lower();
                if heard.is_err() {
                    sleep(PAUSE).await;
                }
                link.ears.busy.set(false);
            });
        }
        link.ears.open.raised().await;
    }

    fn pass_on(&self, text: &[u8]) {
        let Some((how, name)) = str::from_utf8(text).ok().and_then(|text| text.split_at_checked(1)) else {
            return;
        };
        for waiter in self.waiting.borrow_mut().remove(name).into_iter().flatten() {
            // He may have gone.
            let _ = waiter.send(read(how));
        }
    }
}

/// How a load ended, as it is published.
pub(crate) fn letter(ended: Ended) -> &'static str {
    match ended {
        Ended::Somehow => "s",
        Ended::Unshared => "u",
        Ended::Failed => "f",
    }
}

fn read(letter: &str) -> Ended {
    match letter {
        "u" => Ended::Unshared,
        "f" => Ended::Failed,
        _ => Ended::Somehow,
    }
}

/// Hears, until nothing has been heard for a while.
async fn hear(link: &Link) -> Result<(), Failure> {
    let mut subscription = Subscription::begin(link, link.names.channel()).await?;
    link.ears.open.raise();
    while let Some(text) = subscription.next(IDLE).await? {
        link.ears.pass_on(&text);
    }
    Ok(())
}
