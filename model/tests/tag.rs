//! Tags: every state, and what happens without each mechanism.

use larder_model::check::{breaks, holds};
use larder_model::tag::{Mechanisms, STRUCK, Tag};

const WHOLE: Tag = Tag { versions: 2, others: 1, fails_over: false, with: Mechanisms::ALL };
const FAILOVER: Tag = Tag { versions: 1, others: 0, fails_over: true, with: Mechanisms::ALL };

fn without(change: impl FnOnce(&mut Mechanisms)) -> Tag {
    let mut tag = WHOLE;
    change(&mut tag.with);
    tag
}

#[test]
fn marks_may_be_evicted_and_forgotten() {
    holds("tag, marks", &WHOLE);
}

#[test]
fn redis_may_go_back() {
    holds("tag, failover", &FAILOVER);
}

#[test]
fn a_load_that_reads_the_order_after_its_source_outlives_the_strike() {
    breaks("order read after the source", STRUCK, &without(|it| it.born_before = false));
}

#[test]
fn a_strike_that_does_not_raise_the_order_strikes_nothing() {
    breaks("order not raised", STRUCK, &without(|it| it.order_raised = false));
}

#[test]
fn an_evicted_mark_brings_back_what_was_struck() {
    breaks("a missing mark is none", STRUCK, &without(|it| it.missing_is_invalid = false));
}

#[test]
fn a_mark_that_is_made_anew_forgets_the_strike() {
    let broken = without(|it| (it.recent_remembered, it.forgotten_counts) = (false, false));
    breaks("a new mark begins at nothing", STRUCK, &broken);
}

#[test]
fn a_tag_that_was_forgotten_counts_as_never_struck() {
    breaks("what is forgotten was never struck", STRUCK, &without(|it| it.forgotten_counts = false));
}

#[test]
fn a_strike_between_the_look_and_the_mark_is_lost() {
    breaks("look-up and mark apart", STRUCK, &without(|it| it.made_in_one = false));
}

#[test]
fn a_failover_brings_back_what_was_struck() {
    let with = Mechanisms { new_epoch: false, ..Mechanisms::ALL };
    let broken = Tag { with, ..FAILOVER };
    breaks("the epoch outlives the server", STRUCK, &broken);
}
