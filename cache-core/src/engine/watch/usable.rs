//! Whether the backend can be used, as loads find it: so that one event tells of it when that changes, and not one for
//! each key.

use std::sync::atomic::{AtomicU8, Ordering};

use super::Asked;

/// What fails: one bit for reads, one for writes.
#[derive(Default)]
pub(super) struct Usable(AtomicU8);

impl Usable {
    /// True if all went well before.
    pub(super) fn fails(&self, asked: Asked) -> bool {
        // Where nothing can be read, it says nothing that nothing can be written.
        let told = asked == Asked::Write && self.0.load(Ordering::Relaxed) & bit(Asked::Read) != 0;
        !told && self.0.fetch_or(bit(asked), Ordering::Relaxed) == 0
    }

    /// True if all goes well again, and did not before.
    #[inline]
    pub(super) fn works(&self, asked: Asked) -> bool {
        self.0.load(Ordering::Relaxed) & bit(asked) != 0
            && self.0.fetch_and(!bit(asked), Ordering::Relaxed) == bit(asked)
    }
}

fn bit(asked: Asked) -> u8 {
    match asked {
        Asked::Read => 1,
        Asked::Write => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::Asked::{Read, Write};
    use super::*;

    #[test]
    fn is_told_once_when_it_changes() {
        let usable = Usable::default();
        assert!(!usable.works(Read) && !usable.works(Write));
        assert!(usable.fails(Read) && !usable.fails(Read) && !usable.fails(Write));
        assert!(usable.works(Read) && !usable.works(Read) && !usable.works(Write));
    }

    #[test]
    fn what_can_be_read_and_not_written_does_not_come_and_go() {
        let usable = Usable::default();
        assert!(usable.fails(Write));
        assert!(!usable.works(Read) && !usable.fails(Write));
        assert!(!usable.fails(Read) && !usable.works(Read), "it still cannot be written");
        assert!(usable.works(Write));
    }
}
