//! The example `campus`, small: no stale reads as it is, and stale reads reported when a write forgets nothing.

#[allow(dead_code, reason = "the example's own main and options are not used here")]
#[path = "../examples/campus/main.rs"]
mod campus;

use std::time::Duration;

use campus::figures::Measured;
use campus::fleet::picture::{self, Events};
use campus::fleet::timeline::Timeline;
use campus::journal::Outcome;
use campus::options::Options;
use campus::rows::{Row, Table};
use campus::schema::School;
use campus::terminal::Progress;
use campus::truth::Truth;
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

/// A journal in a folder of its own, which goes with it.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("campus-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn in_a_fleet_what_is_acknowledged_is_due_for_all_and_the_rest_for_who_wrote_it() {
    let folder = Folder::new("truth");
    let [here, there] =
        [0, 1].map(|number| Truth::shared(number, &folder.0.join("journal")).expect("a journal"));
    let row = |id, version| Row { table: Table::Course, id, version };
    let due = |truth: &Truth, shown| {
        let stale = truth.check(truth.now().expect("a moment"), &[shown]);
        stale.map(|(_, due)| due)
    };
    for (id, outcome) in [(1, Outcome::Acknowledged), (2, Outcome::Returned), (3, Outcome::Failed)] {
        let before = there.now().expect("a moment");
        here.note(&[row(id, 5)], outcome).expect("it is written");
        assert_eq!(due(&here, row(id, 4)), Some(5), "{outcome:?}, by this process");
        assert_eq!(due(&here, row(id, 5)), None);
        let elsewhere = (outcome == Outcome::Acknowledged).then_some(5);
        assert_eq!(due(&there, row(id, 4)), elsewhere, "{outcome:?}, by another process");
        assert_eq!(there.check(before, &[row(id, 4)]), None, "who began before may see what was there");
    }
    assert_eq!(here.acknowledged().expect("it is read"), 1);
    there.note(&[row(2, 6)], Outcome::Returned).expect("it is written");
    assert_eq!(due(&here, row(2, 6)), None);

    let late = there.late();
    assert_eq!([late.returned.len(), late.failed.len()], [1, 1], "of others, and not waited for");
    assert_eq!([late.returned.above_zero(), late.failed.above_zero()], [1, 1], "it was seen as before");
    let late = here.late();
    assert_eq!([late.returned.len(), late.returned.above_zero()], [1, 0], "it was seen, and as written");
}

#[test]
fn the_picture_of_a_fleet_shows_what_happened() {
    let mut timeline = Timeline::default();
    timeline.read(Duration::from_millis(3), true);
    let now = timeline.points().next().expect("a point").0;
    let svg = picture::svg(&timeline, &Events { outage: Some((now, now + 1.0)), acknowledged: None });
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    for text in ["Redis is away", "hit ratio (%)", "latency (ms)", "time (s)"] {
        assert!(svg.contains(text), "{text} in {svg}");
    }
    assert!(!svg.contains("acknowledged"), "it did not happen");
}
