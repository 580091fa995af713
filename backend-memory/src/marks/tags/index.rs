//! The marks of one part of the tags, by hash.
//!
//! Who invalidates a tag of many has used neither its mark nor the way to it for long, so each cache line that is met costs
//! more than all else together. Hence open addressing with the hash beside the mark: one line here, and one for the
//! mark, whose name is in it. (A dashmap from names to marks takes five: docs/design.md.)

use std::sync::Arc;

use super::TagMark;

struct Held {
    hash: u64,
    mark: Arc<TagMark>,
}

/// See the module. Marks stand at the first free place from their hash's own on; at least a quarter is free.
#[derive(Default)]
pub(super) struct Index {
    places: Box<[Option<Held>]>,
    len: usize,
}

/// Places for so many marks.
fn places_for(len: usize) -> usize {
    if len == 0 { 0 } else { (len + len / 3 + 1).next_power_of_two() }
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn find(&self, hash: u64, tag: &str) -> Option<&Arc<TagMark>> {
        let mut at = hash as usize;
        loop {
            let held = self.places.get(at & self.places.len().wrapping_sub(1))?.as_ref()?;
            if held.hash == hash && held.mark.is_named(tag) {
                return Some(&held.mark);
            }
            at = at.wrapping_add(1);
        }
    }

    /// Adds a mark that is not there.
    pub(super) fn insert(&mut self, hash: u64, mark: Arc<TagMark>) {
        self.len += 1;
        if self.places.len() < places_for(self.len) {
            self.rebuild();
        }
        self.put(Held { hash, mark });
    }

    /// Keeps the marks of which `keep` is true, and gives back the places of the others.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Arc<TagMark>) -> bool) {
        let mut gone = 0;
        for place in &mut self.places {
            gone += usize::from(place.take_if(|held| !keep(&held.mark)).is_some());
        }
        if gone > 0 {
            // Those that stood behind one that went are looked for before it.
            self.len -= gone;
            self.rebuild();
        }
    }

    fn rebuild(&mut self) {
        let places = (0..places_for(self.len)).map(|_| None).collect();
        let before = std::mem::replace(&mut self.places, places);
        before.into_iter().flatten().for_each(|held| self.put(held));
    }

    /// There is a free place.
    fn put(&mut self, held: Held) {
        let mask = self.places.len() - 1;
        let mut at = held.hash as usize & mask;
        while self.places[at].is_some() {
            at = (at + 1) & mask;
        }
        self.places[at] = Some(held);
    }

    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Few hashes, which many tags share, and at both ends of a table.
        #[test]
        fn it_holds_what_was_put_in_and_kept(tags in prop::collection::vec(0..60_u64, 0..80), divisor in 2..6_u64) {
            let (mut index, mut plain) = (Index::default(), BTreeSet::new());
            let hash = |tag: u64| (tag % 12).wrapping_sub(6);
            let found = |index: &Index| -> BTreeSet<u64> {
                (0..60).filter(|tag| index.find(hash(*tag), &tag.to_string()).is_some()).collect()
            };
            for tag in tags {
                if plain.insert(tag) {
                    index.insert(hash(tag), Arc::new(TagMark::new(&tag.to_string())));
                }
            }
            prop_assert_eq!(&found(&index), &plain);
            index.retain(|mark| !mark.name().parse::<u64>().is_ok_and(|tag| tag % divisor == 0));
            plain.retain(|tag| tag % divisor != 0);
            prop_assert_eq!(&found(&index), &plain);
            prop_assert_eq!((index.len(), index.places()), (plain.len(), places_for(plain.len())));
        }
    }
}
