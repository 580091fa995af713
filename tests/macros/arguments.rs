//! Arguments: taken apart, borrowed, without a name, of any name.

use std::path::Path;
use std::time::Duration;

use larder::{KeyPart, Larder, cached, scope, scope_async};
use serde::Serialize;

use super::Runs;

#[derive(Clone)]
struct Page {
    number: u32,
    size: u32,
    _note: String,
}

impl Page {
    fn new(number: u32, size: u32) -> Self {
        Self { number, size, _note: String::new() }
    }
}

#[cached(key = "page:{number}:{rest.0}", ttl = "5m", tags = ["size:{size}"], skip = [size, d])]
fn page(Page { number, mut size, .. }: Page, &(ref rest, d): &((u8, u8), u8), _: &str) -> (u32, usize) {
    static RUNS: Runs = Runs::new();
    size += u32::from(rest.0 + d);
    (number * size, RUNS.next())
}

#[test]
fn taken_apart() {
    let cache = Larder::memory(100);
    scope(&cache, || {
        assert_eq!(page(Page::new(2, 10), &((1, 2), 3), "a"), (28, 1));
        assert_eq!(page(Page::new(2, 11), &((1, 9), 4), "b"), (28, 1));
        assert_eq!(page::key(Page::new(2, 0), &((1, 2), 3)), "page:2:1");
        cache.invalidate_tag("size:10").wait().unwrap();
        assert_eq!(page(Page::new(2, 10), &((1, 2), 3), "a"), (28, 2));
        page::prime(Page::new(3, 10), &((1, 2), 3), (5, 5)).wait().unwrap();
        assert_eq!(page(Page::new(3, 1), &((1, 2), 3), "a"), (5, 5));
        assert_eq!(page::warm([(Page::new(4, 1), &((1, 2), 3), "x")], 4).done, 1);
    });
}

#[cached(key = "page:{page.number}:{name}", ttl = "5m", tags = ["size:{page.size}"])]
fn field(page: &Page, name: &Path2) -> u32 {
    page.size + u32::from(name.0)
}

struct Path2(u8);

impl KeyPart for Path2 {
    fn write_to(&self, key: &mut larder::KeyBuilder) {
        self.0.write_to(key);
    }
}

#[test]
fn fields_and_types_of_ones_own() {
    scope(&Larder::memory(100), || {
        assert_eq!(field(&Page::new(1, 5), &Path2(2)), 7);
        assert_eq!(field(&Page::new(1, 50), &Path2(2)), 7);
        assert_eq!(field::key(&Page::new(1, 5), &Path2(2)), "page:1:2");
        field::mark_stale(&Page::new(1, 5), &Path2(2)).wait().unwrap();
        assert_eq!(field(&Page::new(1, 50), &Path2(2)), 52);
    });
}

static BORROWED: Runs = Runs::new();

#[cached(key = "all:{name}:{ids}:{flag}", ttl = "5m", swr = "1h", skip = [path, page, what], tags = ["name:{name}:{ret.0}"], when = |value| value.0 != name)]
fn borrowed(
    name: &str,
    ids: &[u8],
    path: &Path,
    page: &Page,
    flag: &'static str,
    what: &(impl Serialize + Clone + Send + Sync + 'static),
) -> (String, usize) {
    let _ = (ids, path, page, flag, what);
    (format!("{name}!"), BORROWED.next())
}

#[test]
fn what_is_borrowed_is_cloned_for_the_background() {
    let cache = Larder::memory(100);
    scope(&cache, || {
        let run = || {
            let (name, ids) = ("n".to_owned(), vec![1, 2]);
            borrowed(&name, &ids, Path::new("/"), &Page::new(1, 2), "flag", &7_u8).1
        };
        assert_eq!((run(), run()), (1, 1));
        borrowed::mark_stale("n", &[1, 2], "flag").wait().unwrap();
        assert_eq!(run(), 1, "stale, at once");
        let began = std::time::Instant::now();
        while run() == 1 {
            assert!(began.elapsed() < Duration::from_secs(10), "never refreshed");
            std::thread::yield_now();
        }
        cache.invalidate_tag(larder::key!("name:{}:{}", "n", "n!")).wait().unwrap();
        assert_eq!(run(), 3);
    });
}

#[test]
fn of_any_name() {
    #[cached(key = "{key}:{cache}:{result}:{self_}:{ret}:{value}:{shape}", ttl = "5m", tags = ["t:{ret}"])]
    fn sum(key: u8, cache: u8, result: u8, self_: u8, ret: u8, value: u8, shape: u8) -> u8 {
        key + cache + result + self_ + ret + value + shape
    }
    #[cached(key = "{sum}:{larder}", ttl = "5m", when = |core| *core > 0 && sum > 0)]
    fn other(sum: u8, larder: u8) -> u8 {
        sum + larder
    }

    scope(&Larder::memory(100), || {
        assert_eq!(sum(1, 2, 3, 4, 5, 6, 7), 28);
        assert_eq!(sum::key(1, 2, 3, 4, 5, 6, 7), "1:2:3:4:5:6:7");
        assert_eq!((other(1, 2), other::peek(1, 2).wait().unwrap()), (3, Some(3)));
        other::prime(2, 2, 9).wait().unwrap();
        assert_eq!(other(2, 2), 9);
    });
}

#[cached(key = "lines:{text}", ttl = "5m", skip = [map])]
async fn with_lifetimes<'a, F>(text: &'a str, map: &'a F) -> Result<Vec<String>, String>
where
    F: Fn(&'a str) -> String,
{
    tokio::task::yield_now().await;
    Ok(text.lines().map(map).collect())
}

#[tokio::test]
async fn with_lifetimes_and_closures() {
    let text = "a\nb".to_owned();
    scope_async(&Larder::memory(100), async {
        let map = |line: &str| line.to_uppercase();
        assert_eq!(with_lifetimes(&text, &map).await.unwrap(), ["A", "B"]);
        assert_eq!(with_lifetimes::refresh(&text, &map).await.unwrap(), ["A", "B"]);
        assert_eq!(with_lifetimes::warm([(&*text, &map), ("c", &map)], 2).await.done, 2);
        assert_eq!(with_lifetimes::peek("c").await.unwrap(), Some(Ok(vec!["C".to_owned()])));
        let primed = with_lifetimes::prime("d", vec!["D".to_owned()]).await;
        assert!(primed.is_ok());
        with_lifetimes::prime("e", Ok(vec!["E".to_owned()])).await.unwrap();
        with_lifetimes::prime("f", Err("down".to_owned())).await.unwrap();
        assert_eq!(with_lifetimes("e", &map).await.unwrap(), ["E"]);
        assert_eq!(with_lifetimes::peek("f").await.unwrap(), None);
    })
    .await;
}

#[cached(key = "any:{part}:{ids}", ttl = "5m", swr = "1m")]
async fn any<const N: usize>(part: impl KeyPart + Clone + Send + Sync + 'static, ids: &[String; N]) -> usize {
    let _ = (part, ids);
    tokio::task::yield_now().await;
    N
}

#[tokio::test]
async fn of_any_type() {
    scope_async(&Larder::memory(100), async {
        assert_eq!(any("a", &["b".to_owned()]).await, 1);
        assert_eq!(any::key(7, &["b".to_owned()]), "any:7:%(b%;%)");
        assert_eq!(any::warm([(1, &[])], 1).await.done, 1);
    })
    .await;
}
