//! Which format a trace is in: by the file's name, where that tells.

use std::path::Path;

/// How far a file is looked into.
const BEGINNING: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Four fields a line: `start_block count ignore request_no`.
    Arc,
    /// A key a line.
    Lines,
    /// Big-endian integers of so many bytes.
    Binary(usize),
}

impl Format {
    pub(crate) fn of(file: &Path, bytes: &[u8]) -> Self {
        let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let unpacked =
            [".gz", ".xz", ".zst"].iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(&name);
        if unpacked.ends_with(".lis") {
            Self::Arc
        } else if name.starts_with("cache2k") {
            Self::Binary(4)
        } else if name.starts_with("corda") {
            Self::Binary(8)
        } else if bytes.iter().take(BEGINNING).any(|byte| *byte == 0) {
            Self::Binary(if name.contains(".trace") { 4 } else { 8 })
        } else {
            Self::Lines
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_then_the_content() {
        for (name, bytes, format) in [
            ("arc_P3.lis.zst", "1 2 0 0", Format::Arc),
            ("dir.lis/keys.txt", "1 2 0 0", Format::Lines),
            ("lirs_loop.trace.gz", "1\r\n2", Format::Lines),
            ("cache2k_web12.trace.xz", "", Format::Binary(4)),
            ("corda_trace_vaultservice.gz", "", Format::Binary(8)),
            ("unknown.csv.zst", "/v2/é/blobs", Format::Lines),
            ("unknown.trace.bin", "\0\0\0\u{7}", Format::Binary(4)),
            ("unknown", "\0\0\0\u{7}", Format::Binary(8)),
        ] {
            assert_eq!(Format::of(Path::new(name), bytes.as_bytes()), format, "{name}");
        }
    }
}
