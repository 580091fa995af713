//! `check_coherent` over a small program: nothing to say where all is right, and the right name where something
//! is missing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_core::testing::{Cause, Coherence, Incoherence, Plain, check_coherent, pause};
use cache_core::{
    Cache, Engine, Entry, Fence, Kind, Lifetime, Policy, Reply, Set, Stored, Strength, Target, Usage, Value,
};

/// How a program forgets, or fails to.
#[derive(Clone, Copy, PartialEq)]
enum Forget {
    Key,
    Tag,
    Pattern,
    BeforeTheWrite,
    Nothing,
}

struct School {
    cache: Engine,
    courses: Mutex<[u32; 2]>,
}

fn policy(student: u64) -> Policy {
    Policy::ttl(Duration::from_secs(60)).tags([format!("student:{student}")])
}

fn key(student: u64) -> String {
    format!("student:{student}:dashboard")
}

impl School {
    fn new(backend: impl Cache) -> Self {
        Self { cache: Engine::new(backend), courses: Mutex::default() }
    }

    fn courses(&self, student: u64) -> u32 {
        self.courses.lock().expect("not poisoned")[student as usize]
    }

    fn write(&self, student: u64) {
        self.courses.lock().expect("not poisoned")[student as usize] += 1;
    }

    fn forget(&self, student: u64, how: Forget) -> Reply<'_, ()> {
        match how {
            Forget::Key => self.cache.invalidate(key(student)),
            Forget::Tag => self.cache.invalidate_tag(format!("student:{student}")),
            Forget::Pattern => self.cache.invalidate_pattern(format!("student:{student}:*")),
            _ => Reply::ready(()),
        }
    }

    async fn dashboard(self: Arc<Self>, student: u64) -> Arc<u32> {
        let school = self.clone();
        self.cache.get_or_load(key(student), policy(student), || async move { school.courses(student) }).await
    }

    async fn enrol(self: Arc<Self>, student: u64, how: Forget) {
        if how == Forget::BeforeTheWrite {
            self.forget(student, Forget::Key).await.expect("invalidated");
        }
        self.write(student);
        pause().await;
        self.forget(student, how).await.expect("invalidated");
    }
}

fn program(how: Forget) -> Coherence<School> {
    check_coherent(|| School::new(Plain::default()))
        .reader("dashboard", School::dashboard, |school, student| async move { school.courses(student) })
        .writer("enrol", move |school, student| school.enrol(student, how))
}

fn blocking(how: Forget) -> Coherence<School> {
    check_coherent(|| School::new(Plain::default()))
        .blocking_reader(
            "dashboard",
            |school, student| {
                school
                    .cache
                    .get_or_compute(key(student), policy(student).in_caller(), || school.courses(student))
            },
            School::courses,
        )
        .blocking_writer("enrol", move |school, student| {
            school.write(student);
            pause().wait();
            school.forget(student, how).wait().expect("invalidated");
        })
}

fn named(found: &Incoherence, cause: Cause) {
    assert_eq!(
        (found.reader(), found.writer(), found.cause()),
        ("dashboard", Some("enrol"), cause),
        "{found}"
    );
    assert!(found.keys().iter().all(|key| key.ends_with(":dashboard")) && found.keys().len() == 1, "{found}");
    assert!(found.steps().len() <= 5, "{found}");
}

#[test]
fn every_right_program_passes_thousands_of_interleavings() {
    for how in [Forget::Key, Forget::Tag, Forget::Pattern] {
        program(how).runs(3000).run();
    }
}

#[test]
fn a_missing_invalidation_is_named() {
    let found = program(Forget::Nothing).try_run().expect_err("nothing is invalidated");
    named(&found, Cause::Missing);
    assert!(found.to_string().contains("add one for key \"student:"), "{found}");
    assert!(found.steps().len() <= 4, "{found}");
    let again = program(Forget::Nothing).seed(found.seed()).runs(1).try_run().expect_err("the same again");
    assert_eq!(again.to_string(), found.to_string());
}

