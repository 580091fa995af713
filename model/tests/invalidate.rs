//! Late loads: every state, and what happens without each mechanism.

use larder_model::check::{breaks, holds};
use larder_model::invalidate::{Invalidate, Mechanisms, ORDER, REMOVED, SOFTENED};

fn without(change: impl FnOnce(&mut Mechanisms)) -> Invalidate {
    let mut with = Mechanisms::ALL;
    change(&mut with);
    Invalidate { loads: 2, versions: 2, with }
}

#[test]
fn three_loads() {
    holds("invalidate, 3 loads", &Invalidate { loads: 3, versions: 2, with: Mechanisms::ALL });
}

#[test]
fn a_late_load_puts_back_what_was_invalidated() {
    breaks("store does not look at the lease", REMOVED, &without(|it| it.checked = false));
}

#[test]
fn a_lease_taken_after_the_source_was_read_lets_the_old_value_in() {
    breaks("lease taken after the source is read", REMOVED, &without(|it| it.taken_before = false));
}

#[test]
fn a_del_by_a_raw_client_is_not_seen_by_a_lease_that_stands_elsewhere() {
    breaks("the lease does not stand in the slot", REMOVED, &without(|it| it.in_the_slot = false));
}

#[test]
fn a_lease_of_a_slot_that_is_gone_is_good_in_the_next_one() {
    breaks("slots begin at the same number", REMOVED, &without(|it| it.begins_at_random = false));
}

#[test]
fn an_earlier_load_replaces_what_a_later_one_published() {
    breaks("a publication voids nothing", ORDER, &without(|it| it.used_up = false));
}

#[test]
fn a_load_that_was_marked_stale_is_published_fresh() {
    breaks("loads are not marked stale", SOFTENED, &without(|it| it.softens_loads = false));
}
