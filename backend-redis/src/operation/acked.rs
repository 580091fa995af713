//! Waits until every other node has handled what was changed here; see [`crate::operation::fleet`].

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use redis::Value;
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};

use crate::io::batch::bytes;
use crate::io::failure::Failure;
use crate::io::link::Link;
use crate::stored::script::{ASK, ASKED};

/// How often it is looked whether all have handled an ask, at first and at last.
const LOOKS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));
/// A node whose lease runs on for so much longer than its first one lives, and does not handle what it is told.
const GRACE: Duration = Duration::from_secs(3);

/// Whether every other node has handled a change, or how many have not, though they live.
type Handled = Result<Result<(), i64>, Failure>;

/// Those who wait for all others to have handled their changes. All who have come are waited for in one round; who comes
/// while it runs, in the next.
#[derive(Default)]
pub(super) struct Rounds {
    waiting: RefCell<Vec<oneshot::Sender<Handled>>>,
    /// Whether somebody sees to them.
    busy: Cell<bool>,
}

/// However it ends: who still waits then is told by the drop, and who comes later begins anew.
struct Busy(Rc<Link>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.node.rounds.busy.set(false);
        self.0.node.rounds.waiting.take();
    }
}

/// Returns when every other node has handled what was answered here before.
pub(crate) async fn acknowledged(link: &Rc<Link>) -> Handled {
    let rounds = &link.node.rounds;
    let (tell, told) = oneshot::channel();
    rounds.waiting.borrow_mut().push(tell);
    if !rounds.busy.replace(true) {
        let busy = Busy(link.clone());
        spawn_local(async move {
            loop {
                let waiting = busy.0.node.rounds.waiting.take();
                if waiting.is_empty() {
                    return;
                }
                let handled = ask_everybody(&busy.0).await;
                // They may have gone.
                waiting.into_iter().for_each(|waiter| drop(waiter.send(handled.clone())));
            }
        });
    }
    let gone = || Failure::Down("what asks the other nodes has panicked, see the panic's message".to_owned());
    told.await.unwrap_or_else(|_| Err(gone()))
}

/// One round.
async fn ask_everybody(link: &Rc<Link>) -> Handled {
    let session = link.session().await?;
    let (names, name) = (&link.names, link.node.name.as_bytes());
    loop {
        let (mut batch, founding) = (session.batch(), link.founding());
        let founding = founding.each_ref().map(|arg| arg.as_bytes());
        batch.harmless_script(&ASK, &[&names.fleet(), &names.ask()], &[founding[0], founding[1], name]);
        let mut answer = session.send(&batch).await?.next_list()?.into_iter();
        // They stand in front of this handle, and hear of nothing.
        link.flush_untold();
        let of = bytes(answer.next().ok_or(Failure::Odd)?)?.ok_or(Failure::Odd)?;
        let mut number = || match answer.next() {
            Some(Value::Int(number)) => Ok(number),
            _ => Err(Failure::Odd),
        };
        let (ask, mut many, longest) = (number()?.to_string(), number()?, number()?);
        let end = Instant::now() + Duration::from_millis(longest.unsigned_abs()) + GRACE;
        let mut pause = LOOKS.0;
        while many > 0 {
            if Instant::now() >= end {
                return Ok(Err(many));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LOOKS.1);
            let mut batch = session.batch();
            let args = [founding[0], founding[1], name, &of, ask.as_bytes()];
            batch.harmless_script(&ASKED, &[&names.fleet()], &args);
            many = session.send(&batch).await?.next_number()?;
        }
        if many == 0 {
            return Ok(Ok(()));
        }
        // The fleet was lost; the one that is now knows neither the ask nor who was there.
    }
}
