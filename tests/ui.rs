//! Every mistake with `#[cached]` has a case in `tests/ui`, named after it; the `.stderr` beside it is what
//! its author reads.
//!
//! `TRYBUILD=overwrite cargo test --test ui` writes the messages anew: read them before you commit them.

#![cfg(all(feature = "macros", feature = "memory"))]

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
