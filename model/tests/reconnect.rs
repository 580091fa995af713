//! The connection lost and made anew: every state, and what happens without each mechanism.

use larder_model::check::{breaks, holds};
use larder_model::reconnect::{FAR, Mechanisms, OVER, OWN, Reconnect, WHOLE};

const WHOLE_MODEL: Reconnect = Reconnect { versions: 2, breaks: 2, fails_over: false, with: Mechanisms::ALL };
const FAILOVER: Reconnect = Reconnect { versions: 1, breaks: 1, fails_over: true, with: Mechanisms::ALL };

fn without(change: impl FnOnce(&mut Mechanisms)) -> Reconnect {
    let mut model = WHOLE_MODEL;
    change(&mut model.with);
    model
}

#[test]
fn two_breaks() {
    holds("reconnect, 2 breaks", &WHOLE_MODEL);
}

#[test]
fn a_break_and_a_failover() {
    holds("reconnect, failover", &FAILOVER);
}

#[test]
fn an_invalidation_that_was_not_answered_is_lost() {
    breaks("not queued", OWN, &without(|it| it.queued = false));
}

#[test]
fn what_waits_in_the_queue_is_read() {
    breaks("in use before the queue is delivered", OWN, &without(|it| it.delivered_first = false));
}

#[test]
fn a_change_between_flush_and_tracking_is_missed() {
    breaks("tracking begins after the flush", WHOLE, &without(|it| it.tracked_first = false));
}

#[test]
fn what_was_missed_is_served_when_the_channel_stands_again() {
    breaks("not flushed", WHOLE, &without(|it| it.flushed = false));
}

#[test]
fn a_copy_outlives_the_trust_in_it() {
    breaks("trust without an end", OVER, &without(|it| it.trust_ends = false));
}

#[test]
fn what_comes_while_cut_off_stays_for_ever() {
    breaks("not capped", OVER, &without(|it| it.capped = false));
}

#[test]
fn a_reader_beside_a_failed_invalidation_leaves_the_old_copy() {
    breaks("not struck when it failed", OWN, &without(|it| it.struck_after = false));
}

#[test]
fn a_write_from_before_arrives_after_the_reconnect() {
    breaks("the old connection is left open", FAR, &without(|it| it.old_one_closed = false));
}

#[test]
fn a_failover_brings_back_what_was_invalidated() {
    let with = Mechanisms { new_epoch: false, ..Mechanisms::ALL };
    breaks("the epoch outlives the server", FAR, &Reconnect { with, ..FAILOVER });
}
