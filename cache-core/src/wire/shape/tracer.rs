//! The deserializer that notes what it is asked for.

use std::any::type_name;
use std::collections::HashMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

use super::node::{Id, Leaf, Node, Token};
use super::parts::{Elements, Fields, Pair, Variant};

/// What is known so far, and what happened in this run.
pub(super) struct Tracer {
    pub(super) nodes: Vec<Node>,
    /// Where each type with a name was met first.
    defined: HashMap<(&'static str, Token), Id>,
    pub(super) human: bool,
    /// What went wrong first in this run.
    pub(super) fault: Option<Fault>,
    /// The leaves that this run came to.
    pub(super) leaves: Vec<Id>,
    /// What the type asked for that is not to be had without a codec that describes itself.
    pub(super) asks: Option<&'static str>,
    depth: usize,
    steps: usize,
}

/// Types that nest deeper are not traced: the stack has an end.
const DEEPEST: usize = 128;

/// Nor larger ones: some seconds without optimisation.
const MOST_STEPS: usize = 2_000_000;

/// Why a run ended early.
#[derive(Debug)]
pub(super) enum Fault {
    /// This leaf refused its sample.
    Leaf(Id, String),
    /// A type refused what it had read; its leaves are those from this number on.
    Inside(Id, usize, String),
    /// This variant is listed, and the type does not know it.
    NoVariant(Id),
    /// There is no way on.
    Stuck(String),
}

/// The error of a run. What is to be known of it stands in [`Tracer::fault`].
#[derive(Debug)]
pub(super) struct Refused(pub(super) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl Tracer {
    pub(super) fn new(human: bool) -> Self {
        let root = vec![Node::default()];
        Self {
            nodes: root,
            defined: HashMap::new(),
            human,
            fault: None,
            leaves: Vec::new(),
            asks: None,
            depth: 0,
            steps: 0,
        }
    }

    pub(super) fn child(&mut self, parent: Id, number: usize) -> Id {
        while self.nodes[parent].children.len() <= number {
            let id = self.nodes.len();
            self.nodes.push(Node::default());
            self.nodes[parent].children.push(id);
        }
        self.nodes[parent].children[number]
    }

    /// Notes that `token` is asked for at a place.
    pub(super) fn note(&mut self, id: Id, token: Token, visitor: &'static str) -> Result<(), Refused> {
        let node = &mut self.nodes[id];
        if node.token == Token::Unseen {
            (node.token, node.visitor) = (token, visitor);
        } else if node.token != token || node.visitor != visitor {
            let message = format!("it asks for {token:?} where it asked for {:?} before", node.token);
            return Err(self.stuck(message));
        }
        Ok(())
    }

    pub(super) fn stuck(&mut self, message: String) -> Refused {
        self.fault.get_or_insert_with(|| Fault::Stuck(message.clone()));
        Refused(message)
    }

    /// Answers what is asked for at a place.
    pub(super) fn visit<'de, S: DeserializeSeed<'de>>(
        &mut self,
        node: Id,
        short: bool,
        seed: S,
    ) -> Result<S::Value, Refused> {
        let leaves = self.leaves.len();
        self.deeper()?;
        let value = seed.deserialize(At { tracer: self, node, short });
        if let Err(error) = &value {
            self.fault.get_or_insert_with(|| Fault::Inside(node, leaves, error.to_string()));
        }
        self.depth -= 1;
        value
    }

    /// One step into the type, to be taken back in `depth`.
    fn deeper(&mut self) -> Result<(), Refused> {
        self.steps += 1;
        self.depth += 1;
        if self.depth > DEEPEST || self.steps > MOST_STEPS {
            return Err(self.stuck("it is too deep, or too large".into()));
        }
        Ok(())
    }

    /// Before the next run.
    pub(super) fn begin(&mut self) {
        self.fault = None;
        self.leaves.clear();
        self.depth = 0;
        self.nodes.iter_mut().for_each(|node| node.open.clear());
    }
}

/// A place in the type, as a deserializer.
pub(super) struct At<'t> {
    pub(super) tracer: &'t mut Tracer,
    pub(super) node: Id,
    /// It is known already, or being visited further up: the shortest value will do, and has an end.
    pub(super) short: bool,
}

impl At<'_> {
    /// Answers what is asked for as a part of this.
    pub(super) fn part<'de, S: DeserializeSeed<'de>>(
        &mut self,
        number: usize,
        seed: S,
    ) -> Result<S::Value, Refused> {
        let node = self.tracer.child(self.node, number);
        self.tracer.visit(node, self.short, seed)
    }

