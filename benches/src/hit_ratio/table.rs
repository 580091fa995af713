//! The hit ratios as a Markdown table, printed row by row: a row can take a minute.

use std::fmt;

use larder_traces::Trace;

use super::caches::CACHES;
use super::reference::Row;
use super::replay::{Keys, hit_ratio};

/// What one row says.
pub struct Table {
    name: String,
    accesses: usize,
    unique_keys: u32,
    capacity: usize,
    ratios: Vec<f64>,
    known: Option<Row>,
}

impl Table {
    /// The two lines above the rows.
    pub fn header() -> String {
        let names: String = CACHES.iter().map(|(name, _)| format!(" {name} |")).collect();
        format!(
            "| trace, capacity | accesses | unique keys |{names} S3-FIFO, reference | larder less that | best policy |\n\
             |---|---:|---:|{}---:|---:|---:|",
            "---:|".repeat(CACHES.len())
        )
    }

    /// Replays the trace of this name through every cache.
    pub fn row(name: &str, trace: &Trace, keys: &Keys, capacity: usize, known: Option<Row>) -> Self {
        let ratios = CACHES.iter().map(|(_, make)| hit_ratio(trace, keys, &mut *make(capacity))).collect();
        let (accesses, unique_keys) = (trace.accesses.len(), trace.unique_keys);
        Self { name: name.to_owned(), accesses, unique_keys, capacity, ratios, known }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, accesses, unique_keys, capacity, .. } = self;
        write!(f, "| {name} {capacity} | {accesses} | {unique_keys} |")?;
        for ratio in &self.ratios {
            write!(f, " {ratio:.2} |")?;
        }
        match self.known {
            Some(row) => {
                write!(f, " {:.2} | {:+.2} | {:.2} |", row.s3_fifo, self.ratios[0] - row.s3_fifo, row.best)
            }
            None => write!(f, " | | |"),
        }
    }
}
