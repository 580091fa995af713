//! Whether a value of any serialisable type says "there is none": whether it serialises as `None`.

use std::fmt::{self, Display};

use serde::ser::{Error, Impossible, Serialize, Serializer};

/// Asks `value` to serialise itself, and stops it at its first word.
pub(crate) fn is_none<T: Serialize>(value: &T) -> bool {
    value.serialize(FirstWord).is_ok()
}

/// Succeeds with `None` alone.
struct FirstWord;

#[derive(Debug)]
struct NotNone;

impl Display for NotNone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is not `None`")
    }
}

impl std::error::Error for NotNone {}

impl Error for NotNone {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

/// The words that are not `None`: each with the types of its arguments.
macro_rules! refuse {
    ($($word:ident($($argument:ty),*) $(-> $output:ty)?;)*) => {
        $(fn $word(self, $(_: $argument),*) -> Result<refuse!(@output $($output)?), NotNone> {
            Err(NotNone)
        })*
    };
    (@output) => { () };
    (@output $output:ty) => { $output };
}

impl Serializer for FirstWord {
    type Ok = ();
    type Error = NotNone;
    type SerializeSeq = Impossible<(), NotNone>;
    type SerializeTuple = Impossible<(), NotNone>;
    type SerializeTupleStruct = Impossible<(), NotNone>;
    type SerializeTupleVariant = Impossible<(), NotNone>;
    type SerializeMap = Impossible<(), NotNone>;
    type SerializeStruct = Impossible<(), NotNone>;
    type SerializeStructVariant = Impossible<(), NotNone>;

    fn serialize_none(self) -> Result<(), NotNone> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), NotNone> {
        Err(NotNone)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Result<(), NotNone> {
        Err(NotNone)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), NotNone> {
        Err(NotNone)
    }

    refuse! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_none_and_nothing_else_is() {
        assert!(is_none(&None::<u8>));
        assert!(is_none(&Box::new(None::<String>)));
        assert!(!is_none(&Some(1_u8)));
        assert!(!is_none(&Some(None::<u8>)));
        assert!(!is_none(&()));
        assert!(!is_none(&String::new()));
        assert!(!is_none(&Vec::<u8>::new()));
        assert!(!is_none(&Err::<u8, _>("none")));
    }
}
