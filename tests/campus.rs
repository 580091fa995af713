//! The example `campus`, small: no stale reads as it is, and stale reads reported when a write forgets nothing.

#[allow(dead_code, reason = "the example's own main and options are not used here")]
#[path = "../examples/campus/main.rs"]
mod campus;

use std::time::Duration;

use campus::figures::Measured;
use campus::options::Options;
use campus::schema::School;
use campus::terminal::Progress;
use campus::{steps, writes};

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
