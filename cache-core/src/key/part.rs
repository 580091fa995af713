//! What can be an argument of a key.

use super::KeyBuilder;

/// An argument of [`key!`](crate::key!): written into the key so that different values never look the same.
///
/// Implemented for integers, `bool`, `char`, strings, references, `Option`, and slices, arrays and tuples of such.
/// For a type of your own, write its text through [`KeyBuilder::escaped`]:
///
/// ```
/// use larder::{KeyBuilder, KeyPart, key};
///
/// struct Isbn(String);
/// impl KeyPart for Isbn {
///     fn write_to(&self, key: &mut KeyBuilder) {
///         key.escaped(&self.0);
///     }
/// }
/// assert_eq!(key!("book:{}", Isbn("978:3".into())), "book:978%3A3");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a key",
    note = "integers, bool, char, strings, and options, slices and tuples of them can; for a type of your own implement `KeyPart`"
)]
pub trait KeyPart {
    /// Writes the escaped form of this value. Different values of one type must write different text.
    fn write_to(&self, key: &mut KeyBuilder);
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl KeyPart for $integer {
            #[inline]
            fn write_to(&self, key: &mut KeyBuilder) {
                key.text(itoa::Buffer::new().format(*self));
            }
        }
    )*};
}

integers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

impl KeyPart for str {
    #[inline]
    fn write_to(&self, key: &mut KeyBuilder) {
        key.escaped(self);
    }
}

impl KeyPart for String {
    #[inline]
    fn write_to(&self, key: &mut KeyBuilder) {
        key.escaped(self);
    }
}

impl KeyPart for super::Key {
    fn write_to(&self, key: &mut KeyBuilder) {
        key.escaped(self);
    }
}

impl KeyPart for bool {
    fn write_to(&self, key: &mut KeyBuilder) {
        key.text(if *self { "true" } else { "false" });
    }
}

impl KeyPart for char {
    fn write_to(&self, key: &mut KeyBuilder) {
        key.escaped(self.encode_utf8(&mut [0; 4]));
    }
}

impl<P: KeyPart + ?Sized> KeyPart for &P {
    #[inline]
    fn write_to(&self, key: &mut KeyBuilder) {
        (**self).write_to(key);
    }
}

impl<P: KeyPart + ?Sized> KeyPart for std::sync::Arc<P> {
    fn write_to(&self, key: &mut KeyBuilder) {
        (**self).write_to(key);
    }
}

impl<P: KeyPart + ?Sized> KeyPart for Box<P> {
    fn write_to(&self, key: &mut KeyBuilder) {
        (**self).write_to(key);
    }
}

impl<P: KeyPart + ToOwned + ?Sized> KeyPart for std::borrow::Cow<'_, P> {
    fn write_to(&self, key: &mut KeyBuilder) {
        (**self).write_to(key);
    }
}

/// `%-` for nothing and `%=` before something: no escaped text holds either, so `Some("")` differs from `None`,
/// also where options are nested.
impl<P: KeyPart> KeyPart for Option<P> {
    fn write_to(&self, key: &mut KeyBuilder) {
        match self {
            None => key.text("%-"),
            Some(part) => {
                key.text("%=");
                part.write_to(key);
            }
        }
    }
}

/// Each element is closed by `%;`, which no escaped text holds, so nested and empty ones differ too.
fn write_all<'p, P: KeyPart + 'p>(parts: impl IntoIterator<Item = &'p P>, key: &mut KeyBuilder) {
    key.text("%(");
    for part in parts {
        part.write_to(key);
        key.text("%;");
    }
    key.text("%)");
}

impl<P: KeyPart> KeyPart for [P] {
    fn write_to(&self, key: &mut KeyBuilder) {
        write_all(self, key);
    }
}

impl<P: KeyPart> KeyPart for Vec<P> {
    fn write_to(&self, key: &mut KeyBuilder) {
        write_all(self, key);
    }
}

impl<P: KeyPart, const N: usize> KeyPart for [P; N] {
    fn write_to(&self, key: &mut KeyBuilder) {
        write_all(self, key);
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+))*) => {$(
        impl<$($name: KeyPart),+> KeyPart for ($($name,)+) {
            fn write_to(&self, key: &mut KeyBuilder) {
                key.text("%(");
                $(self.$index.write_to(key); key.text("%;");)+
                key.text("%)");
            }
        }
    )*};
}

tuples! { (A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) }

#[cfg(test)]
mod tests {
    use crate::key;

    #[test]
    fn different_values_write_different_text() {
        let keys = [
            key!("{}", None::<&str>),
            key!("{}", Some("")),
            key!("{}", Some("-")),
            key!("{}", "%-"),
            key!("{}", &[] as &[&str]),
            key!("{}", [""]),
            key!("{}", ["", ""]),
            key!("{}", ["a", "b"]),
            key!("{}", [["a"], ["b"]]),
            key!("{}", [["a", "b"]]),
            key!("{}", ("a", 1)),
            key!("{}", ("a", "1:")),
        ];
        for (i, a) in keys.iter().enumerate() {
            assert!(keys[i + 1..].iter().all(|b| a != b), "{a} is there twice");
        }
    }
}
