//! The attribute macros of [larder](https://docs.rs/larder), which re-exports them: depend on `larder`, not
//! on this crate.

mod argument;
mod associated;
mod attr;
mod background;
mod batch;
mod check;
mod companion;
mod duration;
mod errors;
mod expand;
mod generics;
mod impl_block;
mod judge;
mod krate;
mod mentions;
mod model;
mod named;
mod policy;
mod receiver;
mod surroundings;
mod template;
mod twins;
mod writer;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as TokenStream2;
use quote::ToTokens;

/// Caches what a function returns.
///
/// ```
/// use larder::cached;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Debug, Serialize, Deserialize)] struct User { name: String }
/// # mod db {
/// #     pub async fn user(_: u64, id: u64) -> std::io::Result<super::User> {
/// #         Ok(super::User { name: id.to_string() })
/// #     }
/// # }
///
/// #[cached(key = "school:{school}:user:{id}", ttl = "5m", swr = "1m", tags = ["users", "school:{school}"])]
/// async fn user(school: u64, id: u64) -> std::io::Result<User> {
///     db::user(school, id).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let who = user(7, 42).await?; // loaded once, then answered from memory
/// user::invalidate(7, 42).await?; // forgotten: the next call loads again
/// # let _ = who;
/// # Ok(())
/// # }
/// ```
///
/// The function keeps its signature, visibility and attributes, and is called as before. Callers who ask for
/// the same key at the same time share one run of the body. Synchronous functions are cached the same way,
/// and need no async runtime.
///
/// This page lists what there is. When to use which is told in the guide: `larder::guide::functions`, `methods` and
/// `batches`; and in its `cookbook` for those who know another cache.
///
/// # Settings
///
/// | | |
/// |---|---|
/// | `ttl = "5m"` | required: how long a value is fresh. A string of whole numbers and the units `d`, `h`, `m`, `s`, `ms`, largest first (`"1h30m"`); an expression of type `Duration`; or a closure over the value, `ttl = \|token\| token.expires_in` (a span of zero is not stored). |
/// | `key = "user:{id}"` | a template over the arguments and their fields, `{page.number}`, `{self.tenant}`, and the const parameters, `{N}` (which calls of the companions then name, `user::key::<3>(..)`). Each is a `KeyPart` and is escaped, so that no two calls with different arguments share a key; two placeholders have a `:` between them. `{{` and `}}` are braces. Without it, the key is the path of the function (of one inside another function, with its place in the source) and all arguments that are not skipped. |
/// | `skip = [db]` | arguments that make no difference to the value; type and const parameters, too. |
/// | `cache = self.cache` | an expression, evaluated at each call, of type `Larder` or `&Larder`; it may speak of the arguments. Without it the cache is `larder::global()`. |
/// | `tags = ["users", "school:{school}", "author:{ret.author}"]` | templates over the arguments and over the value, `ret`, to invalidate many entries by. |
/// | `swr = "1m"` | stale-while-revalidate: how much longer the value is served at once while one run in the background refreshes it. |
/// | `sie = "1h"` | stale-if-error: how much longer the value stands in for a run that fails. |
/// | `refresh_ahead = 0.8` | once this share of the TTL is over, a read starts a refresh in the background. |
/// | `xfetch = 1.0` | refreshes in the background, at random, the likelier the nearer the end and the longer a run takes. |
/// | `jitter = 0.1` | shortens each TTL by a random part of up to this share. |
/// | `soft_timeout = "200ms"` | a run that takes longer goes on in the background, where there is a stale value to return: needs `swr` or `sie`. For `async fn`. |
/// | `hard_timeout = "2s"` | a run that takes longer is given up. For `async fn` with an error that implements `From<larder::Timeout>`. |
/// | `negative_ttl = "30s"` | caches `None` as well, and for how long. The cache then holds the whole `Option`, so its keys cannot be those of a function without it, of `#[updates]`, or of a batch. |
/// | `max_age = "10s"` | takes no value that was stored longer ago. |
/// | `version = 3` | the version of what the value means: values of another version are not taken (by the function and its companions; `Engine::get` and `lookup` take any). |
/// | `when = \|user\| user.active` | stores only what this says yes to: a closure over the value, or the name of a function. |
/// | `bypass = expr` | where this is true, the function just runs: the cache is not asked, and not filled. |
/// | `refresh = expr` | where this is true, the function runs whatever is cached, and what it returns is cached. |
/// | `local` | caches in this process only, in a `Local`: the value need not be serialisable. Over Redis it is not cached; give such functions a cache of their own: `cache = &*MEMORY`. |
/// | `shared` | all instances share the values of this method; of a function without `self` in the `impl` of a generic type, all types that the block is for. |
///
/// Each argument is in `key`, `skip`, `cache`, `bypass` or `refresh`; one that is forgotten is a compile error, since calls
/// that differ only in it would be given each other's value. One field of it in `key` is enough: `{session.role}` says that of
/// `session` the role alone makes a difference, and nobody sees whether the body reads another field. Of an argument that is taken apart, `Page { number, .. }: Page`,
/// the same holds for each name in its pattern.
///
/// `swr`, `refresh_ahead`, `xfetch` and `soft_timeout` may run the function in the background, after its caller is gone. It is
/// then `Send`, and what it borrows is cloned for that run: `&str`, slices, `&T` and `&self` where they are `Clone`. What
/// cannot be cloned is an error at that argument.
///
/// The closures of `ttl` and `when` get the value by reference: the `User` in an `Arc<User>` or a `Result<Option<User>, E>`.
/// They are not asked of an `Err` or a `None`. What they take of the arguments, they take as a clone.
///
/// # What is cached
///
/// | return type | cached | a hit |
/// |---|---|---|
/// | `T` | always | clones it |
/// | `Arc<T>` | always, that very `Arc` | shares it |
/// | `Option<T>`, `Option<Arc<T>>` | what is `Some`; `None` with `negative_ttl` | as above |
/// | `Result<T, E>`, `Result<Arc<T>, E>` | what is `Ok`; `E` can be any type | as above |
/// | `Result<Option<T>, E>`, `Result<Option<Arc<T>>, E>` | what is `Ok(Some(_))`; `Ok(None)` with `negative_ttl` | as above |
/// | `Option<Result<T, E>>`, `Result<Result<T, E>, F>` | what is `Ok` inside | as above |
///
/// The `T` of an `Arc<T>` has a size: in place of an `Arc<str>`, return an `Arc<String>`.
///
/// An `i64` is cached like any other value, also with tags: it is not the counter that `incr` adds to. (An
/// `Arc<i64>` is one, and is not cached with tags or stale windows.)
/// A `Result` is told by its type, so an alias such as `io::Result<T>` is one. `T` is `Cacheable`: it derives
/// serde's `Serialize` and `Deserialize`, or is a `Local`; with `local` it can be any type that is `Send + Sync`. Nothing in
/// the return type is borrowed. What cannot be told from a `Result` (a bare generic `T`) or has no name (`impl Trait`) is
/// refused.
///
/// # Companions
///
/// Beside the function `user` stands an empty type of the same name, as visible as the function, with
///
/// | | takes | gives |
/// |---|---|---|
/// | `user::key(..)` | what `key` uses | the key |
/// | `user::invalidate(..)` | what `key` and `cache` use | a `Reply`: the value is forgotten, and a load that began before is not stored |
/// | `user::mark_stale(..)` | the same | a `Reply`: the value is no longer fresh, but still there for `swr` and `sie` |
/// | `user::peek(..)` | the same | a `Reply` of `Some`, with what the function would return at once, or `None` |
/// | `user::prime(.., value)` | the same, and what the policy uses | a `Reply`: stored as if the function had returned it. The value is what the function returns, or the `T` in it. |
/// | `user::refresh(..)` | all arguments | what the function returns, which has run, and is cached |
/// | `user::warm(arguments, concurrency)` | an iterator of all arguments (a tuple, where there are several) | `Progress`, when the function was called with each, so many at a time (a synchronous one on as many threads) |
/// | `user::uncached(..)` | all arguments | what the function returns; no cache is asked or filled |
///
/// Await a `Reply`, or call `.wait()` in synchronous code.
///
/// ```
/// # use larder::cached;
/// #[cached(key = "square:{n}", ttl = larder::ttl::DAY, skip = [log])]
/// fn square(n: u32, log: &mut Vec<u32>) -> u32 {
///     log.push(n);
///     n * n
/// }
///
/// let mut log = Vec::new();
/// assert_eq!((square(3, &mut log), square(3, &mut log)), (9, 9));
/// square::invalidate(3).wait()?;
/// assert_eq!(square(3, &mut log), 9);
/// assert_eq!(log, [3, 3]);
/// square::prime(4, 16).wait()?;
/// assert_eq!(square::peek(4).wait()?, Some(16));
/// assert_eq!(square::key(3), "square:3");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// In rustdoc links, say ``[`user()`]`` for the function and ``[`type@user`]`` for its companions.
///
/// # Methods
///
/// A method takes `&self`, `self: Arc<Self>` or no `self`. Its companions stand beside it, under its name:
/// `self.user_invalidate(..)`. A method whose `key` and `cache` both ignore `self` is refused, since one instance would be
/// given the values of another, unless it says `shared`.
///
/// ```
/// use larder::cached;
///
/// struct Tenant {
///     name: String,
/// }
///
/// impl Tenant {
///     #[cached(key = "tenant:{self.name}:greeting:{who}", ttl = "1h")]
///     fn greeting(&self, who: &str) -> String {
///         format!("Hello, {who}, from {}!", self.name)
///     }
/// }
///
/// let tenant = Tenant { name: "Lakeside".into() };
/// assert_eq!(tenant.greeting("Ada"), "Hello, Ada, from Lakeside!");
/// tenant.greeting_invalidate("Ada").wait()?;
/// # Ok::<(), larder::Error>(())
/// ```
///
/// In the `impl` of a trait, put `#[cached]` on the block too (above `#[async_trait]`, if there is one; methods with
/// `#[invalidates]` and `#[updates]` go with it): the companions are then methods of the type, visible in its
/// crate. The same goes for functions without `self` that do not mention `Self`, which otherwise cannot be told from free
/// ones.
///
/// ```
/// # use larder::cached;
/// trait Squares {
///     fn square(&self, n: u64) -> u64;
/// }
///
/// struct Plus(u64);
///
/// #[cached]
/// impl Squares for Plus {
///     #[cached(key = "square:{self.0}:{n}", ttl = "1h")]
///     fn square(&self, n: u64) -> u64 {
///         n * n + self.0
///     }
/// }
///
/// assert_eq!(Plus(1).square(3), 10);
/// assert_eq!(Plus(1).square_peek(3).wait()?, Some(10));
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Batches
///
/// With `each` in place of `key`, a function over many elements caches each of them: those that are there are answered from
/// the cache, and one call of the body loads all that are missing. Each element is a flight of its own, shared with other
/// batches and with functions for one element that have the same key (and no `negative_ttl`: they cache an `Option`).
///
/// ```
/// use std::collections::HashMap;
/// use larder::{Larder, cached};
///
/// #[cached(each = "user:{id}", ttl = "5m")]
/// fn users(ids: &[u64]) -> Result<HashMap<u64, String>, std::io::Error> {
///     // one query stands here: SELECT ... WHERE id IN (...)
///     Ok(ids.iter().map(|id| (*id, format!("row of {id}"))).collect())
/// }
///
/// larder::scope(&Larder::memory(100), || {
///     users(&[1, 2])?;
///     let all = users(&[1, 2, 3])?; // asks for 3 alone
///     assert_eq!(all.len(), 3);
///     users::invalidate(&[2]).wait()?;
///     assert_eq!(users::key(2), "user:2");
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The placeholder that is no argument's name (`{id}`) is the element, whole or by fields (`{who.0}`); the one argument that
/// nothing else speaks of holds them: `&[I]`, `Vec<I>`, `HashSet<I>` or another collection, or a reference to one, with
/// `I: Clone`. The function returns a map of those that it found, in a `Result` or not: `HashMap<I, T>`, `BTreeMap<I, T>`,
/// `Vec<(I, T)>`, with `T` or `Arc<T>`. What it leaves out is not cached; what it returns unasked is dropped, and counted as an
/// error of the cache. Its other arguments are cloned for each run. The
/// tags are the same for all elements. What says something of one value (`when`, `negative_ttl`, a TTL by closure) does not
/// go with `each` yet, nor do `bypass`, `refresh` and `local`; methods take `&self`. The companions are `key` (of one element), `invalidate` and `uncached`.
///
/// # A cache of your own, and tests
///
/// ```
/// use larder::{Larder, cached};
///
/// struct App {
///     cache: Larder,
/// }
///
/// #[cached(key = "greeting:{name}", ttl = "1h", cache = app.cache)]
/// fn greeting(app: &App, name: &str) -> String {
///     format!("Hello, {name}!")
/// }
///
/// let app = App { cache: Larder::memory(1_000) };
/// assert_eq!(greeting(&app, "Ada"), "Hello, Ada!");
/// greeting::invalidate(&app, "Ada").wait()?;
///
/// // A function without `cache` can be given one for a test.
/// #[cached(key = "answer", ttl = "1h")]
/// fn answer() -> u8 {
///     42
/// }
///
/// let cache = Larder::memory(10);
/// larder::scope(&cache, || answer());
/// assert_eq!(cache.get::<u8>(answer::key()).wait()?.as_deref(), Some(&42));
/// # Ok::<(), larder::Error>(())
/// ```
#[proc_macro_attribute]
pub fn cached(attributes: TokenStream, item: TokenStream) -> TokenStream {
    expanded(cached_item, attributes, item)
}

