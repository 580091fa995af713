//! `#[invalidates]` and `#[updates]`: what is changed, when, and what the caller gets.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use larder::testing::{Fault, Faulty, Op};
use larder::{Larder, Memory, cached, invalidates, key, scope, scope_async, ttl, updates};

use super::{Report, Runs, User};

/// A cache with an entry under each of `keys`, all tagged with their own key.
fn filled(keys: &[&str]) -> Larder {
    let cache = Larder::memory(100);
    fill(&cache, keys);
    cache
}

fn fill(cache: &Larder, keys: &[&str]) {
    for key in keys {
        let policy = larder::Policy::ttl(ttl::DAY).tags([*key, "all"]);
        cache.set(key, "old".to_owned(), policy).wait().expect("a key");
    }
}

fn has(cache: &Larder, key: &str) -> bool {
    cache.exists(key).wait().expect("a key")
}

#[test]
fn keys_tags_and_patterns_go_after_success() {
    #[invalidates(keys = ["user:{id}"], tags = ["school:{school}"], patterns = ["page:{school}:*"])]
    fn rename(school: &str, id: u64) -> Result<(), String> {
        assert!(larder::global().exists("user:7").wait().unwrap(), "not before the body has run");
        if id == 7 { Ok(()) } else { Err("no such user".into()) }
    }

    let keys = ["user:7", "school:a%3Ab", "page:a%3Ab:1", "page:a%3Ab:2", "user:8", "page:a:b"];
    let cache = filled(&keys);
    scope(&cache, || {
        rename("a:b", 8).unwrap_err();
        assert!(keys.iter().all(|key| has(&cache, key)), "nothing goes after an error");
        rename("a:b", 7).unwrap();
        assert_eq!(keys.map(|key| has(&cache, key)), [false, false, false, false, true, true]);
    });
}

#[tokio::test]
async fn they_are_gone_before_the_caller_gets_its_result_async() {
    #[invalidates(keys = ["user:{id}"])]
    async fn rename(id: u64, name: String) -> Result<String, Box<dyn Error + Send + Sync>> {
        tokio::task::yield_now().await;
        let number: u64 = name.parse()?;
        if number == 0 {
            return Err("zero".into());
        }
        Ok(name)
    }

    let cache = filled(&["user:7"]);
    scope_async(&cache, async {
        assert!(rename(7, "x".into()).await.is_err());
        assert_eq!(rename(7, "0".into()).await.unwrap_err().to_string(), "zero");
        assert!(has(&cache, "user:7"));
        assert_eq!(rename(7, "1".into()).await.unwrap(), "1");
        assert!(!has(&cache, "user:7"));
    })
    .await;
}

#[test]
fn what_counts_as_success_is_told_by_type() {
    type Answer<T> = Result<T, String>;

    #[invalidates(keys = ["k"])]
    fn option(id: Option<u8>) -> Option<u8> {
        id
    }
    #[invalidates(keys = ["k"])]
    fn alias(id: Option<u8>) -> Answer<Option<u8>> {
        Ok(id)
    }
    #[invalidates(keys = ["k"])]
    fn nothing() {}

    let cache = filled(&["k"]);
    scope(&cache, || {
        let _ = (option(None), alias(None));
        assert!(has(&cache, "k"));
        let _ = alias(Some(1));
        assert!(!has(&cache, "k"));
        fill(&cache, &["k"]);
        let _ = option(Some(1));
        assert!(!has(&cache, "k"));
        fill(&cache, &["k"]);
        nothing();
        assert!(!has(&cache, "k"));
    });
}

#[test]
fn always_is_also_after_an_error() {
    #[invalidates(tags = ["user:{id}"], always)]
    fn rename(id: u64) -> Result<(), String> {
        Err("who knows what was written".into())
    }

    let cache = filled(&["user:7"]);
    scope(&cache, || rename(7).unwrap_err());
    assert!(!has(&cache, "user:7"));
}

#[test]
fn templates_speak_of_fields_of_the_result_and_of_arguments_that_are_gone() {
    struct Form {
        school: String,
    }

    #[invalidates(keys = ["school:{form.school}:user:{ret.id}"], tags = ["name:{name}:{ret.id}"])]
    fn create(form: Form, name: String) -> Result<User, String> {
        drop((form, name));
        Ok(User { id: 7 })
    }

    let cache = filled(&["school:a%3A:user:7", "name:x*:7", "name:x"]);
    scope(&cache, || create(Form { school: "a:".into() }, "x*".into()).unwrap());
    assert_eq!(
        ["school:a%3A:user:7", "name:x*:7", "name:x"].map(|key| has(&cache, key)),
        [false, true, true],
        "the argument is escaped, as in a key"
    );
    fill(&cache, &["name:x%2A:7"]);
    scope(&cache, || create(Form { school: String::new() }, "x*".into()).unwrap());
    assert!(!has(&cache, "name:x%2A:7"));
}

