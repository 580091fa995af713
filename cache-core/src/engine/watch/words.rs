//! How keys and times are written in events.

use std::fmt::{self, Write};
use std::time::Duration;

/// A key that may not even be one: what would break a line is escaped.
pub(super) struct Name<'k>(pub(super) &'k str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.chars().any(char::is_control) {
            return f.write_str(self.0);
        }
        self.0.chars().try_for_each(|c| {
            if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) }
        })
    }
}

/// A time in the unit that suits it. Loads are timed in whole milliseconds.
pub(super) struct Took(pub(super) Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        if self.0.is_zero() {
            f.write_str("<1ms")
        } else if seconds < 1e-3 {
            write!(f, "{:.1}µs", seconds * 1e6)
        } else if seconds < 1.0 {
            write!(f, "{:.1}ms", seconds * 1e3)
        } else {
            write!(f, "{seconds:.1}s")
        }
    }
}

pub(super) fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_the_unit_that_suits_them() {
        let written = |nanos| Took(Duration::from_nanos(nanos)).to_string();
        let times = [0, 400, 12_340, 1_500_000, 999_000_000, 1_500_000_000, 90_000_000_000];
        assert_eq!(times.map(written), ["<1ms", "0.4µs", "12.3µs", "1.5ms", "999.0ms", "1.5s", "90.0s"]);
    }

    #[test]
    fn a_key_stays_on_its_line() {
        assert_eq!(Name("user:42 é").to_string(), "user:42 é");
        assert_eq!(Name("a\nGET b HIT").to_string(), "a\\nGET b HIT");
    }
}