/// Says what a function makes old: it is invalidated when the function has succeeded, and before its caller gets the result.
///
/// ```
/// use larder::{cached, invalidates};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)] struct User { id: u64, school: u64, name: String }
/// # #[derive(Debug)] struct DbError;
/// # mod db {
/// #     use super::*;
/// #     use std::sync::Mutex;
/// #     static NAME: Mutex<String> = Mutex::new(String::new());
/// #     pub async fn user(id: u64) -> Result<User, DbError> {
/// #         Ok(User { id, school: 3, name: NAME.lock().unwrap().clone() })
/// #     }
/// #     pub async fn rename(id: u64, name: String) -> Result<User, DbError> {
/// #         *NAME.lock().unwrap() = name;
/// #         user(id).await
/// #     }
/// # }
///
/// #[cached(key = "user:{id}", ttl = "5m")]
/// async fn user(id: u64) -> Result<User, DbError> {
///     db::user(id).await
/// }
///
/// #[invalidates(keys = ["user:{id}"], tags = ["school:{ret.school}"])]
/// async fn rename(id: u64, name: String) -> Result<User, DbError> {
///     db::rename(id, name).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), DbError> {
/// rename(7, "Ada".to_owned()).await?;
/// assert_eq!(user(7).await?.name, "Ada");
/// rename(7, "Grace".to_owned()).await?;
/// assert_eq!(user(7).await?.name, "Grace"); // not the old one from the cache
/// # Ok(())
/// # }
/// ```
///
/// It goes on functions and methods, `&mut self` included, synchronous and asynchronous; not on what only returns a
/// future (make that an `async fn`). The function itself is unchanged. In the guide: `larder::guide::writers`.
///
/// # Attributes
///
/// | | |
/// |---|---|
/// | `keys = ["user:{id}"]` | templates, as in [`#[cached]`](macro@cached): over the arguments and their fields, `self`, and `ret`. |
/// | `tags = ["school:{ret.school}"]` | templates of tags. |
/// | `patterns = ["page:{school}:*"]` | templates of globs: what is written in the template may be `* ? [abc]`; arguments are escaped, so none can widen it. |
/// | `cache = self.cache` | an expression of type `Larder` or `&Larder`, evaluated before the body runs. Without it, `larder::global()`. |
/// | `always` | also after `Err` and `None`, for a function that may have written all the same. |
/// | `on_error = return` | hands the cache's error to the caller in place of the result, though the function has written; `E: From<larder::Error>`. |
///
/// `ret` is the value that is returned, inside of `Ok` and `Some`. What templates name of the arguments is written down
/// before the body runs, which may use them up.
///
/// # When
///
/// | the function | what is named |
/// |---|---|
/// | returns `Ok`, `Some`, or what is neither `Result` nor `Option` | is invalidated, and then the caller gets its result |
/// | returns `Err` or `None` | stays, unless `always` |
/// | panics, or its future is dropped | is invalidated as far as it does not speak of `ret`: nobody knows whether it has been written |
/// | runs in the scope of [`after_commit`](https://docs.rs/larder/latest/larder/fn.after_commit.html) | waits for the commit |
///
/// `Result` and `Option` are told by type, aliases too. If an invalidation cannot be delivered, the error is counted
/// (`Stats::errors`) and logged, and the function's own result is returned, unless `on_error = return`.
///
/// Several of these attributes may stand on one function, [`#[updates]`](macro@updates) among them. Within one
/// function, what is stored is stored last.
///
/// # In a transaction
///
/// A function that writes as a part of a transaction is called in the scope of `larder::after_commit()`: an invalidation
/// before the commit leaves time for others to load the old row again.
///
/// ```
/// use larder::{Larder, invalidates, ttl};
///
/// #[invalidates(keys = ["account:{id}"])]
/// fn book(id: u64, cents: i64) -> Result<(), String> {
///     // UPDATE accounts ...
/// #   let _ = cents;
///     Ok(())
/// }
///
/// fn transfer(from: u64, to: u64, cents: i64) -> Result<(), Box<dyn std::error::Error>> {
///     let changes = larder::after_commit();
///     // begin; an early return drops `changes`, and with it all that was to be changed
///     changes.scope(|| book(from, -cents).and_then(|()| book(to, cents)))?;
///     // commit
///     changes.committed().wait()?; // of async code: `scope_async(..).await`, `committed().await`
///     Ok(())
/// }
///
/// let cache = Larder::memory(100);
/// cache.set("account:1", "100.00".to_owned(), ttl::LONG).wait()?;
/// larder::scope(&cache, || transfer(1, 2, 500))?;
/// assert!(!cache.exists("account:1").wait()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[proc_macro_attribute]
pub fn invalidates(attributes: TokenStream, item: TokenStream) -> TokenStream {
    expanded(
        |attributes, item| writer::function(writer::Kind::Invalidates, attributes, item),
        attributes,
        item,
    )
}

