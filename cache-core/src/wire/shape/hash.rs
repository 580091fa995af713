//! The hash of a trace: 64 bits of SHA-256 of what was asked for, in the order in which the type has it.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::node::{Id, Token};
use super::tracer::Tracer;

/// Raised when the same type is to hash to something else than before.
const VERSION: u8 = 1;

pub(super) fn hash(tracer: &Tracer, whole: bool) -> u64 {
    let mut walk = Walk { tracer, numbers: HashMap::new(), hash: Sha256::new() };
    walk.hash.update([VERSION, tracer.human.into(), whole.into()]);
    walk.node(0);
    let hash = walk.hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(first)
}

struct Walk<'t> {
    tracer: &'t Tracer,
    /// The types met, in their order: what is met again is its number.
    numbers: HashMap<Id, usize>,
    hash: Sha256,
}

impl Walk<'_> {
    fn node(&mut self, id: Id) {
        let node = &self.tracer.nodes[id];
        let id = if let Token::Same(first) = node.token { first } else { id };
        let node = &self.tracer.nodes[id];
        if node.token.is_named() {
            let next = self.numbers.len();
            if let Some(number) = self.numbers.get(&id) {
                let number = *number;
                return self.word("again", &[], number);
            }
            self.numbers.insert(id, next);
        }
        let children = node.children.len();
        match node.token {
            Token::Unseen => self.word("unseen", &[], children),
            Token::Leaf(leaf) => self.word(leaf.name(), &[], children),
            Token::Any => self.word("any", &[], children),
            Token::Unit => self.word("unit", &[], children),
            Token::UnitStruct(name) => self.word("unit struct", &[name], children),
            Token::Option => self.word("option", &[], children),
            Token::Seq => self.word("seq", &[], children),
            Token::Map => self.word("map", &[], children),
            Token::Tuple(_) => self.word("tuple", &[], children),
            Token::Newtype(name) => self.word("newtype", &[name], children),
            Token::TupleStruct(name, _) => self.word("tuple struct", &[name], children),
            Token::Struct(name, fields) => self.names("struct", name, fields, children),
            Token::Enum(name, variants) => self.names("enum", name, variants, children),
            Token::UnitVariant => self.word("unit variant", &[], children),
            Token::NewtypeVariant => self.word("newtype variant", &[], children),
            Token::TupleVariant(_) => self.word("tuple variant", &[], children),
            Token::StructVariant(fields) => self.names("struct variant", "", fields, children),
            Token::NoVariant => self.word("no variant", &[], children),
            Token::Same(_) => self.word("same", &[], children),
        }
        for child in &node.children {
            self.node(*child);
        }
    }

    fn names(&mut self, word: &str, name: &str, names: &[&str], children: usize) {
        self.word(word, &[name], names.len());
        self.word("", names, children);
    }

    /// Each text with its length before it, lest two lists of texts be one.
    fn word(&mut self, word: &str, texts: &[&str], number: usize) {
        for text in [word].iter().chain(texts) {
            self.hash.update((text.len() as u64).to_le_bytes());
            self.hash.update(text.as_bytes());
        }
        self.hash.update((number as u64).to_le_bytes());
    }
}
