//! A load has read the old value, and something happens before it ends.

use std::sync::Arc;

use super::{NEW, OLD, judge};
use crate::races::held::{held, ready, settle};
use crate::races::library::{Answer, Library};
use crate::races::verdict::{Stop, Verdict, within};

const BLOCKED: &str = "the call waits for the load in flight";

/// A load is in flight, then `change` is done, then the load ends: what does a reader get?
async fn during<'a>(
    library: &'a Arc<dyn Library>,
    key: &str,
    change: Answer<'a, ()>,
    good: &[Option<u64>],
) -> Result<Verdict, Stop> {
    let (loader, load) = held();
    in_flight(library, key, library.load(key, loader), load, change, good).await
}

async fn in_flight<'a>(
    library: &'a Arc<dyn Library>,
    key: &str,
    loading: Answer<'static, crate::races::library::Loaded>,
    mut load: crate::races::held::Held,
    change: Answer<'a, ()>,
    good: &[Option<u64>],
) -> Result<Verdict, Stop> {
    let caller = tokio::spawn(loading);
    let began = load.started().await;
    if caller.is_finished() {
        // It has no such load.
        return caller.await.unwrap_or(Err(Stop::Hangs("the load panics"))).map(|_| Verdict::Correct);
    }
    began?;
    within(BLOCKED, change).await??;
    load.end(Ok(OLD));
    let _ = within("the load never ends", caller).await?;
    settle().await;
    Ok(judge("a reader afterwards", library.get(key).await?, good))
}

/// So that no row below is right merely because nothing is ever stored.
pub(super) async fn undisturbed(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    let nothing = Box::pin(async { Ok(()) });
    during(&library, "undisturbed", nothing, &[Some(OLD)]).await
}

pub(super) async fn removed(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    during(&library, "removed", library.remove("removed"), &[None]).await
}

pub(super) async fn cleared(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    during(&library, "cleared", library.clear(), &[None]).await
}

pub(super) async fn prefix_removed(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    during(&library, "prefix:1", library.remove_prefix("prefix:"), &[None]).await
}

pub(super) async fn tag_removed(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    let (loader, load) = held();
    let loading = library.load_tagged("tagged", "tag", loader);
    in_flight(&library, "tagged", loading, load, library.remove_tag("tag"), &[None]).await
}

pub(super) async fn overwritten(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    during(&library, "overwritten", library.set("overwritten", NEW), &[Some(NEW)]).await
}

pub(super) async fn set_and_removed(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    let change = Box::pin(async {
        library.set("both", NEW).await?;
        library.remove("both").await
    });
    during(&library, "both", change, &[None]).await
}

pub(super) async fn late_reader(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    let (loader, mut load) = held();
    let first = tokio::spawn(library.load("late", loader));
    load.started().await?;
    within(BLOCKED, library.remove("late")).await??;
    let late = tokio::spawn(library.load("late", ready(Ok(NEW))));
    settle().await;
    load.end(Ok(OLD));
    let got = within("the late reader", late).await?;
    let _ = within("the load never ends", first).await?;
    let got = got.map_err(|_| Stop::Hangs("the late reader panics"))??;
    Ok(judge("the late reader", got.ok(), &[Some(NEW)]))
}

pub(super) async fn background(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    library.fills_in_the_background()?;
    let windows = super::Windows { swr: std::time::Duration::from_secs(60), ..super::WINDOWS };
    let (loader, mut load) = held();
    // What is stale is refreshed in the background; where nothing is served stale, the caller simply goes away.
    match library.load_stale("background", windows, ready(Ok(OLD))).await {
        Ok(_) => {
            tokio::time::sleep(windows.ttl * 2).await;
            let _ = within("the stale value", library.load_stale("background", windows, loader)).await??;
            load.started().await?;
        }
        Err(_) => {
            let caller = tokio::spawn(library.load("background", loader));
            load.started().await?;
            caller.abort();
            settle().await;
        }
    }
    within(BLOCKED, library.remove("background")).await??;
    load.end(Ok(OLD));
    settle().await;
    Ok(judge("a reader afterwards", library.get("background").await?, &[None]))
}