/// Stores what a function has written and returns, under the key of those who read it.
///
/// ```
/// use larder::{Larder, cached, updates};
/// # use serde::{Deserialize, Serialize};
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// struct User {
///     id: u64,
///     name: String,
/// }
///
/// #[cached(key = "user:{id}", ttl = "5m", tags = ["users"])]
/// fn user(id: u64) -> Result<User, String> {
///     Err(format!("user {id}: the database is not asked"))
/// }
///
/// #[updates(key = "user:{ret.id}", ttl = "5m", tags = ["users"])]
/// fn create(name: String) -> Result<User, String> {
///     Ok(User { id: 7, name }) // INSERT ... RETURNING
/// }
///
/// larder::scope(&Larder::memory(100), || {
///     let created = create("Ada".to_owned())?;
///     assert_eq!(user(7)?, created);
///     Ok::<(), String>(())
/// })?;
/// # Ok::<(), String>(())
/// ```
///
/// Prefer [`#[invalidates]`](macro@invalidates) unless the function returns just what the readers load: same type, same
/// key, same `ttl`, `tags` and `version`, and no `negative_ttl`, with which they cache an `Option`.
///
/// # Attributes
///
/// | | |
/// |---|---|
/// | `key = "user:{ret.id}"` | required: a template over the arguments and the result. |
/// | `ttl = "5m"`, `swr`, `sie`, `version` | as in [`#[cached]`](macro@cached); `ttl` is required. Expressions are evaluated before the body runs. |
/// | `tags = ["author:{ret.author}"]` | templates over the arguments and the result. |
/// | `cache`, `on_error = return` | as in [`#[invalidates]`](macro@invalidates). |
///
/// What is stored is the value inside of `Ok` and `Some`; after `Err` and `None` nothing changes. A value returned by
/// value is cloned; an `Arc` is shared.
///
/// # What is not stored
///
/// Two writers of one row may come to the cache in another order than to the database, and the older value would stay.
/// So if, from the call of the function until its value is stored, anybody else in this process writes or invalidates
/// the key (or a tag of the value, or a pattern that covers it), the value is not stored and the key is invalidated
/// instead. Loads that are under way do not store what they have read before. A writer in another process, or one that
/// does not tell larder, is not seen: where that may be, invalidate.
///
/// The key is also invalidated in place of the update if the value cannot be stored, and, where it does not speak of
/// `ret`, if the function panics or its future is dropped.
#[proc_macro_attribute]
pub fn updates(attributes: TokenStream, item: TokenStream) -> TokenStream {
    expanded(|attributes, item| writer::function(writer::Kind::Updates, attributes, item), attributes, item)
}

