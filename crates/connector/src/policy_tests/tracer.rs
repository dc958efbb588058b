//! A deserializer that has every member of a shape to offer and writes down what the page structs do with each: ask for it, take it
//! through a type that masks, or let it pass.

use std::cell::RefCell;

use serde::de::value::{BorrowedStrDeserializer, Error, MapDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::shapes::{Model, Shape};

/// How `serde_json` names the type that takes JSON as it stands.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// What becomes of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// Parsed as it stands.
    Kept,
    /// Parsed by the type of this name, which masks.
    Through(&'static str),
    /// Handed on as JSON to a parser of its own.
    Raw,
    /// Skipped.
    Dropped,
}

#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) rows: RefCell<Vec<(String, Fate)>>,
    /// Members that a struct asks for and the model does not have.
    pub(super) unknown: RefCell<Vec<String>>,
}

/// One member of a shape, offered to a struct.
#[derive(Clone)]
pub(super) struct Member<'t> {
    pub(super) model: &'t Model,
    pub(super) trace: &'t Trace,
    pub(super) shape: &'t str,
    pub(super) path: String,
    /// Inside a type that masks: whatever it does there is its own business.
    pub(super) is_inside: bool,
    /// Of a structure that is read as a map, the one member to offer.
    pub(super) only: Option<&'t str>,
}

impl<'t> Member<'t> {
    /// A shape that is offered from its top.
    pub(super) fn whole(model: &'t Model, trace: &'t Trace, shape: &'t str) -> Self {
        Self { model, trace, shape, path: String::new(), is_inside: false, only: None }
    }

    fn note(&self, fate: Fate) {
        if !self.is_inside {
            self.trace.rows.borrow_mut().push((self.path.clone(), fate));
        }
    }

    fn below(&self, shape: &'t str, path: String) -> Self {
        Self { shape, path, only: None, ..self.clone() }
    }

    fn kept<T>(&self, value: T) -> T {
        self.note(Fate::Kept);
        value
    }

    fn members(&self) -> Members<'t> {
        if let Some(Shape::Map { value }) = self.model.shapes.get(self.shape) {
            // One entry stands for all of a map; that its keys are asked for is a row of its own.
            let entry = self.below(value, format!("{}.*", self.path));
            entry.note(Fate::Kept);
            return Members { rest: vec![("*", entry)].into_iter(), value: None };
        }
        let members = self.model.members(self.shape).iter().filter(|(name, _)| self.only.is_none_or(|only| only == *name));
        let members = members.map(|(name, shape)| {
            let path = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
            (name.as_str(), self.below(shape, path))
        });
        Members { rest: members.collect::<Vec<_>>().into_iter(), value: None }
    }
}

struct Members<'t> {
    rest: std::vec::IntoIter<(&'t str, Member<'t>)>,
    value: Option<Member<'t>>,
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, member)) = self.rest.next() else { return Ok(None) };
        self.value = Some(member);
        let key: StrDeserializer<'_, Error> = name.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.value.take().ok_or_else(|| Error::custom("a value without a key"))?)
    }
}

struct One<'t>(Option<Member<'t>>);

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.take().map(|element| seed.deserialize(element)).transpose()
    }
}

impl<'de> Deserializer<'de> for Member<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_inside {
            return visitor.visit_unit();
        }
        if self.model.shapes.contains_key(self.shape) {
            return Err(Error::custom(format!("{} is read whatever it is, and nothing says what becomes of it", self.path)));
        }
        visitor.visit_borrowed_str(self.kept("x"))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note(Fate::Dropped);
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let members = self.model.members(self.shape);
        let unknown = fields.iter().filter(|field| !members.contains_key(**field)).map(|field| format!("{}.{field}", self.path));
        self.trace.unknown.borrow_mut().extend(unknown);
        visitor.visit_map(self.members())
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self.members())
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Some(Shape::List { member }) = self.model.shapes.get(self.shape) else {
            return Err(Error::custom(format!("{} is no list", self.path)));
        };
        visitor.visit_seq(One(Some(self.below(member, format!("{}[]", self.path)))))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name == RAW_VALUE {
            self.note(Fate::Raw);
            return visitor.visit_map(MapDeserializer::new(std::iter::once((RAW_VALUE, BorrowedStrDeserializer::new("null")))));
        }
        self.note(Fate::Through(name));
        visitor.visit_newtype_struct(Self { is_inside: true, ..self })
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.kept("x"))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.kept("x"))
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.kept(1.0))
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_i64(self.kept(1))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.kept(true))
    }

    // What no page struct asks for comes back as an error of the visitor, and the test fails.
    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
    }
}
