//! A key as a slot holds it: in place where it is short, so that a hit reads one cache line less.

/// The longest key in place; the whole takes 24 bytes.
const INLINE: usize = 22;

pub(crate) enum Name {
    Inline(u8, [u8; INLINE]),
    Heap(Box<[u8]>),
}

impl Default for Name {
    fn default() -> Self {
        Self::Inline(0, [0; INLINE])
    }
}

impl Name {
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut inline = [0; INLINE];
        match inline.get_mut(..key.len()) {
            Some(place) => {
                place.copy_from_slice(key);
                // No more than `INLINE`.
                Self::Inline(key.len() as u8, inline)
            }
            None => Self::Heap(key.into()),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Inline(len, bytes) => &bytes[..usize::from(*len)],
            Self::Heap(bytes) => bytes,
        }
    }

    #[inline]
    pub(crate) fn is(&self, key: &[u8]) -> bool {
        match self {
            Self::Inline(len, bytes) => {
                let len = usize::from(*len);
                len == key.len() && same(&bytes[..len], key)
            }
            Self::Heap(bytes) => **bytes == *key,
        }
    }
}

/// Equality of two slices of the same length, eight bytes at a time: a call to `memcmp` costs more than short keys.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    let (Some(last_a), Some(last_b)) = (a.last_chunk::<8>(), b.last_chunk::<8>()) else { return a == b };
    let word = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes);
    let (words_a, words_b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    word(last_a) == word(last_b) && words_a.iter().zip(words_b).all(|(a, b)| word(a) == word(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_themselves_only() {
        for len in [0, 1, 7, 8, 9, 15, 16, 22, 23, 100] {
            let key = vec![b'k'; len];
            let name = Name::new(&key);
            assert!(name.is(&key) && name.as_bytes() == key);
            for at in 0..len {
                let mut other = key.clone();
                other[at] = b'x';
                assert!(!name.is(&other));
            }
            assert!(!name.is(&[&key[..], b"k"].concat()));
        }
        assert_eq!(size_of::<Name>(), 24);
    }
}
