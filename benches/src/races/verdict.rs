//! What came of a scenario.

use std::fmt;
use std::future::Future;
use std::time::Duration;

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What its caller may expect.
    Correct,
    /// A value from before an invalidation or a newer write.
    Stale(String),
    /// Something else that its caller cannot want.
    Wrong(String),
}

/// Why a scenario did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The library has no such thing.
    NotThere(&'static str),
    /// Who waits for ever.
    Hangs(&'static str),
}

/// Longer than anything here takes: larder gives up a leader that is not polled after 2.4 s.
const LONG: Duration = Duration::from_secs(5);

/// What `future` comes to, unless it hangs.
pub(crate) async fn within<T>(who: &'static str, future: impl Future<Output = T>) -> Result<T, Stop> {
    tokio::time::timeout(LONG, future).await.map_err(|_| Stop::Hangs(who))
}

/// One cell of the table.
pub(crate) struct Cell(pub(crate) Result<Verdict, Stop>);

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(Verdict::Correct) => f.write_str("correct"),
            Ok(Verdict::Stale(what)) => write!(f, "**STALE**: {what}"),
            Ok(Verdict::Wrong(what)) => write!(f, "**WRONG**: {what}"),
            Err(Stop::Hangs(who)) => write!(f, "**hangs**: {who}"),
            Err(Stop::NotThere(what)) => write!(f, "n/a: {what}"),
        }
    }
}
