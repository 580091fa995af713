//! What left a queue last, by hash: whether a key comes back soon.
//!
//! Buckets of one cache line each, so that to remember and to ask touch one line. What is remembered ages: it counts until
//! so many others have been remembered since. A full bucket forgets its oldest a little earlier, which is rare, for
//! there is room for twice as many.

/// See the module.
#[derive(Default)]
pub(super) struct Ghost {
    buckets: Vec<Bucket>,
    round: u32,
}

const WAYS: usize = 8;

#[repr(align(64))]
#[derive(Clone, Copy, Default)]
struct Bucket([Seen; WAYS]);

/// Half of a hash, and the round in which it was remembered; none in round 0.
#[derive(Clone, Copy, Default)]
struct Seen {
    hash: u32,
    round: u32,
}

impl Ghost {
    /// Remembers a hash; of those before, the last `most` still count.
    pub(super) fn remember(&mut self, hash: u64, most: usize) {
        if self.buckets.len() * WAYS < 2 * most || self.buckets.is_empty() {
            self.resize(most);
        }
        self.round = self.round.checked_add(1).unwrap_or(1);
        self.put(Seen { hash: hash as u32, round: self.round });
    }

    /// Whether `hash` is among the last `most` that were remembered. It is forgotten.
    pub(super) fn take(&mut self, hash: u64, most: usize) -> bool {
        let (hash, round) = (hash as u32, self.round);
        let Some(bucket) = self.bucket(hash) else { return false };
        let Some(seen) = bucket.0.iter_mut().find(|seen| seen.hash == hash && seen.round != 0) else {
            return false;
        };
        let age = round.wrapping_sub(std::mem::take(seen).round);
        (age as usize) < most
    }

    /// Gives back what is not needed to remember `most`.
    pub(super) fn shrink(&mut self, most: usize) {
        if self.buckets.len() > buckets_for(most) {
            self.resize(most);
        }
    }

    fn resize(&mut self, most: usize) {
        let before = std::mem::take(&mut self.buckets);
        self.buckets = vec![Bucket::default(); buckets_for(most)];
        for seen in before.iter().flat_map(|bucket| bucket.0).filter(|seen| seen.round != 0) {
            self.put(seen);
        }
    }

    /// In place of itself, of nothing, or of the oldest of its bucket, if that is older.
    fn put(&mut self, seen: Seen) {
        let now = self.round;
        // What is nothing, of round 0, is older than all that was seen.
        let age = |seen: &Seen| now.wrapping_sub(seen.round);
        let Some(Bucket(bucket)) = self.bucket(seen.hash) else { return };
        let (mut place, mut oldest) = (0, 0);
        for (at, other) in bucket.iter().enumerate() {
            if other.hash == seen.hash {
                (place, oldest) = (at, age(other));
                break;
            }
            if age(other) > oldest {
                (place, oldest) = (at, age(other));
            }
        }
        if age(&seen) <= oldest {
            bucket[place] = seen;
        }
    }

    fn bucket(&mut self, hash: u32) -> Option<&mut Bucket> {
        let mask = self.buckets.len().wrapping_sub(1);
        self.buckets.get_mut(hash as usize & mask)
    }
}

/// A power of two, with room for at least twice as many as are remembered.
fn buckets_for(most: usize) -> usize {
    (2 * most).div_ceil(WAYS).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes as they come: spread over all bits.
    fn hash(key: u64) -> u64 {
        key.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    }

    #[test]
    fn the_last_so_many_count_and_once() {
        let mut ghost = Ghost::default();
        (0..10_000).for_each(|key| ghost.remember(hash(key), 1_000));
        assert!(!(0..9_000).any(|key| ghost.take(hash(key), 1_000)));
        let held = (9_000..10_000).filter(|key| ghost.take(hash(*key), 1_000)).count();
        assert!(held > 990, "{held} of 1000");
        assert!(!(0..10_000).any(|key| ghost.take(hash(key), 1_000)));
    }

    #[test]
    fn what_is_remembered_again_is_young_again() {
        let mut ghost = Ghost::default();
        ghost.remember(hash(1), 10);
        (2..10).for_each(|key| ghost.remember(hash(key), 10));
        ghost.remember(hash(1), 10);
        (10..19).for_each(|key| ghost.remember(hash(key), 10));
        assert!(ghost.take(hash(1), 10) && !ghost.take(hash(2), 10));
    }

    #[test]
    fn it_grows_and_shrinks_and_keeps_the_youngest() {
        let mut ghost = Ghost::default();
        (0..4_000_u64).for_each(|key| ghost.remember(hash(key), key as usize + 1));
        let large = ghost.buckets.len();
        let held = (0..2_000).filter(|key| ghost.take(hash(*key), 4_000)).count();
        assert!(held > 1_900, "{held} of 2000 that were remembered before it grew");
        ghost.shrink(100);
        assert!(ghost.buckets.len() * 16 < large);
        let held = (3_900..4_000).filter(|key| ghost.take(hash(*key), 100)).count();
        assert!(held > 90, "{held} of the youngest 100");
    }

    #[test]
    fn an_empty_one_knows_nothing() {
        let mut ghost = Ghost::default();
        assert!(!ghost.take(0, 10));
        ghost.remember(0, 0);
        assert!(ghost.take(0, 1) && !ghost.take(0, 1));
        ghost.shrink(0);
        ghost.round = u32::MAX;
        ghost.remember(7, 10);
        assert!(ghost.take(7, 10), "rounds begin anew");
    }
}