#[test]
fn a_long_argument_makes_the_key_that_cached_makes() {
    #[cached(key = "text:{text}:{n}", ttl = "5m")]
    fn length(text: &str, n: u8) -> usize {
        text.len() + usize::from(n)
    }
    #[invalidates(keys = ["text:{text}:{ret}"])]
    fn early(text: &str) -> u8 {
        text.len() as u8
    }
    #[invalidates(patterns = ["text:{text}:*"])]
    fn all(text: &str) {
        let _ = text;
    }

    let cache = Larder::memory(100);
    let text = "é:".repeat(600);
    scope(&cache, || {
        length(&text, text.len() as u8);
        assert!(has(&cache, &length::key(&text, text.len() as u8)));
        early(&text);
        assert!(!has(&cache, &length::key(&text, text.len() as u8)));
        length(&text, 1);
        all(&text);
        assert!(!has(&cache, &length::key(&text, 1)), "a pattern too long is widened, not missed");
    });
}

#[test]
fn several_attributes_stack() {
    #[updates(key = "user:{ret.id}", ttl = "5m", tags = ["users"])]
    #[invalidates(tags = ["users", "all"])]
    #[invalidates(keys = ["failures"], always)]
    fn create(id: Option<u64>) -> Option<User> {
        Some(User { id: id? })
    }

    let cache = filled(&["a", "failures"]);
    scope(&cache, || {
        assert_eq!(create(None), None);
        assert_eq!((has(&cache, "a"), has(&cache, "failures")), (true, false));
        assert_eq!(create(Some(7)), Some(User { id: 7 }));
        assert!(!has(&cache, "a"));
        let stored = cache.get::<User>("user:7").wait().unwrap();
        assert_eq!(
            stored.as_deref(),
            Some(&User { id: 7 }),
            "what is stored is newer than what is forgotten"
        );
    });
}

#[test]
fn what_is_updated_is_what_cached_finds() {
    static RUNS: Runs = Runs::new();

    #[cached(key = "report:{id}", ttl = "5m")]
    fn report(id: u64) -> Result<Arc<Report>, String> {
        RUNS.next();
        Ok(Arc::new(Report(format!("loaded {id}"))))
    }
    #[updates(key = "report:{id}", ttl = "5m", tags = ["author:{ret.0}"])]
    fn write(id: u64, text: String) -> Result<Arc<Report>, String> {
        let _ = id;
        Ok(Arc::new(Report(text)))
    }

    let cache = Larder::memory(100);
    scope(&cache, || {
        report(7).unwrap();
        let written = write(7, "new".into()).unwrap();
        assert!(Arc::ptr_eq(&written, &report(7).unwrap()));
        assert_eq!(RUNS.count(), 1);
        cache.invalidate_tag("author:new").wait().unwrap();
        assert_eq!(report(7).unwrap().0, "loaded 7");
    });
}

struct Users {
    cache: Larder,
    tenant: String,
    names: Vec<String>,
}

impl Users {
    #[invalidates(keys = ["{self.tenant}:names"], cache = self.cache)]
    fn add(&mut self, name: &str) -> &str {
        self.names.push(name.to_owned());
        self.names.last().expect("just pushed")
    }

    #[updates(key = "{self.tenant}:names", ttl = "5m", cache = &self.cache)]
    async fn names<'a>(&'a self, extra: &'a str) -> Result<Vec<String>, String> {
        tokio::task::yield_now().await;
        let mut names = self.names.clone();
        names.push(extra.to_owned());
        Ok(names)
    }

    #[invalidates(keys = ["{self.tenant}:names"], cache = self.cache)]
    fn close(self: Arc<Self>) {}
}

#[tokio::test]
async fn methods_and_caches_of_their_own() {
    let cache = Larder::memory(100);
    let mut users = Users { cache: cache.clone(), tenant: "a".into(), names: Vec::new() };
    fill(&cache, &["a:names", "b:names"]);
    assert_eq!(users.add("Ada"), "Ada");
    assert_eq!((has(&cache, "a:names"), has(&cache, "b:names")), (false, true));
    users.names("Bob").await.unwrap();
    assert_eq!(*cache.get::<Vec<String>>("a:names").await.unwrap().unwrap(), ["Ada", "Bob"]);
    Arc::new(users).close();
    assert!(!has(&cache, "a:names"));
}

#[test]
fn generics_patterns_and_names_of_ours() {
    struct Path<T>(T);

    #[invalidates(keys = ["user:{id}:{writer}"])]
    fn destructured<T: larder::KeyPart, const N: usize>(
        Path((id, _)): Path<(T, [u8; N])>,
        mut writer: impl larder::KeyPart + Clone,
    ) -> Result<usize, String> {
        writer = writer.clone();
        let _ = (&id, &mut writer);
        Ok(N)
    }

    let cache = filled(&["user:7:x"]);
    scope(&cache, || assert_eq!(destructured(Path((7, [0; 3])), "x"), Ok(3)));
    assert!(!has(&cache, "user:7:x"));
}

#[derive(Debug)]
enum Failure {
    Cache(larder::Error),
}

