//! What an envelope says of a type, found out once for each type.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use parking_lot::RwLock;
use sha2::{Digest, Sha256};

use super::Codec;
use super::shape::{Counts, Trace};
use crate::error::{Error, ErrorKind, Result};

/// A type as envelopes know it.
pub(super) struct Described {
    /// Its own name.
    type_name: &'static str,
    /// That name, cut to what an envelope has room for.
    name: Box<str>,
    trace: fn(bool) -> Trace,
    /// As `postcard` and `bincode` see the type, and as `json` does: some types look otherwise to people.
    traces: [OnceLock<Trace>; 2],
}

/// The length of the longest name in an envelope.
const LONGEST: usize = 255;

impl Described {
    /// The description of a type, which is made when it is first asked for, and kept: there are as many as there are
    /// types in the program.
    pub(super) fn of(id: TypeId, type_name: &'static str, trace: fn(bool) -> Trace) -> &'static Self {
        static KNOWN: LazyLock<RwLock<HashMap<TypeId, &'static Described>>> = LazyLock::new(RwLock::default);
        if let Some(known) = KNOWN.read().get(&id) {
            return known;
        }
        KNOWN.write().entry(id).or_insert_with(|| {
            let name = short(type_name).into();
            Box::leak(Box::new(Self { type_name, name, trace, traces: Default::default() }))
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn traced(&self, codec: Codec) -> &Trace {
        let human = codec.describes_itself();
        self.traces[usize::from(human)].get_or_init(|| (self.trace)(human))
    }

    /// The hash of its structure, as far as it can be seen.
    pub(super) fn shape(&self, codec: Codec) -> u64 {
        self.traced(codec).hash
    }

    /// With how many fields its parts are read.
    pub(super) fn counts(&self, codec: Codec) -> &Counts {
        &self.traced(codec).counts
    }

    /// Whether the codec gives back what it was given, also when the type has changed meanwhile.
    ///
    /// # Errors
    /// `Codec`: it does not, and what to do.
    pub(super) fn check(&self, codec: Codec, version: u32) -> Result<()> {
        let trace = self.traced(codec);
        if codec.describes_itself() {
            if trace.hazards.nulls {
                return Err(self
                    .unfit(codec, "`None` and `Some` of nothing are both `null` in it; use another codec"));
            }
            return Ok(());
        }
        if let Some(what) = trace.asks {
            let why =
                format!("its `Deserialize` asks {what}, which this codec does not say; use the codec `json`");
            return Err(self.unfit(codec, &why));
        }
        if trace.hazards.nothings {
            return Err(self.unfit(
                codec,
                "it has a sequence of nothings, which could be without end; use the codec `json`",
            ));
        }
        match &trace.gap {
            Some(gap) if version == 0 => {
                let why = format!(
                    "its structure cannot be traced, so that a change of the type would go unnoticed ({gap}); give the \
                     policy a `version`, to be raised with each change, or use the codec `json`"
                );
                Err(self.unfit(codec, &why))
            }
            _ => Ok(()),
        }
    }

    #[cold]
    fn unfit(&self, codec: Codec, why: &str) -> Error {
        let name = self.type_name;
        Error::new(ErrorKind::Codec, format!("the codec {codec:?} is not for a `{name}`: {why}"))
    }
}

/// A name of at most 255 bytes: of a longer one the beginning, `#` and 128 bits of SHA-256 of all of it.
fn short(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let hash = Sha256::digest(name.as_bytes());
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let end = name.floor_char_boundary(LONGEST - 1 - hex.len());
    format!("{}#{hex}", &name[..end])
}
