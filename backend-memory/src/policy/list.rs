//! Doubly linked lists over slot numbers, all in one vector.

use super::Id;

const NONE: Id = Id::MAX;

#[derive(Clone, Copy)]
struct Link {
    previous: Id,
    next: Id,
    list: u8,
}

/// The links of every slot; a slot is in one list at most.
#[derive(Default)]
pub(super) struct Links(Vec<Link>);

/// One list: its ends and its length.
pub(super) struct List {
    number: u8,
    head: Id,
    tail: Id,
    len: usize,
}

impl Links {
    /// The number of the list that `id` is in.
    pub(super) fn list_of(&self, id: Id) -> Option<u8> {
        self.0.get(id as usize).map(|link| link.list)
    }
}

impl List {
    pub(super) const fn new(number: u8) -> Self {
        Self { number, head: NONE, tail: NONE, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push_back(&mut self, links: &mut Links, id: Id) {
        let at = id as usize;
        if at >= links.0.len() {
            links.0.resize(at + 1, Link { previous: NONE, next: NONE, list: u8::MAX });
        }
        links.0[at] = Link { previous: self.tail, next: NONE, list: self.number };
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
    }
}
