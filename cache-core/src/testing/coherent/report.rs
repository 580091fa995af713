//! What a check tells its user.

use std::fmt;

/// A program that has shown what it should have forgotten: [`Coherence::try_run`](super::Coherence::try_run)
/// finds it, and its `Display` tells all about it.
pub struct Incoherence {
    pub(super) reader: String,
    pub(super) read: String,
    pub(super) writer: Option<String>,
    pub(super) written: Option<String>,
    pub(super) shown: String,
    pub(super) truth: String,
    pub(super) keys: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) struck: Vec<String>,
    pub(super) cause: Cause,
    /// The writer does what would do, in another cache than the one that the reader uses.
    pub(super) elsewhere: bool,
    pub(super) steps: Vec<String>,
    pub(super) seed: u64,
}

/// Why a read was stale.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// No invalidation of the writer covers what the reader has cached.
    Missing,
    /// The writer invalidates before it writes: what is loaded in between stays.
    TooEarly,
    /// The reader stores with a plain `set` what it had read before the writer wrote.
    Unfenced,
    /// What was invalidated was served or stored all the same: the backend breaks its contract.
    Backend,
    /// The reader was given a value that others were loading, or one that it keeps outside the cache.
    Shared,
    /// The program uses no cache that was built in `world`, so there is nothing more to say.
    Unwatched,
    /// It did not happen again: the program does something that its seed does not decide.
    Fleeting,
}

impl Incoherence {
    /// The reader that was stale.
    pub fn reader(&self) -> &str {
        &self.reader
    }

    /// The writer after which it was stale, if that could be told.
    pub fn writer(&self) -> Option<&str> {
        self.writer.as_deref()
    }

    /// The keys whose entries made it stale.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Why.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// How it came about: the shortest way that was found.
    pub fn steps(&self) -> &[String] {
        &self.steps
    }

    /// What to give to [`seed`](super::Coherence::seed) to find it again in the first run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    fn verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (read, written) = (&self.read, self.written.as_deref().unwrap_or("no writer"));
        let keys = self.keys.join("\", \"");
        match self.cause {
            Cause::Missing if self.elsewhere => write!(
                f,
                "`{written}` invalidates what `{read}` caches under key \"{keys}\", but in another cache: does it \
                 need `cache = ...`, the same as the reader's?"
            ),
            Cause::Missing => write!(
                f,
                "no invalidation of `{written}` covers what `{read}` caches: add one for key \"{keys}\"{}",
                Tags(&self.tags)
            ),
            Cause::TooEarly => write!(
                f,
                "`{written}` invalidates key \"{keys}\" before its write is done, and what is loaded in between \
                 stays: invalidate when it has committed"
            ),
            Cause::Unfenced => write!(
                f,
                "`{written}` invalidates key \"{keys}\", but `{read}` stores with `set` what it had read before: \
                 load it with `get_or_load`, whose fence sees to that"
            ),
            Cause::Backend => write!(
                f,
                "`{written}` invalidates key \"{keys}\", but the backend served or stored it all the same: run \
                 `testing::conformance` over the backend"
            ),
            Cause::Shared => write!(
                f,
                "no entry of the cache is stale: `{read}` was given a load that had begun before `{written}` was \
                 over, or keeps the value elsewhere"
            ),
            Cause::Unwatched => {
                write!(
                    f,
                    "`world` has built no cache, so no key can be named: build the program's cache there"
                )
            }
            Cause::Fleeting => write!(
                f,
                "it did not happen again with the same seed: something in the program (time, threads, randomness) \
                 is not decided by the check"
            ),
        }
    }
}

struct Tags<'t>(&'t [String]);

impl fmt::Display for Tags<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => Ok(()),
            tags => write!(f, ", or for tag \"{}\"", tags.join("\", \"")),
        }
    }
}

impl fmt::Display for Incoherence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reader `{}` is stale", self.read)?;
        if let Some(written) = &self.written {
            write!(f, " after writer `{written}` had returned")?;
        }
        write!(f, "\n  it returned   {}\n  the truth is  {}\n  ", self.shown, self.truth)?;
        self.verdict(f)?;
        if let Some(written) = self.written.as_ref().filter(|_| self.cause != Cause::Unwatched) {
            let nothing = if self.struck.is_empty() { "nothing" } else { "" };
            write!(f, "\n  `{written}` invalidates {nothing}{}", self.struck.join(", "))?;
        }
        f.write_str("\n  how it came about:")?;
        for (number, step) in self.steps.iter().enumerate() {
            write!(f, "\n    {}. {step}", number + 1)?;
        }
        write!(f, "\n  again: `.seed({}).runs(1)`", self.seed)
    }
}

/// As `Display`: it is what `unwrap` shows in a test.
impl fmt::Debug for Incoherence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for Incoherence {}
