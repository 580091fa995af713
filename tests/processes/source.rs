//! The truth that is cached: for each key a version. It stands in files, so that it outlives every process: a version is the
//! length of its key's file, and a change appends one byte.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

pub(crate) struct Source(Vec<PathBuf>);

impl Source {
    pub(crate) fn new(dir: &Path, keys: usize) -> Self {
        Self((0..keys).map(|key| dir.join(format!("key-{key}"))).collect())
    }

    pub(crate) fn version(&self, key: usize) -> u64 {
        fs::metadata(&self.0[key]).map_or(0, |file| file.len())
    }

    /// Returns the version that it has now, which is the new one or, where others change it too, a later one.
    pub(crate) fn change(&self, key: usize) -> u64 {
        let file = OpenOptions::new().create(true).append(true).open(&self.0[key]);
        file.expect("a file").write_all(b".").expect("appended");
        self.version(key)
    }
}
