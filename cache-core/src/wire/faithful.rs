//! A serializer around another that refuses what would not come back as it went: fields left out, where a codec without
//! names would read the next one in their place, and floats that `json` has no word for.

use std::cell::RefCell;

use serde::ser::{self, Error, Serialize, Serializer};

use super::shape::Counts;

const NO_NUMBER: &str = "`json` has no word for a float that is infinite, or not a number: use another codec";

/// What holds for one value.
pub(super) struct Rules<'c> {
    /// How many fields the type asks for when it is read.
    counts: &'c Counts,
    /// Why it was refused; codecs may forget.
    pub(super) why: RefCell<Option<String>>,
}

impl<'c> Rules<'c> {
    pub(super) fn new(counts: &'c Counts) -> Self {
        Self { counts, why: RefCell::default() }
    }

    #[cold]
    fn refuse<E: Error>(&self, why: String) -> E {
        let error = E::custom(&why);
        self.why.replace(Some(why));
        error
    }
}

/// Something of a serializer's, or a value on its way into one.
pub(super) struct Faithful<'c, I> {
    inner: I,
    rules: &'c Rules<'c>,
}

/// `value`, to be serialised through [`Faithful`].
pub(super) fn faithful<'c, T: Serialize + ?Sized>(value: &'c T, rules: &'c Rules<'c>) -> impl Serialize + 'c {
    Faithful { inner: value, rules }
}

impl<T: Serialize + ?Sized> Serialize for Faithful<'_, &T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        self.inner.serialize(Faithful { inner, rules: self.rules })
    }
}

impl<'c, S: Serializer> Faithful<'c, S> {
    /// Whether as many fields are written as are read; where there are names, a reader sees for itself.
    fn check(&self, name: &str, variant: &str, len: usize) -> Result<(), S::Error> {
        if self.inner.is_human_readable() || self.rules.counts.fit(name, variant, len) {
            return Ok(());
        }
        Err(self.rules.refuse(format!(
            "`{name}` is written with {len} fields, and read with more or fewer (`skip_serializing` or `skip_serializing_if`): use \
             the codec `json`, or take the attribute away"
        )))
    }

    fn float(&self, is_finite: bool) -> Result<(), S::Error> {
        if is_finite || !self.inner.is_human_readable() {
            return Ok(());
        }
        Err(self.rules.refuse(NO_NUMBER.to_owned()))
    }
}

/// Forwards plain values.
macro_rules! plain {
    ($($word:ident($($argument:ident: $ty:ty),*);)*) => {
        $(fn $word(self, $($argument: $ty),*) -> Result<S::Ok, S::Error> {
            self.inner.$word($($argument),*)
        })*
    };
}

impl<'c, S: Serializer> Serializer for Faithful<'c, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Faithful<'c, S::SerializeSeq>;
    type SerializeTuple = Faithful<'c, S::SerializeTuple>;
    type SerializeTupleStruct = Faithful<'c, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Faithful<'c, S::SerializeTupleVariant>;
    type SerializeMap = Faithful<'c, S::SerializeMap>;
    type SerializeStruct = Fields<'c, S::SerializeStruct>;
    type SerializeStructVariant = Fields<'c, S::SerializeStructVariant>;

    plain! {
        serialize_bool(v: bool);
        serialize_i8(v: i8);
        serialize_i16(v: i16);
        serialize_i32(v: i32);
        serialize_i64(v: i64);
        serialize_i128(v: i128);
        serialize_u8(v: u8);
        serialize_u16(v: u16);
        serialize_u32(v: u32);
        serialize_u64(v: u64);
        serialize_u128(v: u128);
        serialize_char(v: char);
        serialize_str(v: &str);
        serialize_bytes(v: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    fn serialize_f32(self, v: f32) -> Result<S::Ok, S::Error> {
        self.float(v.is_finite())?;
        self.inner.serialize_f32(v)
    }

    fn serialize_f64(self, v: f64) -> Result<S::Ok, S::Error> {
        self.float(v.is_finite())?;
        self.inner.serialize_f64(v)
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, inner: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&Faithful { inner, rules: self.rules })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        inner: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_struct(name, &Faithful { inner, rules: self.rules })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        inner: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_variant(name, index, variant, &Faithful { inner, rules: self.rules })
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let rules = self.rules;
        Ok(Faithful { inner: self.inner.serialize_seq(len)?, rules })
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let rules = self.rules;
        Ok(Faithful { inner: self.inner.serialize_tuple(len)?, rules })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let rules = self.rules;
        Ok(Faithful { inner: self.inner.serialize_map(len)?, rules })
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.check(name, "", len)?;
        let rules = self.rules;
        Ok(Faithful { inner: self.inner.serialize_tuple_struct(name, len)?, rules })
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.check(name, variant, len)?;
        let rules = self.rules;
        Ok(Faithful { inner: self.inner.serialize_tuple_variant(name, index, variant, len)?, rules })
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.check(name, "", len)?;
        let (rules, named) = (self.rules, self.inner.is_human_readable());
        Ok(Fields { inner: self.inner.serialize_struct(name, len)?, rules, named })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.check(name, variant, len)?;
        let (rules, named) = (self.rules, self.inner.is_human_readable());
        let inner = self.inner.serialize_struct_variant(name, index, variant, len)?;
        Ok(Fields { inner, rules, named })
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// The parts of what has no names for them.
macro_rules! parts {
    ($($part:ident::$word:ident;)*) => {
        $(impl<S: ser::$part> ser::$part for Faithful<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $word<T: Serialize + ?Sized>(&mut self, inner: &T) -> Result<(), S::Error> {
                self.inner.$word(&Faithful { inner, rules: self.rules })
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        })*
    };
}

parts! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

impl<S: ser::SerializeMap> ser::SerializeMap for Faithful<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, inner: &T) -> Result<(), S::Error> {
        self.inner.serialize_key(&Faithful { inner, rules: self.rules })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, inner: &T) -> Result<(), S::Error> {
        self.inner.serialize_value(&Faithful { inner, rules: self.rules })
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}

/// The fields of a struct, of which none may be missing where they have no names.
pub(super) struct Fields<'c, I> {
    inner: I,
    rules: &'c Rules<'c>,
    named: bool,
}

macro_rules! fields {
    ($($part:ident;)*) => {
        $(impl<S: ser::$part> ser::$part for Fields<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                inner: &T,
            ) -> Result<(), S::Error> {
                self.inner.serialize_field(name, &Faithful { inner, rules: self.rules })
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), S::Error> {
                if self.named {
                    return self.inner.skip_field(name);
                }
                Err(self.rules.refuse(format!(
                    "the field `{name}` is left out (`skip_serializing_if`), which this codec cannot tell: use the \
                     codec `json`, or take the attribute away"
                )))
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        })*
    };
}

fields! {
    SerializeStruct;
    SerializeStructVariant;
}
