//! Random interleavings of a program's cached readers and its writers, against the uncached truth.

mod baton;
mod diagnose;
mod here;
mod part;
mod pause;
mod plan;
mod report;
mod run;
mod stage;
mod watched;

use std::borrow::Borrow;
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;

use part::{Part, blocking, polled};
use plan::Plan;
use report::Cause as Why;
use run::{Outcome, Run, Stale};
use stage::Broken;

pub(crate) use here::{adopt, stand_aside};
pub use pause::{Pause, pause};
pub use report::{Cause, Incoherence};
pub(crate) use watched::watched;

/// Finds the invalidation that a program forgets: runs its cached readers and its writers in random
/// interleavings, with loads held in flight across writes, and compares what is read with the truth.
///
/// `world` makes a program from nothing, its database and its cache, once for each run. The cache must be built in
/// it (by whatever constructor): it is then watched, and its operations are places at which a reader or a writer
/// can be held while others go on. Nothing in the program changes; see [`pause`] for more such places.
///
/// A reader that starts when a writer has returned must show the truth. One that a writer overlaps may show what
/// was before or after it, so it is not judged; but what it leaves in the cache is, by later reads.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use std::time::Duration;
/// use larder::{Engine, testing::{Plain, check_coherent}};
///
/// struct School { cache: Engine, enrolled: Mutex<Vec<u32>> }
///
/// async fn dashboard(school: &School, student: u64) -> Arc<u32> {
///     let key = format!("student:{student}:dashboard");
///     let load = || async { school.enrolled.lock().unwrap()[student as usize] };
///     school.cache.get_or_load(key, Duration::from_secs(60), load).await
/// }
///
/// async fn enrol(school: &School, student: u64) {
///     school.enrolled.lock().unwrap()[student as usize] += 1;
///     // and forgets to invalidate
/// }
///
/// let found = check_coherent(|| School { cache: Engine::new(Plain::default()), enrolled: vec![0; 2].into() })
///     .reader(
///         "dashboard",
///         |school, student| async move { dashboard(&school, student).await },
///         |school, student| async move { school.enrolled.lock().unwrap()[student as usize] },
///     )
///     .writer("enrol", |school, student| async move { enrol(&school, student).await })
///     .try_run()
///     .expect_err("it forgets to invalidate");
/// assert_eq!((found.reader(), found.writer()), ("dashboard", Some("enrol")));
/// assert_eq!(found.keys(), ["student:0:dashboard"]);
/// ```
///
/// # What it does not see
/// The cache's clock is the one that `world` gives it: give it a manual one, and let a "writer" turn it. Work on
/// other threads or tasks than the readers' own runs when it likes. `#[cached]` functions use the global cache,
/// which is not of one run: let readers and writers run in `larder::scope` or `scope_async`. A run makes eight calls at
/// most, and one in ten is a writer and a reader by turns, eight times each: so an omission that shows only after more is
/// not found. Neither is what needs a runtime that is not there: enter yours before (`runtime.enter()`).
pub fn check_coherent<W: 'static>(world: impl Fn() -> W + 'static) -> Coherence<W> {
    Coherence {
        world: Box::new(world),
        readers: Vec::new(),
        writers: Vec::new(),
        arguments: 2,
        runs: None,
        seed: 0x1A_4DE4,
    }
}

/// A program under check; made by [`check_coherent`], which says what it is.
#[must_use = "nothing is checked until `run`"]
pub struct Coherence<W> {
    world: Box<dyn Fn() -> W>,
    readers: Vec<Part<W>>,
    writers: Vec<Part<W>>,
    arguments: u64,
    runs: Option<u64>,
    seed: u64,
}