impl From<larder::Error> for Failure {
    fn from(error: larder::Error) -> Self {
        Self::Cache(error)
    }
}

#[test]
fn what_cannot_be_delivered_is_counted_and_the_result_is_returned() {
    #[invalidates(keys = ["user:{id}"])]
    fn quiet(id: u64) -> Result<u64, Failure> {
        Ok(id)
    }
    #[invalidates(keys = ["user:{id}"], on_error = return)]
    fn strict(id: u64) -> Result<u64, Failure> {
        Ok(id)
    }

    let faults = Fault::error_on(Op::Invalidate).times(2);
    let cache = Larder::over(Faulty::new(Memory::builder().capacity(100).build()).script([faults]));
    scope(&cache, || {
        assert_eq!(quiet(7).unwrap(), 7);
        assert_eq!(cache.stats().errors, 1);
        let Failure::Cache(error) = strict(7).unwrap_err();
        assert_eq!(error.kind(), larder::ErrorKind::Unavailable);
        assert_eq!(cache.stats().errors, 1, "its caller knows");
        assert_eq!(strict(7).unwrap(), 7);
    });
}

#[test]
fn a_panic_after_the_write_forgets_what_was_named_before() {
    #[invalidates(keys = ["user:{id}"])]
    #[updates(key = "name:{id}", ttl = "5m")]
    fn rename(id: u64) -> String {
        assert_eq!(id, 0, "after the write");
        String::new()
    }

    let cache = filled(&["user:7", "name:7"]);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scope(&cache, || rename(7))));
    assert!(panicked.is_err());
    assert_eq!((has(&cache, "user:7"), has(&cache, "name:7")), (false, false));
}

#[tokio::test]
async fn a_future_dropped_after_the_write_forgets_what_was_named_before() {
    #[invalidates(keys = ["user:{id}"])]
    async fn rename(id: u64) {
        let _ = id;
        std::future::pending::<()>().await;
    }

    let cache = filled(&["user:7"]);
    let call = scope_async(&cache, rename(7));
    assert!(tokio::time::timeout(Duration::from_millis(1), call).await.is_err());
    assert!(!has(&cache, "user:7"));
}

/// Whatever else writes its key while an update is under way, its value may be the older one.
#[test]
fn an_update_that_was_overtaken_is_not_stored() {
    #[updates(key = "user:{id}", ttl = "5m", tags = ["users"])]
    fn save(id: u64, meanwhile: impl FnOnce()) -> User {
        meanwhile();
        User { id }
    }
    #[updates(key = "user:{ret.id}", ttl = "5m")]
    fn create(id: u64, meanwhile: impl FnOnce()) -> User {
        meanwhile();
        User { id }
    }

    let cache = Larder::memory(100);
    let stored = || cache.get::<User>("user:7").wait().unwrap().is_some();
    scope(&cache, || {
        save(7, || ());
        assert!(stored());
        let changes: [(&str, &dyn Fn(), bool); 7] = [
            ("its key", &|| cache.invalidate(&key!("user:{}", 7)).wait().unwrap(), false),
            ("its pattern", &|| cache.invalidate_pattern("us*").wait().unwrap(), false),
            ("all", &|| cache.clear().wait().unwrap(), false),
            ("another update of it", &|| assert_eq!(save(7, || ()).id, 7), false),
            ("another value", &|| cache.set("user:7", User { id: 0 }, ttl::DAY).wait().unwrap(), false),
            ("another key", &|| cache.invalidate("user:8").wait().unwrap(), true),
            ("another tag", &|| cache.invalidate_tag("others").wait().unwrap(), true),
        ];
        for (what, change, kept) in changes {
            save(7, change);
            assert_eq!(stored(), kept, "save, and meanwhile: {what}");
            create(7, change);
            assert_eq!(stored(), kept, "create, and meanwhile: {what}");
        }
        save(7, || cache.invalidate_tag("users").wait().unwrap());
        assert!(!stored(), "its tag");
    });
}

#[test]
fn a_load_that_read_before_the_update_is_not_stored_over_it() {
    #[updates(key = "user:7", ttl = "5m")]
    fn save(id: u64) -> User {
        User { id }
    }

    let cache = Larder::memory(100);
    let seen = cache.get_or_compute("user:7", ttl::DAY, || {
        let old = User { id: 1 };
        scope(&cache, || save(2));
        old
    });
    assert_eq!(seen.id, 1, "its caller had asked before");
    assert_eq!(cache.get::<User>("user:7").wait().unwrap().as_deref(), Some(&User { id: 2 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_can_be_spawned() {
    #[updates(key = "user:{id}", ttl = "5m")]
    #[invalidates(tags = ["users"])]
    async fn save(id: u64, name: &str) -> Result<User, std::io::Error> {
        tokio::task::yield_now().await;
        let _ = name;
        Ok(User { id })
    }

    let cache = Larder::memory(100);
    let own = cache.clone();
    tokio::spawn(async move { scope_async(&own, save(7, "x")).await }).await.unwrap().unwrap();
    assert!(has(&cache, "user:7"));
}
