//! Small files of every form, and broken ones.

use std::path::PathBuf;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/small").join(name)
}

#[test]
fn traces_of_every_form_are_read() {
    for (name, accesses, keys) in [
        ("arc.lis", &[0, 1, 2, 1, 2][..], 3),
        ("lines.trace", &[0, 1, 0], 2),
        ("keys.trace.gz", &[0, 1, 0], 2),
        ("keys.trace.xz", &[0, 1, 0], 2),
        ("keys.csv.zst", &[0, 1, 0], 2),
        ("frames.csv.zst", &[0, 1, 0, 0, 1, 0], 2),
        ("cache2k_narrow.trace", &[0, 1, 0], 2),
        ("corda_wide", &[0, 1], 2),
    ] {
        let trace = larder_traces::read(&file(name)).expect("a trace");
        assert_eq!((&trace.accesses[..], trace.unique_keys), (accesses, keys), "{name}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_name() {
    for (name, what) in [
        ("nowhere.trace", "No such file"),
        ("broken.gz", "not the gzip file"),
        ("cut.xz", "not the xz file"),
        ("broken.lis", "line 2 is not of the form"),
        ("empty.trace", "holds no accesses"),
        ("cache2k_cut.trace", "5 bytes, not integers of 4"),
    ] {
        let error = larder_traces::read(&file(name)).expect_err("a broken trace").to_string();
        assert!(error.contains(name) && error.contains(what), "{error}");
    }
}