impl<W: 'static> Coherence<W> {
    /// A reader: what the program shows, through its cache, and what it should show, past the cache. Both are given
    /// the same number below [`arguments`](Coherence::arguments), such as a student's.
    ///
    /// `cached` may answer with an `Arc` of what `truth` answers with.
    pub fn reader<C, V, F, G>(
        mut self,
        name: &str,
        cached: impl Fn(Arc<W>, u64) -> F + 'static,
        truth: impl Fn(Arc<W>, u64) -> G + 'static,
    ) -> Self
    where
        C: Borrow<V> + 'static,
        V: PartialEq + Debug + 'static,
        F: Future<Output = C> + 'static,
        G: Future<Output = V> + 'static,
    {
        let (body, truth) = (polled::<W, C, V, F>(cached), polled::<W, V, V, G>(truth));
        self.readers.push(Part { name: name.into(), body, truth: Some(truth) });
        self
    }

    /// A writer: changes what is true, and invalidates what that makes old.
    pub fn writer<F>(mut self, name: &str, write: impl Fn(Arc<W>, u64) -> F + 'static) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        self.writers.push(Part { name: name.into(), body: polled::<W, (), (), F>(write), truth: None });
        self
    }

    /// A [`reader`](Coherence::reader) of synchronous code. It runs on a thread of its own, and only one of them at
    /// a time.
    pub fn blocking_reader<C, V>(
        mut self,
        name: &str,
        cached: impl Fn(&W, u64) -> C + Send + Sync + 'static,
        truth: impl Fn(&W, u64) -> V + Send + Sync + 'static,
    ) -> Self
    where
        W: Send + Sync,
        C: Borrow<V> + Send + 'static,
        V: PartialEq + Debug + Send + 'static,
    {
        let (body, truth) = (blocking::<W, C, V>(cached), blocking::<W, V, V>(truth));
        self.readers.push(Part { name: name.into(), body, truth: Some(truth) });
        self
    }

    /// A [`writer`](Coherence::writer) of synchronous code.
    pub fn blocking_writer(mut self, name: &str, write: impl Fn(&W, u64) + Send + Sync + 'static) -> Self
    where
        W: Send + Sync,
    {
        self.writers.push(Part { name: name.into(), body: blocking::<W, (), ()>(write), truth: None });
        self
    }

    /// How many different numbers readers and writers are given, from 0; 2 unless said otherwise. The fewer, the
    /// more often they meet.
    pub fn arguments(mut self, arguments: u64) -> Self {
        self.arguments = arguments.max(1);
        self
    }

    /// How many interleavings are tried: unless said otherwise 500, or 50 for each pair of a reader and a writer (of the
    /// same argument) where that is more.
    pub fn runs(mut self, runs: u64) -> Self {
        self.runs = Some(runs);
        self
    }

    /// Where the random choices begin: the same seed makes the same runs.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Runs the check.
    ///
    /// # Panics
    /// If something stale was read, with the report; if a reader or writer panics, or waits for ever.
    pub fn run(self) {
        if let Err(found) = self.try_run() {
            panic!("{found}");
        }
    }

    /// Runs the check.
    ///
    /// # Errors
    /// The first stale read, by the shortest way to it that was found.
    ///
    /// # Panics
    /// If a reader or writer panics, or waits for ever; if there is no reader, or no writer.
    pub fn try_run(self) -> Result<(), Box<Incoherence>> {
        let (readers, writers) = (self.readers.len(), self.writers.len());
        assert!(readers > 0 && writers > 0, "check_coherent wants a reader and a writer at least");
        let parts: Vec<Part<W>> = self.readers.into_iter().chain(self.writers).collect();
        let program = Program { parts, world: self.world };
        let pairs = readers as u64 * writers as u64;
        for run in 0..self.runs.unwrap_or(500.max(50 * pairs)) {
            let seed = self.seed.wrapping_add(run);
            let plan = Plan::random(seed, readers, writers, self.arguments);
            if let Some(stale) = program.play(&plan, seed) {
                return Err(Box::new(program.report(plan, stale, seed)));
            }
        }
        Ok(())
    }
}

struct Program<W> {
    parts: Vec<Part<W>>,
    world: Box<dyn Fn() -> W>,
}

/// How many smaller plans are tried.
const SHRINKING: usize = 2000;

impl<W: 'static> Program<W> {
    fn play(&self, plan: &Plan, seed: u64) -> Option<Stale> {
        match Run::new(&self.parts, &*self.world, false).play(plan) {
            Outcome::Coherent => None,
            Outcome::Stale(stale) => Some(stale),
            Outcome::Broken(broken) => self.give_up(&broken, plan, seed),
        }
    }

    fn give_up(&self, broken: &Broken, plan: &Plan, seed: u64) -> ! {
        let name = |call: &usize| match plan.calls.get(*call) {
            Some(of) => format!("`{}({})`", self.parts[of.part].name, of.argument),
            None => "a truth, or work in the background,".to_owned(),
        };
        match broken {
            Broken::Panicked(call, words) => {
                panic!("check_coherent, seed {seed}: {} panicked: {words}", name(call))
            }
            Broken::Stuck(calls) => {
                let names: Vec<String> = calls.iter().map(name).collect();
                panic!("check_coherent, seed {seed}: nothing goes on: {} wait for ever", names.join(", "))
            }
        }
    }

    /// Makes the plan smaller for as long as something stale is read, and explains the smallest.
    fn report(&self, mut plan: Plan, mut stale: Stale, seed: u64) -> Incoherence {
        let mut tries = SHRINKING;
        'smaller: loop {
            for smaller in plan.smaller() {
                let Some(left) = tries.checked_sub(1) else { break 'smaller };
                tries = left;
                if let Some(still) = self.play(&smaller, seed) {
                    (plan, stale) = (smaller, still);
                    continue 'smaller;
                }
            }
            break;
        }
        let explained = diagnose::explain(&self.parts, &*self.world, &plan, &stale);
        let mut found = explained.unwrap_or_else(|| self.unexplained(&stale));
        found.seed = seed;
        found
    }

    fn unexplained(&self, stale: &Stale) -> Incoherence {
        let name = &self.parts[stale.of.part].name;
        Incoherence {
            reader: name.to_string(),
            read: format!("{name}({})", stale.of.argument),
            writer: None,
            written: None,
            shown: stale.shown.text(),
            truth: stale.truth.text(),
            keys: Vec::new(),
            tags: Vec::new(),
            struck: Vec::new(),
            cause: Why::Fleeting,
            elsewhere: false,
            steps: Vec::new(),
            seed: 0,
        }
    }
}
