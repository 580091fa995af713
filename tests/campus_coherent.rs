//! The example `campus` under `check_coherent`: its own pages and writes, in a small school of its own for each
//! run. Each write that forgets nothing is named; where none is left out, there is nothing to say.

#[allow(dead_code, reason = "the example's own main and options are not used here")]
#[path = "../examples/campus/main.rs"]
mod campus;

use campus::coherent;
use campus::writes::Kind;

#[test]
fn no_page_is_stale_where_every_write_forgets() {
    coherent::check(None).expect("a school").runs(60).run();
}

#[test]
fn a_write_that_forgets_nothing_is_named() {
    for kind in Kind::ALL {
        let found = coherent::check(Some(kind)).expect("a school").runs(200).try_run();
        let found = found.expect_err("an invalidation is left out");
        assert_eq!(found.writer(), Some(kind.name()), "{found}");
        assert!(!found.keys().is_empty() && found.steps().len() <= 5, "{found}");
    }
}
