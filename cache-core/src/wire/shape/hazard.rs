//! What a codec cannot carry, although a type can be traced.

use super::node::{Id, Token};
use super::tracer::Tracer;

/// What a codec cannot carry of a type.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::wire) struct Hazards {
    /// A sequence of elements that are no bytes at all in `postcard` and `bincode`: three bytes could say that there
    /// are 2⁶⁴ of them.
    pub(in crate::wire) nothings: bool,
    /// An option of what is `null` in `json`, as is its `None`.
    pub(in crate::wire) nulls: bool,
}

impl Hazards {
    pub(super) fn of(tracer: &Tracer) -> Self {
        let mut found = Self::default();
        for node in &tracer.nodes {
            let mut children = node.children.iter();
            match node.token {
                Token::Seq | Token::Map if !node.children.is_empty() => {
                    found.nothings |= children.all(|child| is_nothing(tracer, *child, 0));
                }
                Token::Option => found.nulls |= children.any(|child| is_null(tracer, *child, 0)),
                _ => {}
            }
        }
        found
    }
}

/// Whether it takes no byte. What is inside itself takes some for saying whether it is there.
fn is_nothing(tracer: &Tracer, id: Id, depth: usize) -> bool {
    let node = &tracer.nodes[id];
    if depth > tracer.nodes.len() {
        return false;
    }
    match node.token {
        Token::Unit | Token::UnitStruct(_) => true,
        Token::Same(first) => is_nothing(tracer, first, depth + 1),
        Token::Tuple(_) | Token::Newtype(_) | Token::TupleStruct(..) | Token::Struct(..) => {
            node.children.iter().all(|child| is_nothing(tracer, *child, depth + 1))
        }
        _ => false,
    }
}

/// Whether it may be written as `null`.
fn is_null(tracer: &Tracer, id: Id, depth: usize) -> bool {
    let node = &tracer.nodes[id];
    if depth > tracer.nodes.len() {
        return false;
    }
    match node.token {
        Token::Unit | Token::UnitStruct(_) | Token::Option => true,
        Token::Same(first) => is_null(tracer, first, depth + 1),
        Token::Newtype(_) => node.children.iter().any(|child| is_null(tracer, *child, depth + 1)),
        _ => false,
    }
}
