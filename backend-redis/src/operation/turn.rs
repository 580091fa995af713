//! What goes to Redis together: reads, and sets without tags, that were called while the thread was about other things.
//!
//! They share a round trip, the order that is read on it, a deadline, and the task that waits for it. What turns out to
//! need more than that one gets a task of its own.

use std::cell::Cell;
use std::mem;
use std::rc::Rc;

use cache_core::{Named, Stored, Strength, Target};
use redis::Value;
use tokio::sync::oneshot;
use tokio::task::spawn_local;

use crate::io::batch::Batch;
use crate::io::failure::{Failure, within};
use crate::io::link::Link;
use crate::io::session::Session;
use crate::operation::read::{self, Found, Look, Wanted};
use crate::operation::strike::or_queue;
use crate::operation::write::{self, Parcel};

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

/// Operations that nobody has answered. Where that ends by a panic they have failed, and the sets among them are queued.
struct Owed {
    turn: Turn,
    link: Rc<Link>,
}

impl Drop for Owed {
    fn drop(&mut self) {
        let why = "what speaks with Redis has panicked, see the panic's message".to_owned();
        mem::take(&mut self.turn).fail(&self.link, &Failure::Lost(why));
    }
}

/// What came of a round trip.
struct Asked {
    session: Session,
    epoch: u64,
    stored: Vec<Result<Stored, Failure>>,
    looks: Vec<Result<Look, Failure>>,
}

impl Turn {
    pub(crate) fn read(&mut self, link: &Link, key: Box<str>, reader: Waiter<Found>) {
        self.wanted.push(Wanted::new(link, key));
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
        let mut owed = Owed { turn: self, link };
        let asked = within(Some(owed.link.settings.operation), owed.turn.ask(&owed.link)).await;
        let (turn, link) = (mem::take(&mut owed.turn), &owed.link);
        match asked {
            Ok(asked) => turn.answer(link, asked),
            Err(failure) => turn.fail(link, &failure),
        }
    }

    async fn ask(&self, link: &Rc<Link>) -> Result<Asked, Failure> {
        let (strikes, again) = (link.strikes.get(), Cell::new(false));
        let (session, groups) = (link.session().await?, read::groups(&self.wanted));
        let send = async |epoch| {
            // What has to be done again, as the epoch is over, is not if anything was invalidated after it.
            let parcels = if link.strikes.get() == strikes { &self.parcels[..] } else { &[] };
            let again = again.replace(true);
            let ask = |batch: &mut Batch| {
                // The writes in the order in which they were called, then the reads: what was set before is seen.
                parcels.iter().for_each(|parcel| write::set_plainly(&session, batch, epoch, parcel, again));
                groups.iter().for_each(|group| group.ask(&session, batch, epoch));
            };
            let (order, answers) = session.ordered(ask).await?;
            Ok((order, (epoch, parcels.len(), answers)))
        };
        let (epoch, sets, mut answers) = session.in_epoch(send).await?;
        let one = |answer| if answer == Value::Nil { Stored::Exists } else { Stored::Yes };
        let mut stored: Vec<_> = (0..sets).map(|_| answers.next().map(one)).collect();
        // Those that were not done again.
        stored.resize_with(self.parcels.len(), || Ok(Stored::Exists));
        let mut looks = Vec::with_capacity(self.wanted.len());
        if let Err(failure) = groups.iter().try_for_each(|group| group.take(link, &mut answers, &mut looks)) {
            // That one and all after it; what was set is set.
            looks.resize_with(self.wanted.len(), || Err(failure.clone()));
        }
        Ok(Asked { session, epoch, stored, looks })
    }

    fn answer(self, link: &Rc<Link>, Asked { session, epoch, stored, looks }: Asked) {
        for ((parcel, writer), stored) in self.parcels.into_iter().zip(self.writers).zip(stored) {
            tell_writer(link, parcel, writer, stored);
        }
        let session = Rc::new(session);
        for ((wanted, reader), look) in self.wanted.into_iter().zip(self.readers).zip(looks) {
            match look {
                // Nobody may be waiting any more.
                Ok(Look::Known(found)) => drop(reader.send(Ok(found))),
                Err(failure) => drop(reader.send(Err(failure))),
                Ok(look) => drop(spawn_local(look_further(session.clone(), epoch, wanted, look, reader))),
            }
        }
    }

    fn fail(self, link: &Rc<Link>, failure: &Failure) {
        for (parcel, writer) in self.parcels.into_iter().zip(self.writers) {
            tell_writer(link, parcel, writer, Err(failure.clone()));
        }
        for reader in self.readers {
            let _ = reader.send(Err(failure.clone()));
        }
    }
}

async fn look_further(session: Rc<Session>, epoch: u64, wanted: Wanted, look: Look, reader: Waiter<Found>) {
    let limit = session.link.settings.operation;
    let found = within(Some(limit), read::look_further(&session, epoch, &wanted.key, look)).await;
    let _ = reader.send(found);
}

/// What could not be set is invalidated: the old value must not stay in its place.
fn tell_writer(link: &Rc<Link>, parcel: Parcel, writer: Waiter<Stored>, stored: Result<Stored, Failure>) {
    // Who asked before it was done may have brought what was there before.
    link.tell(Target::Key(&parcel.key));
    match stored {
        Ok(Stored::Yes) => {
            link.sent(Target::Key(&parcel.key));
            drop(writer.send(Ok(Stored::Yes)));
        }
        Ok(_) => drop(spawn_local(remove_instead(link.clone(), parcel.key, writer))),
        Err(failure @ Failure::Refused(_)) => {
            let (link, strike) = (link.clone(), (Named::Key(parcel.key), Strength::Remove));
            spawn_local(async move { writer.send(Err(or_queue(&link, strike, failure).await)) });
        }
        // At once: whatever is read from now on is read after it.
        Err(failure) => {
            link.queue_up((Named::Key(parcel.key), Strength::Remove), &failure);
            let _ = writer.send(Err(failure));
        }
    }
}

async fn remove_instead(link: Rc<Link>, key: Box<str>, writer: Waiter<Stored>) {
    let limit = link.settings.operation;
    let removed = async { write::removed_instead(&link.session().await?, &key).await };
    let removed = match within(Some(limit), removed).await {
        Err(failure) => Err(or_queue(&link, (Named::Key(key), Strength::Remove), failure).await),
        removed => removed,
    };
    let _ = writer.send(removed);
}
