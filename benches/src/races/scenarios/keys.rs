//! Keys made from arguments.

use std::sync::Arc;

use super::{NEW, OLD, judge};
use crate::races::library::Library;
use crate::races::verdict::{Stop, Verdict};

pub(super) async fn collide(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    let (one, other) = (library.key_of("a:b", "c")?, library.key_of("a", "b:c")?);
    library.set(&one, OLD).await?;
    Ok(judge("the other arguments' reader", library.get(&other).await?, &[None]))
}

pub(super) async fn widen(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    let (hit, spared) = (library.key_of("*", "1")?, library.key_of("a", "1")?);
    library.set(&hit, OLD).await?;
    library.set(&spared, NEW).await?;
    library.remove_first_argument("*").await?;
    let verdict = judge("a reader of the argument `*`", library.get(&hit).await?, &[None]);
    if verdict != Verdict::Correct {
        return Ok(verdict);
    }
    Ok(judge("a reader of another argument", library.get(&spared).await?, &[Some(NEW)]))
}
