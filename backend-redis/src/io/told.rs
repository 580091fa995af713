//! How far what Redis has told has been handled: by who hears it, and by what had to be looked at before that was known.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use redis::{PushInfo, PushKind};
use tokio::sync::{Notify, oneshot};

use crate::connect::place::Ears;
use crate::io::failure::Failure;
use crate::io::link::Link;

/// See the module.
#[derive(Default)]
pub(crate) struct Told {
    /// Where what is told comes in.
    mouth: RefCell<Option<Ears>>,
    /// Those who wait until what is in there has been handed on.
    marks: RefCell<VecDeque<oneshot::Sender<()>>>,
    /// What was handed on, and has to be looked at.
    looks: RefCell<BTreeSet<u64>>,
    last: Cell<u64>,
    looked: Notify,
}

/// Something that was told is looked at, until this is dropped.
pub(crate) struct LookedAt(Rc<Link>, u64);

impl Drop for LookedAt {
    fn drop(&mut self) {
        let told = &self.0.node.told;
        told.looks.borrow_mut().remove(&self.1);
        told.looked.notify_waiters();
    }
}

impl Told {
    /// It comes in there from now on.
    pub(crate) fn begin(&self, mouth: Ears) {
        self.mouth.replace(Some(mouth));
        self.marks.take();
    }

    /// The next mark has been come to.
    pub(crate) fn mark(&self) {
        if let Some(waiter) = self.marks.borrow_mut().pop_front() {
            // He may have gone.
            let _ = waiter.send(());
        }
    }

    /// Returns when all is handled that had come in when this was called.
    pub(crate) async fn settled(&self) -> Result<(), Failure> {
        let lost = || Failure::Lost("the connection was lost".to_owned());
        let (waiter, come_to) = oneshot::channel();
        self.marks.borrow_mut().push_back(waiter);
        let mark = PushInfo { kind: PushKind::Other("mark".to_owned()), data: Vec::new() };
        let sent = self.mouth.borrow().as_ref().is_some_and(|mouth| mouth.send(mark).is_ok());
        if !sent {
            return Err(lost());
        }
        come_to.await.map_err(|_| lost())?;
        let last = self.last.get();
        loop {
            let looked = self.looked.notified();
            if self.looks.borrow().first().is_none_or(|first| *first > last) {
                return Ok(());
            }
            looked.await;
        }
    }
}

impl Link {
    /// Something that was told begins to be looked at.
    pub(crate) fn looks_at(self: &Rc<Self>) -> LookedAt {
        let told = &self.node.told;
        told.last.set(told.last.get() + 1);
        told.looks.borrow_mut().insert(told.last.get());
        LookedAt(self.clone(), told.last.get())
    }
}
