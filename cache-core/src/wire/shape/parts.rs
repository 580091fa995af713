//! What types with parts read their parts from.

use serde::de::value::{StrDeserializer, U32Deserializer};
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::node::Token;
use super::tracer::{At, Fault, Refused};

/// The elements of a sequence, a tuple or a struct.
pub(super) struct Elements<'t> {
    at: At<'t>,
    next: usize,
    count: usize,
}

impl<'t> Elements<'t> {
    pub(super) fn of(at: At<'t>, count: usize) -> Self {
        Self { at, next: 0, count }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Refused;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refused> {
        if self.next == self.count {
            return Ok(None);
        }
        let number = self.next;
        self.next += 1;
        self.at.part(number, seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.count - self.next)
    }
}

/// The one entry of a map, or none.
pub(super) struct Pair<'t> {
    at: At<'t>,
    left: usize,
}

impl<'t> Pair<'t> {
    pub(super) fn of(at: At<'t>) -> Self {
        let left = usize::from(!at.short);
        Self { at, left }
    }
}

impl<'de> MapAccess<'de> for Pair<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left = 0;
        self.at.part(0, seed).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        self.at.part(1, seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// The fields of a struct that takes them by name alone.
pub(super) struct Fields<'t> {
    at: At<'t>,
    fields: &'static [&'static str],
    next: usize,
}

impl<'t> Fields<'t> {
    pub(super) fn of(at: At<'t>, fields: &'static [&'static str]) -> Self {
        Self { at, fields, next: 0 }
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        let Some(field) = self.fields.get(self.next) else { return Ok(None) };
        self.next += 1;
        let field: StrDeserializer<'_, Refused> = field.into_deserializer();
        seed.deserialize(field).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        // After its name, by the contract of `MapAccess`; were it before all, it would be the first.
        self.at.part(self.next.saturating_sub(1), seed)
    }
}

/// One variant of an enum.
pub(super) struct Variant<'t> {
    /// The enum's place, then the variant's.
    at: At<'t>,
    number: usize,
    name: &'static str,
}

impl<'t> Variant<'t> {
    /// Visits one that was not visited yet; where a short value will do, one that has an end.
    pub(super) fn visit<'de, V: Visitor<'de>>(
        at: At<'t>,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let At { tracer, node, short } = at;
        variants.iter().enumerate().for_each(|(number, _)| {
            tracer.child(node, number);
        });
        let this = &tracer.nodes[node];
        let new = |number: &usize| !this.open.contains(number) && !tracer.nodes[this.children[*number]].done;
        let unknown = |number: &usize| {
            !this.open.contains(number) && tracer.nodes[this.children[*number]].token != Token::NoVariant
        };
        let mut all = 0..variants.len();
        let chosen =
            if short { this.ending.or_else(|| all.find(unknown)) } else { all.find(new).or(this.ending) };
        let Some(number) = chosen else {
            return Err(tracer.stuck("it has a variant without end, or none at all".into()));
        };
        tracer.nodes[node].open.push(number);
        let at = At { tracer: &mut *tracer, node, short };
        let value = visitor.visit_enum(Variant { at, number, name: variants[number] })?;
        let this = &mut tracer.nodes[node];
        this.open.pop();
        this.ending.get_or_insert(number);
        Ok(value)
    }
}

impl<'de, 't> EnumAccess<'de> for Variant<'t> {
    type Error = Refused;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Refused> {
        let Self { at: At { tracer, node, short }, number, name } = self;
        let node = tracer.child(node, number);
        let value = if tracer.human {
            let name: StrDeserializer<'_, Refused> = name.into_deserializer();
            seed.deserialize(name)
        } else {
            let number: U32Deserializer<Refused> = (number as u32).into_deserializer();
            seed.deserialize(number)
        };
        if value.is_err() {
            tracer.fault.get_or_insert(Fault::NoVariant(node));
        }
        Ok((value?, Self { at: At { tracer, node, short }, number, name }))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        self.at.tracer.note(self.at.node, Token::UnitVariant, "")
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<S::Value, Refused> {
        self.at.tracer.note(self.at.node, Token::NewtypeVariant, "")?;
        self.at.part(0, seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Refused> {
        self.at.tracer.note(self.at.node, Token::TupleVariant(len), "")?;
        visitor.visit_seq(Elements::of(self.at, len))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.at.tracer.note(self.at.node, Token::StructVariant(fields), "")?;
        visitor.visit_seq(Elements::of(self.at, fields.len()))
    }
}
