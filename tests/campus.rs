//! The example `campus`, small: no stale reads as it is, and stale reads reported when a write forgets nothing.

#[allow(dead_code, reason = "the example's own main and options are not used here")]
#[path = "../examples/campus/main.rs"]
mod campus;

use std::io::Write as _;
use std::time::Duration;

use campus::figures::Measured;
use campus::options::Options;
use campus::schema::School;
use campus::terminal::Progress;
use campus::{steps, trace, writes};

fn run(omitted: Option<writes::Kind>) -> Measured {
    let options = Options {
        requests: Some(4_000),
        users: 200,
        write_ratio: 0.1,
        sample: Duration::from_millis(200),
        school: School::SMALL,
        omitted,
        ..Options::default()
    };
    steps::run(&options, &Progress::new(true)).expect("the example runs")
}

#[test]
fn nothing_stale_is_read() {
    let measured = run(None);
    assert_eq!(measured.cached.stale_reads, 0, "{:?}", measured.cached.stale_example);
    assert!(measured.cached.writes > 300, "a tenth of the requests are writes");
    assert!(measured.cached.rows_checked > 100_000, "every row of every page is checked");
}

#[test]
fn a_write_that_forgets_nothing_is_reported() {
    for kind in writes::Kind::ALL {
        let measured = run(Some(kind));
        assert!(measured.cached.stale_reads > 0, "{} left out, and nothing reported", kind.name());
        assert!(measured.cached.stale_example.is_some());
    }
}

#[test]
fn json_has_the_promised_fields() {
    let figures = serde_json::to_value(run(None).figures()).expect("figures are JSON");
    let fields = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    };
    assert_eq!(fields(&figures), ["pages", "total"]);
    assert_eq!(figures["pages"].as_array().map(Vec::len), Some(5));
    let mut promised = [
        "speedup",
        "hit_ratio",
        "queries_saved",
        "stale_reads",
        "requests_per_second",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "peak_rss_mb",
    ];
    promised.sort_unstable();
    assert_eq!(fields(&figures["total"]), promised);
    for field in promised {
        assert!(figures["total"][field].is_number(), "{field} is a number");
    }
}

#[test]
fn traces_of_every_form_are_read() {
    let folder = std::env::temp_dir().join(format!("campus-traces-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    for (name, bytes, accesses, keys) in [
        ("arc.lis", &b"10 3 0 0\n11 2 0 1\n"[..], 5, 3),
        ("lines.trace", b"7\r\n*\r\n\r\n8\r\n7\r\n", 3, 2),
        ("keys.csv", b"v2/a\nv2/b\nv2/a\n", 3, 2),
        ("narrow.trace", b"\0\0\0\x01\0\0\0\x02\0\0\0\x01", 3, 2),
        ("wide", b"\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02", 2, 2),
    ] {
        let file = folder.join(name);
        std::fs::File::create(&file).and_then(|mut file| file.write_all(bytes)).expect("a file");
        let trace = trace::read(&file, 2).expect("a trace");
        assert_eq!((trace.total_accesses, trace.unique_keys), (accesses, keys), "{name}");
        assert_eq!(trace.accesses.len(), 2, "{name}");
    }
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}
