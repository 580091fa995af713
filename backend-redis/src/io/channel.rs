//! What larder changes, told by larder itself: for processes to which Redis may not tell it (see [`crate::io::notices`]).
//!
//! Who is not told says so with his lease (`scripts/node.lua`); as long as there is one, everybody publishes what he changes.
//! Nothing rests on it: what a raw client changes nobody publishes, and nobody knows what he has missed. So memory is believed
//! for no longer than without it, and mostly does not have to be wrong for that long.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use cache_core::Target;
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::io::batch::Batch;
use crate::io::failure::Failure;
use crate::io::link::Link;
use crate::io::subscription::Subscription;

/// How long after a failure it is tried again.
const PAUSE: Duration = Duration::from_secs(5);
/// How often it is looked whether it is still needed.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct Channel {
    /// Whether there is somebody to publish for.
    pub(crate) wanted: Cell<bool>,
    /// Whether somebody sees to it that this process hears.
    busy: Cell<bool>,
}

/// Says that `target` has changed, if there is anybody who is not told otherwise. Nobody waits for that.
pub(crate) fn publish(link: &Rc<Link>, target: Target<'_>) {
    if !link.channel.wanted.get() {
        return;
    }
    let (link, text) = (link.clone(), write(target));
    spawn_local(async move {
        let mut batch = Batch::default();
        batch.read(redis::cmd("PUBLISH").arg(link.names.changes()).arg(text).take());
        // Who has missed it believes what he has for a while.
        if let Ok(session) = link.session().await {
            let _ = session.send(&batch).await;
        }
    });
}

/// Hears what others publish, for as long as Redis itself does not tell.
pub(crate) fn hear(link: &Rc<Link>) {
    if link.channel.busy.replace(true) {
        return;
    }
    let link = link.clone();
    spawn_local(async move {
        while !link.tells.get() {
            // It may not be allowed either.
            let _ = hear_on(&link).await;
            link.status.lock().has_channel = false;
            sleep(PAUSE).await;
        }
        link.channel.busy.set(false);
    });
}

async fn hear_on(link: &Rc<Link>) -> Result<(), Failure> {
    let mut subscription = Subscription::begin(link, link.names.changes()).await?;
    link.status.lock().has_channel = true;
    while !link.tells.get() {
        if let Some(text) = subscription.next(LOOK).await? {
            link.received(1);
            changed(link, &text);
        }
    }
    Ok(())
}

fn changed(link: &Link, text: &[u8]) {
    let text = str::from_utf8(text).ok();
    match text.and_then(|text| text.split_at_checked(1)) {
        Some(("k", key)) => link.tell_everybody(Target::Key(key)),
        Some(("t", tag)) => link.tell_everybody(Target::Tag(tag)),
        Some(("p", pattern)) => link.tell_everybody(Target::Pattern(pattern)),
        // Whatever it is.
        _ => link.tell_everybody(Target::All),
    }
}

fn write(target: Target<'_>) -> String {
    match target {
        Target::Key(key) => format!("k{key}"),
        Target::Tag(tag) => format!("t{tag}"),
        Target::Pattern(pattern) => format!("p{pattern}"),
        Target::All => "a".to_owned(),
    }
}
