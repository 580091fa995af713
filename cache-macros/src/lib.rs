//! The attribute macros of [larder](https://docs.rs/larder), which re-exports them: depend on `larder`, not
//! on this crate.

mod argument;
mod associated;
mod attr;
mod background;
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
mod template;

use proc_macro::TokenStream;

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
/// # Attributes
///
/// | | |
/// |---|---|
/// | `key = "user:{id}"` | required: a template over the arguments. They are escaped, so that no two calls with different arguments share a key; two placeholders have a `:` between them. `{{` and `}}` are braces. |
/// | `ttl = "5m"` | required: how long a value is fresh. A string of whole numbers and the units `d`, `h`, `m`, `s`, `ms`, largest first (`"1h30m"`), or an expression of type `Duration`. |
/// | `swr = "1m"` | stale-while-revalidate: how much longer the value is served at once while one run of the body, in the background, refreshes it. The arguments are then owned, and the body is `Send`. |
/// | `sie = "1h"` | stale-if-error: how much longer the value stands in for a run that fails. |
/// | `tags = ["users", "school:{school}"]` | templates over the arguments, to invalidate many entries by. |
/// | `cache = app.cache` | an expression, evaluated at each call, of type `Larder` or `&Larder`; it may speak of the arguments. Without it the cache is `larder::global()`. |
/// | `skip = [db]` | arguments that make no difference to the value. |
///
/// Each argument is in `key`, in `skip` or in `cache`; one that is forgotten is a compile error, since calls
/// that differ only in it would be given each other's value.
///
/// # What is cached
///
/// | return type | cached | a hit |
/// |---|---|---|
/// | `T` | always | clones it |
/// | `Arc<T>` | always, that very `Arc` | shares it |
/// | `Option<T>`, `Option<Arc<T>>` | what is `Some` | as above |
/// | `Result<T, E>`, `Result<Arc<T>, E>` | what is `Ok`; `E` can be any type | as above |
/// | `Result<Option<T>, E>`, `Result<Option<Arc<T>>, E>` | what is `Ok(Some(_))` | as above |
///
/// A `Result` is told by its type, so an alias such as `io::Result<T>` is one. `T` is `Cacheable`: it derives
/// serde's `Serialize` and `Deserialize`, or is a `Local`. Nothing in the return type is borrowed.
///
/// # Companions
///
/// Beside the function `user` stands an empty type of the same name, as visible as the function, with
///
/// - `user::key(..)`, the key, from the arguments that `key` uses;
/// - `user::invalidate(..)`, which makes the cache forget one value, from the arguments that `key` and
///   `cache` use; await it, or call `.wait()` in synchronous code;
/// - `user::uncached(..)`, the function itself, which asks no cache.
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
/// assert_eq!(square::key(3), "square:3");
/// # Ok::<(), larder::Error>(())
/// ```
///
/// In rustdoc links, say ``[`user()`]`` for the function and ``[`type@user`]`` for its companions.
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
///
/// # Not yet
///
/// Methods and destructured arguments are refused, with a word on what to do instead; so are return types
/// that cannot be told from a `Result` (a bare generic `T`) or that have no name (`impl Trait`).
#[proc_macro_attribute]
pub fn cached(attributes: TokenStream, item: TokenStream) -> TokenStream {
    let untouched = item.clone();
    match expanded(attributes.into(), item.into()) {
        Ok(expansion) => expansion.into(),
        // The function stays, so that one mistake is one error, and not one more for every caller.
        Err(error) => TokenStream::from_iter([untouched, error.into_compile_error().into()]),
    }
}

fn expanded(
    attributes: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> syn::Result<proc_macro2::TokenStream> {
    if let Ok(block) = syn::parse2::<syn::ItemImpl>(item.clone()) {
        return impl_block::expand_all(&attributes, block);
    }
    let function = check::function(item)?;
    let options = attr::Options::parse(attributes.clone())?;
    let home = check::home(&attributes, &function);
    let model = check::check(options, function, home)?;
    Ok(expand::expand(&model).in_place(&model))
}
