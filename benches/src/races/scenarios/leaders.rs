//! Who loads fails, goes away, or stands still; the others wait.

use std::sync::Arc;

use super::{NEW, OLD, judge};
use crate::races::held::{Count, held, panicking, ready, settle};
use crate::races::library::{Failed, Library};
use crate::races::verdict::{Stop, Verdict, within};

const FOLLOWERS: &str = "those who wait for the load";

pub(super) async fn herd(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    let loads = Count::default();
    let (loader, mut load) = held();
    let mut callers = vec![tokio::spawn(library.load("herd", loads.counted(loader)))];
    load.started().await?;
    let mut held_back = vec![load];
    for _ in 0..4 {
        let (loader, load) = held();
        callers.push(tokio::spawn(library.load("herd", loads.counted(loader))));
        held_back.push(load);
    }
    settle().await;
    held_back.into_iter().for_each(|load| load.end(Ok(NEW)));
    for caller in callers {
        let got = within(FOLLOWERS, caller).await?.map_err(|_| Stop::Hangs("a caller panics"))??;
        if got != Ok(NEW) {
            return Ok(Verdict::Wrong("a caller gets an error".to_owned()));
        }
    }
    Ok(at_most(1, loads.get()))
}

fn at_most(most: usize, loads: usize) -> Verdict {
    if loads <= most { Verdict::Correct } else { Verdict::Wrong(format!("{loads} loads")) }
}

pub(super) async fn failure(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    let (loader, mut load) = held();
    let mut callers = vec![tokio::spawn(library.load("failure", loader))];
    load.started().await?;
    callers.extend((0..4).map(|_| tokio::spawn(library.load("failure", ready(Err(Failed))))));
    settle().await;
    load.end(Err(Failed));
    for caller in callers {
        let got = within(FOLLOWERS, caller).await?.map_err(|_| Stop::Hangs("a caller panics"))??;
        if got != Err(Failed) {
            return Ok(Verdict::Wrong("a caller gets a value".to_owned()));
        }
    }
    // The error is not kept: the next caller loads.
    let next = within("the next caller", library.load("failure", ready(Ok(NEW)))).await??;
    Ok(judge("the next caller", next.ok(), &[Some(NEW)]))
}

pub(super) async fn cancelled(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    library.can_be_cancelled()?;
    let (loader, mut load) = held();
    let leader = tokio::spawn(library.load("cancelled", loader));
    load.started().await?;
    let follower = tokio::spawn(library.load("cancelled", ready(Ok(NEW))));
    settle().await;
    leader.abort();
    settle().await;
    load.end(Ok(NEW));
    let got =
        within("the other caller", follower).await?.map_err(|_| Stop::Hangs("the other caller panics"))??;
    Ok(judge("the other caller", got.ok(), &[Some(NEW)]))
}

pub(super) async fn follower_cancelled(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    library.can_be_cancelled()?;
    let loads = Count::default();
    let (loader, mut load) = held();
    let leader = tokio::spawn(library.load("follower", loads.counted(loader)));
    load.started().await?;
    let [(gone, _), (stays, other)] = [held(), held()]
        .map(|(loader, load)| (tokio::spawn(library.load("follower", loads.counted(loader))), load));
    settle().await;
    gone.abort();
    settle().await;
    let shared = loads.get() == 1;
    load.end(Ok(NEW));
    other.end(Ok(NEW));
    for caller in [leader, stays] {
        let got = within(FOLLOWERS, caller).await?.map_err(|_| Stop::Hangs("a caller panics"))??;
        if got != Ok(NEW) {
            return Ok(Verdict::Wrong("another caller gets an error".to_owned()));
        }
    }
    // Where loads are not shared at all, there is nothing to cancel for the others.
    Ok(if shared { at_most(1, loads.get()) } else { Verdict::Correct })
}

pub(super) async fn panics(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    let (loader, mut load) = held();
    let leader = tokio::spawn(library.load("panics", panicking(loader)));
    load.started().await?;
    let follower = tokio::spawn(library.load("panics", ready(Ok(NEW))));
    settle().await;
    load.end(Ok(NEW));
    let _ = within("the caller who loads", leader).await?;
    let Ok(follower) = within("the other caller", follower).await? else {
        return Ok(Verdict::Wrong("the other caller panics too".to_owned()));
    };
    let next = tokio::spawn(library.load("panics", ready(Ok(NEW))));
    let Ok(next) = within("the next caller", next).await? else {
        return Ok(Verdict::Wrong("the next caller panics too".to_owned()));
    };
    Ok(match judge("the other caller", follower?.ok(), &[Some(NEW)]) {
        Verdict::Correct => judge("the next caller", next?.ok(), &[Some(NEW)]),
        wrong => wrong,
    })
}

pub(super) async fn unpolled(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    library.can_be_cancelled()?;
    let (loader, mut load) = held();
    let mut leader = library.load("unpolled", loader);
    // Polled until the load has begun, then held and never polled again, as in a `select!` whose other arm goes on.
    tokio::select! {
        biased;
        began = load.started() => began?,
        _ = &mut leader => return Ok(Verdict::Wrong("the load ends before it began".to_owned())),
    }
    let follower = tokio::spawn(library.load("unpolled", ready(Ok(NEW))));
    settle().await;
    load.end(Ok(NEW));
    let got =
        within("the other caller", follower).await?.map_err(|_| Stop::Hangs("the other caller panics"))??;
    drop(leader);
    Ok(judge("the other caller", got.ok(), &[Some(NEW)]))
}

pub(super) async fn two_caches(library: Arc<dyn Library>) -> Result<Verdict, Stop> {
    let other = library.another();
    // `cached` has one cache for each function, and earlier runs left their values there.
    library.remove("two").await?;
    other.remove("two").await?;
    let (loader, mut load) = held();
    let first = tokio::spawn(library.load("two", loader));
    load.started().await?;
    let second = tokio::spawn(other.load("two", ready(Ok(NEW))));
    settle().await;
    load.end(Ok(OLD));
    let _ = within("the first cache's caller", first).await?;
    let got = within("the second cache's caller", second).await?;
    let got = got.map_err(|_| Stop::Hangs("the second cache's caller panics"))??;
    Ok(judge("the second cache's caller", got.ok(), &[Some(NEW)]))
}
