//! Forms that functions of real programs take, beyond those of the other files.

#![deny(unused)]

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use larder::{Larder, cached, invalidates, scope, scope_async};

use super::User;

trait Lookup<K> {
    type Out;
    fn lookup(&self, key: K) -> Option<Self::Out>;
    fn name(&self) -> String;
}

trait Named {
    fn name(&self) -> String;
}

struct Words<'w> {
    words: &'w HashMap<String, String>,
    language: Cow<'w, str>,
}

/// What is associated with a borrowing trait need not borrow.
#[cached]
impl<'w, 'k> Lookup<&'k str> for Words<'w> {
    type Out = String;

    #[cached(key = "words:{self.language}:{key}", ttl = "1h")]
    fn lookup(&self, key: &'k str) -> Option<Self::Out> {
        self.words.get(key).cloned()
    }

    #[cached(key = "words:{self.language}", ttl = "1h")]
    fn name(&self) -> String {
        format!("words of {}", self.language)
    }
}

/// Another trait's method of the same name is nobody's business.
impl Named for Words<'_> {
    fn name(&self) -> String {
        String::new()
    }
}

#[test]
fn traits_that_borrow_and_share_names() {
    let words = HashMap::from([("Haus".to_owned(), "house".to_owned())]);
    let english = Words { words: &words, language: "en".into() };
    scope(&Larder::memory(10), || {
        assert_eq!(english.lookup("Haus").as_deref(), Some("house"));
        assert_eq!(english.lookup_peek("Haus").wait().unwrap().flatten().as_deref(), Some("house"));
        assert_eq!((Lookup::name(&english), Named::name(&english)), ("words of en".into(), String::new()));
        assert_eq!(english.name_warm([(), ()], 2).done, 2);
    });
}

struct State<T>(T);
struct Path<T>(T);
struct App {
    cache: Larder,
    rows: Vec<User>,
}

#[derive(Debug, PartialEq)]
struct NotFound;

#[cached(key = "api:user:{id}", ttl = "1m", cache = app.cache)]
async fn handler(State(app): State<Arc<App>>, Path(id): Path<u64>) -> Result<User, NotFound> {
    let user = app.rows.iter().find(|user| user.id == id).ok_or(NotFound)?;
    Ok(user.clone())
}

#[cached(key = "dynamic:{id}", ttl = "5m", skip = [source])]
async fn dynamic(source: &(dyn Fn(u8) -> u8 + Sync), id: u8) -> u8 {
    source(id)
}

#[cached(key = "größe:{größe}:{r#type}", ttl = "5m")]
fn maß(mut größe: u32, r#type: &str) -> String {
    größe += 1;
    format!("{größe} {}", r#type)
}

#[tokio::test]
async fn handlers_sources_and_names() {
    let app = Arc::new(App { cache: Larder::memory(10), rows: vec![User { id: 7 }] });
    assert_eq!(handler(State(app.clone()), Path(7)).await, Ok(User { id: 7 }));
    assert_eq!(handler(State(app.clone()), Path(8)).await, Err(NotFound));
    assert_eq!(handler::peek(State(app.clone()), Path(7)).await.unwrap(), Some(Ok(User { id: 7 })));
    scope_async(&app.cache, async {
        assert_eq!((dynamic(&|id| id + 1, 1).await, dynamic(&|_| 9, 1).await), (2, 2));
        assert_eq!(maß(7, "cm"), "8 cm");
        assert_eq!(maß::key(7, "cm"), "größe:7:cm");
    })
    .await;
}

/// Nothing is in scope but what is named in full.
mod bare {
    #![no_implicit_prelude]

    #[::larder::cached(key = "bare:{id}", ttl = "5m", swr = "1m", tags = ["bare:{id}", "bare:{ret}"])]
    pub(super) async fn one(id: u8) -> u8 {
        id
    }

    #[::larder::cached(each = "bare:{id}", ttl = "5m")]
    pub(super) fn many(ids: &[u8]) -> ::std::vec::Vec<(u8, u8)> {
        ::std::iter::Iterator::collect(::std::iter::Iterator::map(ids.iter(), |id| (*id, *id)))
    }

    #[::larder::invalidates(keys = ["bare:{id}"])]
    pub(super) fn forget(id: u8) {
        let _ = id;
    }

    #[::larder::updates(key = "bare:{id}", ttl = "5m")]
    pub(super) async fn store(id: u8) -> u8 {
        id + 1
    }
}

struct Tx<'c>(&'c mut Vec<u64>);

#[invalidates(keys = ["bare:{id}"])]
async fn write<'t, 'c: 't>(tx: &'t mut Tx<'c>, id: u8) -> Result<(), NotFound> {
    tx.0.push(id.into());
    Ok(())
}

#[tokio::test]
async fn without_a_prelude_and_in_a_transaction() {
    scope_async(&Larder::memory(10), async {
        assert_eq!((bare::one(1).await, bare::many(&[1, 2])), (1, vec![(1, 1), (2, 2)]));
        assert_eq!((bare::store(1).await, bare::one(1).await), (2, 2));
        bare::forget(1);
        assert_eq!(bare::one(1).await, 1);
        let (changes, mut rows) = (larder::after_commit(), Vec::new());
        changes.scope_async(write(&mut Tx(&mut rows), 1)).await.unwrap();
        assert_eq!(bare::one::peek(1).await.unwrap(), Some(1));
        changes.committed().await.unwrap();
        assert_eq!(bare::one::peek(1).await.unwrap(), None);
    })
    .await;
}
