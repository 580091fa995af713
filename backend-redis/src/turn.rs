//! What goes to Redis together: reads, and sets without tags, that were called while the thread was about other things.
//!
//! They share a round trip, the order that is read on it, a deadline, and the task that waits for it. What turns out to
//! need more than that one gets a task of its own.

use std::rc::Rc;

use cache_core::{Stored, Strength};
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tokio::time::timeout;

use crate::batch::Answers;
use crate::failure::Failure;
use crate::link::Link;
use crate::order::Order;
use crate::queue::Owned;
use crate::read::{self, Found, Look, Wanted};
use crate::session::{Session, order};
use crate::write::{self, Parcel};

/// Who waits for an operation.
pub(crate) type Waiter<T> = oneshot::Sender<Result<T, Failure>>;

/// So many go together at most: Redis answers others in between.
const MOST: usize = 128;

/// Operations that were called, and are not sent yet.
#[derive(Default)]
pub(crate) struct Turn {
    wanted: Vec<Wanted>,
    readers: Vec<Waiter<Found>>,
    parcels: Vec<Parcel>,
    writers: Vec<Waiter<Stored>>,
}

impl Turn {
    pub(crate) fn read(&mut self, wanted: Wanted, reader: Waiter<Found>) {
        self.wanted.push(wanted);
        self.readers.push(reader);
    }

    /// Of a parcel that is [plain](Parcel::is_plain).
    pub(crate) fn set(&mut self, parcel: Parcel, writer: Waiter<Stored>) {
        self.parcels.push(parcel);
        self.writers.push(writer);
    }

    pub(crate) fn len(&self) -> usize {
        self.readers.len() + self.writers.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= MOST
    }

    /// Sends them, and answers each of them.
    pub(crate) async fn run(self, link: Rc<Link>) {
        let limit = link.settings.operation;
        let asked = async {
            let session = link.session().await?;
            let (epoch, answers) = session.in_epoch(async |epoch| self.ask(&session, epoch).await).await?;
            Ok((session, epoch, answers))
        };
        match timeout(limit, asked).await.unwrap_or_else(|_| Err(Failure::late(limit))) {
            Ok((session, epoch, answers)) => self.answer(session, epoch, answers),
            Err(failure) => self.fail(&link, &failure),
        }
    }

    /// The writes in the order in which they were called, then the reads: what was set before is seen.
    async fn ask(&self, session: &Session, epoch: u64) -> Result<(Option<Order>, (u64, Answers)), Failure> {
        let mut batch = session.batch();
        batch.read(session.read_order());
        for parcel in &self.parcels {
            write::set_plainly(session, &mut batch, epoch, parcel);
        }
        read::ask(session, &mut batch, epoch, &self.wanted);
        let mut answers = session.send(&batch).await?;
        Ok((order(answers.next()?)?, (epoch, answers)))
    }

    fn answer(self, session: Session, epoch: u64, mut answers: Answers) {
        for (parcel, writer) in self.parcels.into_iter().zip(self.writers) {
            let stored = answers.next().map(|_| Stored::Yes);
            tell_writer(&session.link, parcel, writer, stored);
        }
        let looks = match read::take(&session, &mut answers, &self.wanted) {
            Ok(looks) => looks,
            Err(failure) => return fail_readers(self.readers, &failure),
        };
        let session = Rc::new(session);
        for ((wanted, look), reader) in self.wanted.into_iter().zip(looks).zip(self.readers) {
            match look {
                // Nobody may be waiting any more.
                Ok(Look::Known(found)) => drop(reader.send(Ok(found))),
                Err(failure) => drop(reader.send(Err(failure))),
                Ok(look) => drop(spawn_local(look_further(session.clone(), epoch, wanted, look, reader))),
            }
        }
    }

    fn fail(self, link: &Link, failure: &Failure) {
        for (parcel, writer) in self.parcels.into_iter().zip(self.writers) {
            tell_writer(link, parcel, writer, Err(failure.clone()));
        }
        fail_readers(self.readers, failure);
    }
}

async fn look_further(session: Rc<Session>, epoch: u64, wanted: Wanted, look: Look, reader: Waiter<Found>) {
    let limit = session.link.settings.operation;
    let found = timeout(limit, read::look_further(&session, epoch, &wanted.key, look)).await;
    let _ = reader.send(found.unwrap_or_else(|_| Err(Failure::late(limit))));
}

fn fail_readers(readers: Vec<Waiter<Found>>, failure: &Failure) {
    for reader in readers {
        let _ = reader.send(Err(failure.clone()));
    }
}

/// What could not be set is invalidated: the old value must not stay in its place.
fn tell_writer(link: &Link, parcel: Parcel, writer: Waiter<Stored>, stored: Result<Stored, Failure>) {
    if let Err(failure) = &stored {
        link.queue_up((Owned::Key(parcel.key), Strength::Remove), failure);
    }
    let _ = writer.send(stored);
}
