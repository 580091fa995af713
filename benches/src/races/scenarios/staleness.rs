//! What is served stale, and what refreshes it.

use std::sync::Arc;
use std::time::Duration;

use super::{NEW, OLD, WINDOWS, Windows, judge};
use crate::races::held::{Count, held, ready, settle};
use crate::races::library::{Failed, Library};
use crate::races::verdict::{Stop, Verdict, within};

const MINUTE: Duration = Duration::from_secs(60);

pub(super) async fn refreshed(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    // A library without tags says so here.
    library.remove_tag("refreshed").await?;
    let windows = Windows { swr: MINUTE, ..WINDOWS };
    let _ = library.load_stale("refreshed", windows, ready(Ok(OLD))).await?;
    tokio::time::sleep(WINDOWS.ttl * 2).await;
    let (loader, mut load) = held();
    let _ = within("the stale value", library.load_stale("refreshed", windows, loader)).await??;
    load.started().await?;
    library.remove_tag("refreshed").await?;
    load.end(Ok(OLD));
    settle().await;
    Ok(judge("a reader afterwards", library.get("refreshed").await?, &[None]))
}

/// Fresh for 100 ms, good for errors 300 ms more; loads fail for 700 ms, one every 50 ms.
pub(super) async fn bounded(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    let windows = Windows { sie: WINDOWS.ttl * 3, ..WINDOWS };
    let _ = library.load_stale("bounded", windows, ready(Ok(OLD))).await?;
    let mut got = Err(Failed);
    for _ in 0..14 {
        tokio::time::sleep(WINDOWS.ttl / 2).await;
        let load = library.load_stale("bounded", windows, ready(Err(Failed)));
        got = within("the caller", load).await??;
    }
    Ok(judge("a caller 300 ms past the window", got.ok(), &[None]))
}

pub(super) async fn refresh_survives(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    let windows = Windows { swr: MINUTE, ..WINDOWS };
    let _ = library.load_stale("survives", windows, ready(Ok(OLD))).await?;
    tokio::time::sleep(WINDOWS.ttl * 2).await;
    let loads = Count::default();
    let (loader, mut load) = held();
    let first = tokio::spawn(library.load_stale("survives", windows, loads.counted(loader)));
    load.started().await?;
    first.abort();
    for _ in 0..4 {
        let other = library.load_stale("survives", windows, loads.counted(ready(Ok(OLD))));
        let _ = within("one who finds the stale value", other).await??;
    }
    load.end(Ok(NEW));
    settle().await;
    if loads.get() != 1 {
        return Ok(Verdict::Wrong(format!("{} refreshes", loads.get())));
    }
    Ok(judge("a reader afterwards", library.get("survives").await?, &[Some(NEW)]))
}
