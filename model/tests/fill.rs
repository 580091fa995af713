//! A copy on its way into memory: every state, and what happens without each mechanism.

use larder_model::check::{breaks, holds};
use larder_model::fill::{AT_REST, CALLED, Fill, HEARD, Mechanisms};

fn without(change: impl FnOnce(&mut Mechanisms)) -> Fill {
    let mut with = Mechanisms::ALL;
    change(&mut with);
    Fill { nodes: 1, versions: 2, anybody: true, with }
}

#[test]
fn one_node_and_anybody() {
    holds("fill, 1 node", &Fill { nodes: 1, versions: 2, anybody: true, with: Mechanisms::ALL });
}

#[test]
fn two_nodes() {
    holds("fill, 2 nodes", &Fill { nodes: 2, versions: 1, anybody: false, with: Mechanisms::ALL });
}

#[test]
fn a_fence_taken_with_the_answer_keeps_what_a_notice_struck() {
    breaks("fence when the answer comes", HEARD, &without(|it| it.fence_before_asking = false));
}

#[test]
fn a_reader_within_an_own_change_leaves_the_old_copy() {
    breaks("not struck after", HEARD, &without(|it| it.struck_after = false));
}

#[test]
fn what_is_called_invalid_is_served_until_redis_has_answered() {
    breaks("not struck before", CALLED, &without(|it| it.struck_before = false));
}

#[test]
fn a_notice_to_an_empty_memory_is_lost() {
    breaks("a notice that voids no fences", HEARD, &without(|it| it.notice_voids_fences = false));
}

#[test]
fn an_older_reader_puts_its_copy_over_what_was_loaded() {
    breaks("published once", AT_REST, &without(|it| it.published_twice = false));
}

#[test]
fn an_older_copy_stays_beside_what_was_published() {
    breaks("what is refused is not struck", AT_REST, &without(|it| it.refused_is_struck = false));
}
