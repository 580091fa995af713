//! A race as a Markdown table.

use std::fmt;

use crate::measure::Times;

/// The times of one race, one column group per number of threads.
pub struct Table<'t> {
    /// What was measured.
    pub title: String,
    /// The entrant whose times the others' are divided by: median by median, least by least.
    pub reference: &'static str,
    /// Whether it says how many visits found something.
    pub hits: bool,
    /// Numbers of threads, and the times of the same entrants at each.
    pub runs: &'t [(usize, Vec<Times>)],
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### {}\n", self.title)?;
        let (hits, column) = if self.hits { (" hits |", "---:|") } else { ("", "") };
        write!(f, "| ns per operation |")?;
        for (threads, _) in self.runs {
            let s = if *threads == 1 { "" } else { "s" };
            write!(f, " {threads} thread{s}: median | min | ratio | of minima |{hits}")?;
        }
        writeln!(f, "\n|---|{}", format!("---:|---:|---:|---:|{column}").repeat(self.runs.len()))?;
        let entrants = self.runs.first().map_or(0, |(_, times)| times.len());
        for at in 0..entrants {
            write!(f, "| {} |", self.runs[0].1[at].name)?;
            for (_, times) in self.runs {
                self.cells(f, times, &times[at])?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Table<'_> {
    fn cells(&self, f: &mut fmt::Formatter<'_>, all: &[Times], times: &Times) -> fmt::Result {
        let (median, min) = (times.median(), times.min());
        write!(f, " {median:.1} | {min:.1} |")?;
        match all.iter().find(|times| times.name == self.reference) {
            Some(reference) => {
                write!(f, " {:.2} | {:.2} |", median / reference.median(), min / reference.min())?
            }
            None => write!(f, " | |")?,
        }
        if self.hits {
            write!(f, " {:.1} % |", 100.0 * (1.0 - times.missed))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_ratio_to_the_reference() {
        let times = |name, rounds: [f64; 3]| Times { name, rounds: rounds.to_vec(), missed: 0.25 };
        let runs = [(1, vec![times("a", [10.0, 20.0, 30.0]), times("b", [29.0, 30.0, 31.0])])];
        let table = Table { title: "hit".into(), reference: "a", hits: true, runs: &runs }.to_string();
        assert!(table.ends_with("| b | 30.0 | 29.0 | 1.50 | 2.90 | 75.0 % |\n"), "{table}");
    }
}
