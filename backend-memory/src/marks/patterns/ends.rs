//! Marks of patterns that are literal but for one star: looked up by how a key begins and ends.

use hashbrown::HashTable;
use rapidhash::v3::{RapidSecrets, rapidhash_v3_nano_inline};

use super::super::Verdict;
use super::super::orders::Orders;
use cache_core::Strength;

/// How much of a key such a pattern fixes. All patterns of one shape cost a key one look-up together.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Shape {
    prefix: usize,
    suffix: usize,
    /// Without a star: the prefix is the whole key.
    exact: bool,
}

/// No text: the hash, random from store to store, stands for it. Two patterns of one hash would invalidate what
/// either covers, which is always right.
struct Record {
    hash: u64,
    orders: Orders,
}

#[derive(Default)]
pub(super) struct Ends {
    /// Each with its latest order.
    shapes: Vec<(Shape, u64)>,
    records: HashTable<Record>,
}

impl Shape {
    fn fits(self, key: &[u8]) -> bool {
        if self.exact { key.len() == self.prefix } else { key.len() >= self.prefix + self.suffix }
    }

    fn hash(self, secrets: &RapidSecrets, prefix: &[u8], suffix: &[u8]) -> u64 {
        let hash = |bytes: &[u8]| rapidhash_v3_nano_inline::<true, false>(bytes, secrets);
        let shape = [self.prefix as u64, self.suffix as u64, u64::from(self.exact)];
        let shape = shape.iter().fold(0, |all: u64, part| (all ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        hash(prefix) ^ hash(suffix).rotate_left(29) ^ shape
    }
}

impl Ends {
    /// Whether the mark is made; not so where it would take a shape more than `most`.
    pub(super) fn mark(
        &mut self,
        secrets: &RapidSecrets,
        (prefix, suffix, exact): (&[u8], &[u8], bool),
        (strength, order): (Strength, u64),
        most: usize,
    ) -> bool {
        let shape = Shape { prefix: prefix.len(), suffix: suffix.len(), exact };
        let full = self.shapes.len() >= most;
        match self.shapes.iter_mut().find(|(held, _)| *held == shape) {
            Some((_, latest)) => *latest = order.max(*latest),
            None if full => return false,
            None => self.shapes.push((shape, order)),
        }
        let hash = shape.hash(secrets, prefix, suffix);
        let new = || Record { hash, orders: Orders::default() };
        let mut record =
            self.records.entry(hash, |record| record.hash == hash, |record| record.hash).or_insert_with(new);
        record.get_mut().orders.raise(strength, order);
        true
    }

    pub(super) fn says(&self, secrets: &RapidSecrets, key: &[u8], since: u64) -> Verdict {
        let shapes = self.shapes.iter().filter(|(shape, latest)| *latest > since && shape.fits(key));
        let verdicts = shapes.filter_map(|(shape, _)| {
            let hash = shape.hash(secrets, &key[..shape.prefix], &key[key.len() - shape.suffix..]);
            self.records.find(hash, |record| record.hash == hash).map(|record| record.orders.says(since))
        });
        verdicts.fold(Verdict::Valid, Verdict::and)
    }

    /// Drops the marks up to `order`.
    pub(super) fn forget(&mut self, order: u64) {
        self.shapes.retain(|(_, latest)| *latest > order);
        self.records.retain(|record| record.orders.latest() > order);
        if self.records.capacity() > 64 + 4 * self.records.len() {
            self.records.shrink_to_fit(|record| record.hash);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }
}
