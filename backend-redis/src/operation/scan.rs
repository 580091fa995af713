//! Finds names by a pattern, some at a time: Redis is never held up for long.

use redis::Value;

use crate::io::batch::{Batch, bytes};
use crate::io::failure::Failure;
use crate::io::session::Session;

/// How many keys Redis is to look at for one step of a scan: well below a millisecond.
const STEP: usize = 512;

/// Calls `then` with all names that `glob` matches and that are there all the while, some at a time.
pub(crate) async fn each_found(
    session: &Session,
    glob: &str,
    then: impl AsyncFn(Vec<Vec<u8>>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    #[cfg(feature = "cluster")]
    if session.connection.is_spread() {
        return everywhere::each_found(session, glob, then).await;
    }
    let page = async |cursor: &[u8]| {
        let mut batch = Batch::default();
        batch.read(step(cursor, glob));
        session.send(&batch).await?.next_list()
    };
    pages(page, then).await
}

fn step(cursor: &[u8], glob: &str) -> redis::Cmd {
    redis::cmd("SCAN").arg(cursor).arg("MATCH").arg(glob).arg("COUNT").arg(STEP).take()
}

/// All pages of one server.
async fn pages(
    page: impl AsyncFn(&[u8]) -> Result<Vec<Value>, Failure>,
    then: impl AsyncFn(Vec<Vec<u8>>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut cursor = b"0".to_vec();
    loop {
        let mut page = page(&cursor).await?.into_iter();
        cursor = page.next().map(bytes).transpose()?.flatten().ok_or(Failure::Odd)?;
        let Some(Value::Array(names)) = page.next() else { return Err(Failure::Odd) };
        let names = names.into_iter().filter_map(|name| bytes(name).transpose());
        let names = names.collect::<Result<Vec<_>, _>>()?;
        if !names.is_empty() {
            then(names).await?;
        }
        if cursor == b"0" {
            return Ok(());
        }
    }
}

/// Over all servers of a cluster.
///
/// A scan of one server meets every key that is there all the while. A key that moves to another server meanwhile may be
/// missed on both. So all of it is repeated: until everybody has had the same slots from the beginning to the end of a
/// round. While slots are on their way, their keys move from the one to the other and not back, as long as everybody has
/// the same slots: then two rounds meet each of them, for it stays in one place during one of them.
#[cfg(feature = "cluster")]
mod everywhere {
    use super::{Batch, Failure, Session, bytes, pages, step};
    use crate::connect::topology::{Primary, Topology};

    /// More rounds than this are given up; the caller has a way without a scan, or fails.
    const ROUNDS: usize = 8;

    pub(super) async fn each_found(
        session: &Session,
        glob: &str,
        then: impl AsyncFn(Vec<Vec<u8>>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut before = Topology::now(session).await?;
        let mut steady = 0;
        for _ in 0..ROUNDS {
            for primary in &before.0 {
                one(session, primary, glob, &then).await?;
            }
            let after = Topology::now(session).await?;
            steady = if after.owns_the_same(&before) { steady + 1 } else { 0 };
            if steady > usize::from(before.moves() || after.moves()) {
                return Ok(());
            }
            before = after;
        }
        Err(Failure::Down("the slots of the cluster move faster than they can be looked through".to_owned()))
    }

    async fn one(
        session: &Session,
        primary: &Primary,
        glob: &str,
        then: &impl AsyncFn(Vec<Vec<u8>>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let page = async |cursor: &[u8]| {
            let mut batch = Batch { to: Some(primary.at.clone()), ..Batch::default() };
            batch.read(redis::cmd("CLUSTER").arg("MYID").take()).read(step(cursor, glob));
            let mut answers = session.send(&batch).await?;
            // A cursor is good on its own server only, and addresses can change hands.
            if bytes(answers.next()?)?.is_none_or(|id| id != primary.id.as_bytes()) {
                return Err(Failure::Down("a server of the cluster has just been replaced".to_owned()));
            }
            answers.next_list()
        };
        pages(page, async |names| then(names).await).await
    }
}