#[test]
fn an_invalidation_in_another_cache_is_told_as_such() {
    struct Two {
        school: Arc<School>,
        other: Engine,
    }
    let world =
        || Two { school: Arc::new(School::new(Plain::default())), other: Engine::new(Plain::default()) };
    let program = |how: Forget| {
        check_coherent(world)
            .reader(
                "dashboard",
                |two, student| two.school.clone().dashboard(student),
                |two, student| async move { two.school.courses(student) },
            )
            .writer("enrol", move |two, student| async move {
                two.school.write(student);
                match how {
                    Forget::Key => two.other.invalidate(key(student)).await,
                    _ => two.other.invalidate("something else").await,
                }
                .expect("invalidated");
            })
    };
    let found = program(Forget::Key).try_run().expect_err("the wrong cache");
    named(&found, Cause::Missing);
    let said = found.to_string();
    assert!(said.contains("but in another cache: does it need `cache = ...`"), "{said}");
    assert!(!said.contains("no invalidation"), "{said}");
    let found = program(Forget::Nothing).try_run().expect_err("nothing covers it");
    assert!(found.to_string().contains("no invalidation of `enrol("), "{found}");
}

#[test]
fn an_invalidation_before_the_write_is_too_early() {
    named(&program(Forget::BeforeTheWrite).try_run().expect_err("too early"), Cause::TooEarly);
}

#[test]
fn blocking_programs_are_checked_too() {
    blocking(Forget::Tag).runs(300).run();
    named(&blocking(Forget::Nothing).try_run().expect_err("nothing is invalidated"), Cause::Missing);
}

/// A backend that stores late loads all the same.
struct Unfenced(Plain);

impl Cache for Unfenced {
    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.0.get(key, kind)
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.0.ttl(key)
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        self.0.set(key, value, Set { fence: None, ..options })
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.0.delete(key)
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        self.0.invalidate(target, strength)
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        self.0.expire(key, ttl)
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        self.0.incr(key, delta, lifetime)
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        self.0.fence(key)
    }

    fn usage(&self) -> Usage {
        self.0.usage()
    }
}

#[test]
fn a_backend_that_ignores_fences_is_found_out() {
    let found = check_coherent(|| School::new(Unfenced(Plain::default())))
        .reader("dashboard", School::dashboard, |school, student| async move { school.courses(student) })
        .writer("enrol", |school, student| school.enrol(student, Forget::Tag))
        .try_run()
        .expect_err("a late load is stored");
    named(&found, Cause::Backend);
}

#[test]
#[should_panic(expected = "as the test wants")]
fn a_panic_of_the_program_is_reported() {
    check_coherent(|| ())
        .reader("reader", |_, _| async { 1 }, |_, _| async { 1 })
        .writer("writer", |_, _| async { panic!("as the test wants") })
        .run();
}

/// Three pages, forgotten by key, tag and pattern; each left out in turn is the one that is named.
#[test]
fn of_three_invalidations_the_one_left_out_is_named() {
    async fn page(school: Arc<School>, name: &'static str) -> Arc<u32> {
        let policy = Policy::ttl(Duration::from_secs(60)).tags([format!("tag:{name}")]);
        let source = school.clone();
        school.cache.get_or_load(format!("{name}:0"), policy, || async move { source.courses(0) }).await
    }
    for left_out in ["key", "tag", "pattern"] {
        let mut check = check_coherent(|| School::new(Plain::default()));
        for name in ["key", "tag", "pattern"] {
            check = check.reader(name, move |s, _| page(s, name), |s, _| async move { s.courses(0) });
        }
        let found = check
            .writer("write", move |school, _| async move {
                school.write(0);
                if left_out != "key" {
                    school.cache.invalidate("key:0").await.expect("invalidated");
                }
                if left_out != "tag" {
                    school.cache.invalidate_tag("tag:tag").await.expect("invalidated");
                }
                if left_out != "pattern" {
                    school.cache.invalidate_pattern("pattern:*").await.expect("invalidated");
                }
            })
            .try_run()
            .expect_err("one is left out");
        assert_eq!((found.reader(), found.cause()), (left_out, Cause::Missing), "{found}");
        assert_eq!(found.keys(), [format!("{left_out}:0")]);
        assert!(found.steps().len() <= 4, "{found}");
    }
}