/// Puts what an attribute makes of an item in its place.
fn expanded(
    expand: impl FnOnce(TokenStream2, TokenStream2) -> syn::Result<TokenStream2>,
    attributes: TokenStream,
    item: TokenStream,
) -> TokenStream {
    let untouched = item.clone();
    match expand(attributes.into(), item.into()) {
        Ok(expansion) => expansion.into(),
        // The function stays, so that one mistake is one error, and not one more for every caller. Those inside an
        // `impl` see to it themselves.
        Err(error) => TokenStream::from_iter([untouched, error.into_compile_error().into()]),
    }
}

fn cached_item(attributes: TokenStream2, item: TokenStream2) -> syn::Result<TokenStream2> {
    if let Ok(block) = syn::parse2::<syn::ItemImpl>(item.clone()) {
        return impl_block::expand_all(&attributes, block);
    }
    let function = check::function(item)?;
    if !function.attrs.iter().any(check::is_cfg) && twins::is_second(function.sig.ident.to_string()) {
        // The compiler says that there are two, and once is enough.
        return Ok(function.into_token_stream());
    }
    let options = attr::Options::parse(attributes.clone())?;
    let home = check::home(&attributes, &function);
    surroundings::check(&function, home)?;
    let (expansion, model) = expand::function_or_batch(options, function, home)?;
    Ok(expansion.in_place(&model))
}
