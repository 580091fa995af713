//! Word of what may be ours: every state, and what happens without each mechanism.

use larder_model::check::{breaks, holds};
use larder_model::echo::{Echo, HEARD, Mechanisms, SEEN};

fn without(change: impl FnOnce(&mut Mechanisms)) -> Echo {
    let mut with = Mechanisms::ALL;
    change(&mut with);
    Echo { versions: 1, with }
}

#[test]
fn what_is_ours_may_stay() {
    holds("echo", &Echo { versions: 2, with: Mechanisms::ALL });
}

#[test]
fn an_invalidation_beside_a_load_is_taken_for_its_own_echo() {
    breaks("not looked at", HEARD, &without(|it| it.looked_at = false));
}

#[test]
fn a_load_that_left_nothing_hides_an_invalidation() {
    breaks("a load that left nothing", HEARD, &without(|it| it.nothing_hides_nothing = false));
}

#[test]
fn what_others_publish_beside_a_load_that_fails_is_not_seen() {
    breaks("not struck when a load ends with nothing", SEEN, &without(|it| it.struck_at_the_end = false));
}

#[test]
fn an_answer_overtakes_what_was_told_before_it() {
    breaks("answers first", HEARD, &without(|it| it.notices_first = false));
}

#[test]
fn what_others_publish_after_ours_is_taken_for_ours() {
    breaks("leases not compared", SEEN, &without(|it| it.lease_compared = false));
}