    fn leaf<'de, V: Visitor<'de>>(self, leaf: Leaf, visitor: V) -> Result<V::Value, Refused> {
        let Self { tracer, node, .. } = self;
        tracer.note(node, Token::Leaf(leaf), "")?;
        tracer.leaves.push(node);
        let sample = tracer.nodes[node].sample;
        let value = leaf.visit(sample, visitor);
        if let Err(Refused(why)) = &value {
            tracer.fault.get_or_insert_with(|| Fault::Leaf(node, why.clone()));
        }
        value
    }

    /// Answers with nothing, since nobody knows what is meant.
    fn any<'de, V: Visitor<'de>>(self, what: &'static str, visitor: V) -> Result<V::Value, Refused> {
        self.tracer.asks.get_or_insert(what);
        self.tracer.note(self.node, Token::Any, "")?;
        visitor.visit_unit()
    }

    /// Notes a type with a name, or that it is one met before.
    fn named<V>(self, token: Token) -> Result<Self, Refused> {
        let Self { tracer, node, short } = self;
        let visitor = type_name::<V>();
        if tracer.nodes[node].token == Token::Unseen {
            let first = *tracer.defined.entry((visitor, token)).or_insert(node);
            if first != node {
                tracer.nodes[node].token = Token::Same(first);
            }
        }
        let (node, short) = match tracer.nodes[node].token {
            Token::Same(first) => (first, true),
            _ => (node, short),
        };
        tracer.note(node, token, visitor)?;
        Ok(Self { tracer, node, short })
    }
}

/// The words that are answered with samples.
macro_rules! leaves {
    ($($word:ident: $leaf:ident;)*) => {
        $(fn $word<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            self.leaf(Leaf::$leaf, visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for At<'_> {
    type Error = Refused;

    leaves! {
        deserialize_bool: Bool;
        deserialize_i8: I8;
        deserialize_i16: I16;
        deserialize_i32: I32;
        deserialize_i64: I64;
        deserialize_i128: I128;
        deserialize_u8: U8;
        deserialize_u16: U16;
        deserialize_u32: U32;
        deserialize_u64: U64;
        deserialize_u128: U128;
        deserialize_f32: F32;
        deserialize_f64: F64;
        deserialize_char: Char;
        deserialize_str: Str;
        deserialize_string: Str;
        deserialize_bytes: Bytes;
        deserialize_byte_buf: Bytes;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.any("what is there", visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.any("for names, as with `flatten` or `tag`", visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.any("to pass over what is there", visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let Self { tracer, node, short } = self;
        tracer.note(node, Token::Option, "")?;
        if short {
            return visitor.visit_none();
        }
        let node = tracer.child(node, 0);
        tracer.deeper()?;
        let value = visitor.visit_some(At { tracer: &mut *tracer, node, short });
        tracer.depth -= 1;
        value
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.tracer.note(self.node, Token::Unit, "")?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.tracer.note(self.node, Token::UnitStruct(name), "")?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let Self { tracer, node, short } = self.named::<V>(Token::Newtype(name))?;
        let node = tracer.child(node, 0);
        tracer.deeper()?;
        let value = visitor.visit_newtype_struct(At { tracer: &mut *tracer, node, short });
        tracer.depth -= 1;
        value
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.tracer.note(self.node, Token::Seq, "")?;
        let count = usize::from(!self.short);
        visitor.visit_seq(Elements::of(self, count))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Refused> {
        self.tracer.note(self.node, Token::Tuple(len), "")?;
        visitor.visit_seq(Elements::of(self, len))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let at = self.named::<V>(Token::TupleStruct(name, len))?;
        visitor.visit_seq(Elements::of(at, len))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.tracer.note(self.node, Token::Map, "")?;
        visitor.visit_map(Pair::of(self))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let at = self.named::<V>(Token::Struct(name, fields))?;
        if at.tracer.nodes[at.node].sample == 0 {
            visitor.visit_seq(Elements::of(at, fields.len()))
        } else {
            visitor.visit_map(Fields::of(at, fields))
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let at = self.named::<V>(Token::Enum(name, variants))?;
        Variant::visit(at, variants, visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.tracer.human
    }
}
