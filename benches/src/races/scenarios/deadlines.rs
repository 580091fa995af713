//! TTLs at their edges. Real time passes: 300 ms after an entry of 100 ms was set, it must be gone.

use std::sync::Arc;
use std::time::Duration;

use super::{NEW, OLD, judge};
use crate::races::library::Library;
use crate::races::verdict::{Stop, Verdict};

const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(60);

async fn wait() {
    tokio::time::sleep(SHORT * 3).await;
}

pub(super) async fn lengthened(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    library.set_for("lengthened", OLD, SHORT).await?;
    library.set_for("lengthened", NEW, LONG).await?;
    wait().await;
    Ok(judge("a reader 300 ms later", library.get("lengthened").await?, &[Some(NEW)]))
}

pub(super) async fn shortened(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    library.set_for("shortened", OLD, LONG).await?;
    library.set_for("shortened", NEW, SHORT).await?;
    wait().await;
    Ok(judge("a reader 300 ms later", library.get("shortened").await?, &[None]))
}

pub(super) async fn zero(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    library.set_for("zero", NEW, Duration::ZERO).await?;
    wait().await;
    Ok(judge("a reader 300 ms later", library.get("zero").await?, &[None]))
}

pub(super) async fn longest(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    library.set_for("longest", NEW, Duration::MAX).await?;
    wait().await;
    Ok(judge("a reader 300 ms later", library.get("longest").await?, &[Some(NEW)]))
}
