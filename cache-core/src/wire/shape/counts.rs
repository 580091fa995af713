//! How many fields a type asks for, by its name.

use super::node::Token;
use super::tracer::Tracer;

/// The numbers of fields with which structs, and variants of enums, are read.
#[derive(Clone, Debug, Default)]
pub(in crate::wire) struct Counts(Vec<(&'static str, &'static str, usize)>);

impl Counts {
    /// Of a trace that has seen all.
    pub(super) fn of(tracer: &Tracer) -> Self {
        let mut counts = Vec::new();
        for node in &tracer.nodes {
            match node.token {
                Token::Struct(name, _) | Token::TupleStruct(name, _) => {
                    counts.push((name, "", node.children.len()));
                }
                Token::Enum(name, variants) => {
                    for (variant, child) in variants.iter().zip(&node.children) {
                        let child = &tracer.nodes[*child];
                        if matches!(child.token, Token::StructVariant(_) | Token::TupleVariant(_)) {
                            counts.push((name, variant, child.children.len()));
                        }
                    }
                }
                _ => {}
            }
        }
        counts.sort_unstable();
        counts.dedup();
        Self(counts)
    }

    /// Whether one of this name is read with so many fields, or none of this name is known.
    pub(in crate::wire) fn fit(&self, name: &str, variant: &str, len: usize) -> bool {
        let mut known = self.0.iter().filter(|known| known.0 == name && known.1 == variant).peekable();
        known.peek().is_none() || known.any(|known| known.2 == len)
    }
}
