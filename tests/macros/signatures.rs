//! Generics, visibility, attributes.

use std::fmt::Display;
use std::io;

use larder::{Cacheable, KeyPart, Larder, cached, scope, scope_async};

use super::{Runs, User};

trait Db {
    fn name(&self, id: u64) -> String;
}

struct Names(Runs);

impl Db for Names {
    fn name(&self, id: u64) -> String {
        self.0.next();
        format!("name {id}")
    }
}

#[cached(key = "name:{id}", ttl = "5m", skip = [db])]
async fn name<D: Db>(db: &D, id: u64) -> String {
    db.name(id)
}

#[tokio::test]
async fn a_companion_does_not_ask_for_skipped_generics() {
    let db = Names(Runs::new());
    scope_async(&Larder::memory(100), async {
        assert_eq!(name(&db, 7).await, "name 7");
        assert_eq!(name(&db, 7).await, "name 7");
        assert_eq!(db.0.count(), 1);
        assert_eq!(name::key(7), "name:7");
        name::invalidate(7).await.unwrap();
        assert_eq!(name(&db, 7).await, "name 7");
        assert_eq!(db.0.count(), 2);
        assert_eq!(name::uncached(&db, 7).await, "name 7");
        assert_eq!(db.0.count(), 3);
    })
    .await;
}

#[cached(key = "{_kind}:{ids}", ttl = "5m", skip = [_hint])]
fn generic<'a, K, T, const N: usize>(_kind: &'a K, ids: [u32; N], _hint: impl Display + 'a) -> Option<T>
where
    K: KeyPart + ?Sized,
    T: Cacheable + Clone + From<u32>,
{
    Some(T::from(ids.iter().sum()))
}

#[test]
fn generics_lifetimes_and_where_clauses_are_kept() {
    scope(&Larder::memory(100), || {
        assert_eq!(generic::<_, u64, 2>("sum", [1, 2], "hint"), Some(3));
        assert_eq!(generic::<str, u64, 2>("sum", [1, 2], 5), Some(3));
        assert_eq!(generic::key("sum", [1, 2]), larder::key!("{}:{}", "sum", [1_u32, 2]));
    });
}

mod deeper {
    use super::*;

    /// Documented.
    #[cached(key = "visible", ttl = "5m")]
    #[must_use]
    #[expect(unused_variables, reason = "goes where the body goes")]
    #[allow(clippy::let_unit_value)]
    pub(in super::super) fn visible() -> u8 {
        let unused = ();
        1
    }
}

#[test]
fn companions_are_as_visible_as_the_function() {
    assert_eq!(deeper::visible::key(), "visible");
    assert_eq!(deeper::visible::uncached(), 1);
}

mod students {
    #[larder::cached(key = "student:{id}", ttl = "5m")]
    pub(super) fn find(id: u8) -> String {
        format!("student {id}")
    }
}

mod teachers {
    #[larder::cached(key = "teacher:{id}", ttl = "5m")]
    pub(super) fn find(id: u8) -> String {
        format!("teacher {id}")
    }
}

#[test]
fn two_of_one_name_live_in_two_modules() {
    scope(&Larder::memory(100), || {
        assert_eq!((students::find(1), teachers::find(1)), ("student 1".into(), "teacher 1".into()));
        assert_eq!((&*students::find::key(1), &*teachers::find::key(1)), ("student:1", "teacher:1"));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_async_function_can_be_spawned() {
    #[cached(key = "user:{id}", ttl = "5m", skip = [db])]
    async fn user(db: &str, id: u64) -> Result<User, io::Error> {
        tokio::task::yield_now().await;
        let _ = db;
        Ok(User { id })
    }

    let cache = Larder::memory(100);
    let spawned = tokio::spawn(async move { scope_async(&cache, user("db", 7)).await });
    assert_eq!(spawned.await.unwrap().unwrap().id, 7);
}

#[test]
fn a_generic_that_makes_no_difference_is_skipped() {
    #[cached(key = "answer", ttl = "5m", skip = [T])]
    fn answer<T: Default>() -> u8 {
        let _ = T::default();
        42
    }
    #[cached(ttl = "5m", skip = [T])]
    fn by_path<T: Default>() -> u8 {
        let _ = T::default();
        43
    }
    scope(&Larder::memory(100), || {
        assert_eq!((answer::<u8>(), answer::<String>()), (42, 42));
        assert_eq!((by_path::<u8>(), by_path::<String>()), (43, 43));
    });
}

macro_rules! reader {
    ($name:ident, $argument:ident: $ty:ty, $key:literal, $ttl:expr, $tag:literal, $version:expr) => {
        #[cached(key = $key, ttl = $ttl, tags = [$tag], version = $version)]
        fn $name($argument: $ty) -> $ty {
            $argument
        }
    };
}

reader!(small, id: u8, "small:{id}", "5m", "small", 3);
reader!(large, id: u64, "large:{id}", larder::ttl::LONG, "large", 4);

#[test]
fn functions_made_by_macro_rules() {
    scope(&Larder::memory(100), || {
        assert_eq!((small(1), large(2)), (1, 2));
        assert_eq!((&*small::key(1), &*large::key(2)), ("small:1", "large:2"));
    });
}
