//! One load for the fleet: every state, and what happens without each mechanism.

use larder_model::check::{breaks, holds};
use larder_model::lease::{FREED, IN_VAIN, Lease, Mechanisms, ONE_LOAD, ONE_PUBLICATION};

const WHOLE: Lease = Lease { processes: 3, rounds: 2, deaths: 1, with: Mechanisms::ALL };

fn without(change: impl FnOnce(&mut Mechanisms)) -> Lease {
    let mut model = WHOLE;
    change(&mut model.with);
    model
}

#[test]
fn three_processes() {
    holds("lease, 3 processes", &WHOLE);
}

#[test]
fn everybody_loads() {
    breaks("the claim is not looked at", ONE_LOAD, &without(|it| it.claimed = false));
}

#[test]
fn a_load_that_is_void_keeps_others_waiting() {
    breaks("a claim without its lease", IN_VAIN, &without(|it| it.with_its_lease = false));
}

#[test]
fn a_dead_holder_is_waited_for() {
    breaks("a claim without an end", FREED, &without(|it| it.ends = false));
}

#[test]
fn an_old_load_takes_the_claim_of_the_new_one() {
    breaks("whoever's claim is removed", ONE_LOAD, &without(|it| it.own_claim_only = false));
}

#[test]
fn what_was_just_loaded_is_loaded_again() {
    breaks("nobody looks again", ONE_PUBLICATION, &without(|it| it.looks_again = false));
}
