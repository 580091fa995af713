//! The codecs, and what each of them is called on the wire.

use crate::error::{Error, ErrorKind, Result};

/// How a value becomes bytes.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Codec {
    /// Compact and fast; the default.
    #[default]
    Postcard,
    /// Readable by other languages, and by people.
    #[cfg(feature = "json")]
    Json,
    /// bincode 2.0.1 in its standard configuration, which nobody maintains any more.
    #[cfg(feature = "bincode")]
    Bincode,
}

/// Each codec's number in an envelope, which is never given to another one, and its feature.
const NAMES: [(u8, &str); 3] = [(1, "postcard"), (2, "json"), (3, "bincode")];

impl Codec {
    const ALL: &[Self] = &[
        Self::Postcard,
        #[cfg(feature = "json")]
        Self::Json,
        #[cfg(feature = "bincode")]
        Self::Bincode,
    ];

    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Postcard => 1,
            #[cfg(feature = "json")]
            Self::Json => 2,
            #[cfg(feature = "bincode")]
            Self::Bincode => 3,
        }
    }

    pub(super) fn of_number(number: u8) -> Result<Self> {
        let here = Self::ALL.iter().find(|codec| codec.number() == number);
        here.copied().ok_or_else(|| {
            let message = match NAMES.iter().find(|(known, _)| *known == number) {
                Some((_, name)) => {
                    format!(
                        "an entry was written as {name}: turn larder's feature `{name}` on, or write one codec"
                    )
                }
                None => format!("an entry's codec, number {number}, is none that this program knows"),
            };
            Error::new(ErrorKind::Codec, message)
        })
    }

    /// Whether the bytes say of themselves what is a number, a text, a field.
    pub(super) fn describes_itself(self) -> bool {
        self.number() == 2
    }
}
