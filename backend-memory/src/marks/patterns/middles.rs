//! Marks of all other patterns: looked up by a literal text that their keys contain.

use cache_core::{Pattern, Strength};
use hashbrown::HashTable;
use rapidhash::v3::{RapidSecrets, rapidhash_v3_nano_inline};

use super::super::Verdict;
use super::super::orders::Orders;
use super::Limits;

struct Glob {
    pattern: Pattern,
    orders: Orders,
}

/// The marks of the patterns that were put under one literal text. As in [`ends`](super::ends), its hash stands
/// for the text.
struct Bucket {
    hash: u64,
    /// Of all keys that contain it.
    all: Orders,
    globs: Vec<Glob>,
}

#[derive(Default)]
pub(super) struct Middles {
    /// The lengths of the literal texts, each with its latest order. A key is looked up once for each place where
    /// a text of such a length can stand.
    lengths: Vec<(usize, u64)>,
    buckets: HashTable<Bucket>,
    globs: usize,
    /// What the texts of the globs take.
    bytes: usize,
}

impl Bucket {
    fn says(&self, key: &[u8], since: u64) -> Verdict {
        let globs =
            self.globs.iter().filter(|glob| glob.orders.latest() > since && glob.pattern.matches(key));
        globs.map(|glob| glob.orders.says(since)).fold(self.all.says(since), Verdict::and)
    }
}

impl Middles {
    /// Marks all keys that contain `literal`; false where its length would be one too many.
    pub(super) fn mark_containing(
        &mut self,
        secrets: &RapidSecrets,
        literal: &[u8],
        (strength, order): (Strength, u64),
        limits: &Limits,
    ) -> bool {
        if self.fit(literal, limits).len() < literal.len() {
            return false;
        }
        self.bucket(secrets, literal, order).all.raise(strength, order);
        true
    }

    /// Marks the keys that `pattern` matches, all of which contain each of `literals`. Where there is no room, all
    /// keys that contain the best one of them: never less than it matches.
    pub(super) fn mark_glob(
        &mut self,
        secrets: &RapidSecrets,
        (pattern, literals): (Pattern, &[Vec<u8>]),
        (strength, order): (Strength, u64),
        limits: &Limits,
    ) {
        let places: Vec<&[u8]> = literals.iter().map(|literal| self.fit(literal, limits)).collect();
        let mut best: (usize, &[u8]) = (usize::MAX, &[]);
        for place in places {
            let hash = hash(secrets, place);
            let globs = self.buckets.find(hash, |held| held.hash == hash).map_or(&[][..], |held| &held.globs);
            if globs.iter().any(|glob| glob.pattern == pattern) {
                best = (0, place);
                break;
            }
            // The emptiest; of those the longest text, for few keys contain that.
            if (globs.len(), best.1.len()) < (best.0, place.len()) {
                best = (globs.len(), place);
            }
        }
        let text = pattern.as_str().len();
        let room = self.bytes + text <= limits.bytes;
        let bucket = self.bucket(secrets, best.1, order);
        if let Some(glob) = bucket.globs.iter_mut().find(|glob| glob.pattern == pattern) {
            glob.orders.raise(strength, order);
        } else if room && bucket.globs.len() < limits.globs {
            let mut orders = Orders::default();
            orders.raise(strength, order);
            bucket.globs.push(Glob { pattern, orders });
            self.globs += 1;
            self.bytes += text;
        } else {
            bucket.all.raise(strength, order);
        }
    }

    /// As much of `literal` as is of a length that there may be.
    fn fit<'l>(&self, literal: &'l [u8], limits: &Limits) -> &'l [u8] {
        let held =
            || self.lengths.iter().map(|(length, _)| *length).filter(|length| *length <= literal.len());
        if self.lengths.len() < limits.lengths || held().any(|length| length == literal.len()) {
            return literal;
        }
        &literal[..held().max().unwrap_or(0)]
    }

    /// The bucket of `literal`, to be marked with `order`.
    fn bucket(&mut self, secrets: &RapidSecrets, literal: &[u8], order: u64) -> &mut Bucket {
        match self.lengths.iter_mut().find(|(length, _)| *length == literal.len()) {
            Some((_, latest)) => *latest = order.max(*latest),
            None => self.lengths.push((literal.len(), order)),
        }
        let hash = hash(secrets, literal);
        let new = || Bucket { hash, all: Orders::default(), globs: Vec::new() };
        self.buckets.entry(hash, |held| held.hash == hash, |held| held.hash).or_insert_with(new).into_mut()
    }

    pub(super) fn says(&self, secrets: &RapidSecrets, key: &[u8], since: u64) -> Verdict {
        let lengths = self.lengths.iter().filter(|(length, latest)| *latest > since && *length <= key.len());
        let texts = lengths.flat_map(|(length, _)| {
            // No text at all stands everywhere: once is enough.
            let last = if *length == 0 { 0 } else { key.len() - length };
            (0..=last).map(move |at| &key[at..at + length])
        });
        let verdicts = texts.filter_map(|text| {
            let hash = hash(secrets, text);
            self.buckets.find(hash, |held| held.hash == hash).map(|bucket| bucket.says(key, since))
        });
        verdicts.fold(Verdict::Valid, Verdict::and)
    }

    /// Drops the marks up to `order`.
    pub(super) fn forget(&mut self, order: u64) {
        (self.globs, self.bytes) = (0, 0);
        self.lengths.retain(|(_, latest)| *latest > order);
        self.buckets.retain(|bucket| {
            bucket.globs.retain(|glob| glob.orders.latest() > order);
            self.globs += bucket.globs.len();
            self.bytes += bucket.globs.iter().map(|glob| glob.pattern.as_str().len()).sum::<usize>();
            !bucket.globs.is_empty() || bucket.all.latest() > order
        });
        if self.buckets.capacity() > 64 + 4 * self.buckets.len() {
            self.buckets.shrink_to_fit(|bucket| bucket.hash);
        }
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.buckets.len() + self.globs
    }
}

fn hash(secrets: &RapidSecrets, literal: &[u8]) -> u64 {
    rapidhash_v3_nano_inline::<true, false>(literal, secrets)
}
