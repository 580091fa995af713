//! Doubly linked lists over slot numbers, all in one vector.

use super::Id;

const NONE: Id = Id::MAX;

#[derive(Clone, Copy)]
struct Link {
    previous: Id,
    next: Id,
    weight: u32,
    list: u8,
}

/// The links of every slot; a slot is in one list at most.
#[derive(Default)]
pub(super) struct Links(Vec<Link>);

/// One list: its ends, its length, and what its entries weigh together.
pub(super) struct List {
    number: u8,
    head: Id,
    tail: Id,
    len: usize,
    weight: u64,
}

impl Links {
    /// The number of the list that `id` is in.
    pub(super) fn list_of(&self, id: Id) -> Option<u8> {
        self.0.get(id as usize).map(|link| link.list)
    }

    /// Says what the entry weighs; it must be in no list.
    pub(super) fn weigh(&mut self, id: Id, weight: u32) {
        let at = id as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, Link { previous: NONE, next: NONE, weight: 1, list: u8::MAX });
        }
        self.0[at].weight = weight;
    }

    /// Forgets the slots from `end` on, which are in no list.
    pub(super) fn shrink(&mut self, end: Id) {
        self.0.truncate(end as usize);
        self.0.shrink_to((end as usize).next_power_of_two());
    }
}

impl List {
    pub(super) const fn new(number: u8) -> Self {
        Self { number, head: NONE, tail: NONE, len: 0, weight: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn weight(&self) -> u64 {
        self.weight
    }

    /// Adds `id`, which was weighed.
    pub(super) fn push_back(&mut self, links: &mut Links, id: Id) {
        let weight = links.0[id as usize].weight;
        links.0[id as usize] = Link { previous: self.tail, next: NONE, weight, list: self.number };
        self.weight += u64::from(weight);
        match self.tail {
            NONE => self.head = id,
            tail => links.0[tail as usize].next = id,
        }
        self.tail = id;
        self.len += 1;
    }

    pub(super) fn pop_front(&mut self, links: &mut Links) -> Option<Id> {
        let head = self.head;
        (head != NONE).then(|| {
            self.remove(links, head);
            head
        })
    }

    /// Takes `id`, which is in this list, out of it.
    pub(super) fn remove(&mut self, links: &mut Links, id: Id) {
        let link = links.0[id as usize];
        debug_assert_eq!(link.list, self.number);
        match link.previous {
            NONE => self.head = link.next,
            previous => links.0[previous as usize].next = link.next,
        }
        match link.next {
            NONE => self.tail = link.previous,
            next => links.0[next as usize].previous = link.previous,
        }
        links.0[id as usize].list = u8::MAX;
        self.len -= 1;
        self.weight -= u64::from(link.weight);
    }

    /// `id`, which is in this list, weighs something else now.
    pub(super) fn reweigh(&mut self, links: &mut Links, id: Id, weight: u32) {
        let held = &mut links.0[id as usize].weight;
        self.weight = self.weight - u64::from(*held) + u64::from(weight);
        *held = weight;
    }

    /// `to` takes the place of `from`, which is in this list.
    pub(super) fn moved(&mut self, links: &mut Links, from: Id, to: Id) {
        let link = links.0[from as usize];
        match link.previous {
            NONE => self.head = to,
            previous => links.0[previous as usize].next = to,
        }
        match link.next {
            NONE => self.tail = to,
            next => links.0[next as usize].previous = to,
        }
        links.0[to as usize] = link;
        links.0[from as usize].list = u8::MAX;
    }
}
