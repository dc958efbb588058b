//! How lists are cut: `limit` and `cursor` in, `items` and `nextCursor` out.
#![expect(unused_qualifications, reason = "what utoipa derives for a generic struct qualifies what is in scope")]

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

const LIMIT_DEFAULT: u16 = 50;
/// The most items of a page.
pub const LIMIT_MAX: u16 = 200;

/// How many items a page has at most: 1 to 200, 50 when not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(u16);

impl Default for Limit {
    fn default() -> Self {
        Self(LIMIT_DEFAULT)
    }
}

impl Limit {
    /// The number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

/// Reads numbers and their text, because a query string that is flattened into a struct has only text.
impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LimitVisitor)
    }
}

struct LimitVisitor;

impl Visitor<'_> for LimitVisitor {
    type Value = Limit;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a number from 1 to {LIMIT_MAX}")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Limit, E> {
        match u16::try_from(number) {
            Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(Limit(limit)),
            _ => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Limit, E> {
        match text.parse() {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

impl PartialSchema for Limit {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(1))
            .maximum(Some(LIMIT_MAX))
            .default(Some(LIMIT_DEFAULT.into()))
            .into()
    }
}

impl ToSchema for Limit {}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// For the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The page of `items` when one more than `limit` were asked for; `cursor` makes the cursor of the last item that is kept.
    ///
    /// # Errors
    /// Whatever `cursor` says.
    pub fn cut<E>(mut items: Vec<T>, limit: Limit, cursor: impl FnOnce(&T) -> Result<String, E>) -> Result<Self, E> {
        let more = items.len() > usize::from(limit.get());
        items.truncate(limit.get().into());
        let next_cursor = items.last().filter(|_| more).map(cursor).transpose()?;
        Ok(Self { items, next_cursor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_from_1_to_200_are_taken_as_number_and_as_text() {
        for (json, expected) in [("1", 1), ("200", 200), ("\"7\"", 7)] {
            assert_eq!(serde_json::from_str::<Limit>(json).unwrap().get(), expected);
        }
        for json in ["0", "201", "-1", "\"x\"", "\"0\"", "70000", "null"] {
            let error = serde_json::from_str::<Limit>(json).unwrap_err().to_string();
            assert!(error.contains("a number from 1 to 200"), "{error}");
        }
        assert_eq!(Limit::default().get(), 50);
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        let cut = |items| Page::cut(items, Limit(2), |last: &u8| Ok::<_, ()>(last.to_string())).unwrap();
        let full = cut(vec![1, 2, 3]);
        assert_eq!((full.items, full.next_cursor), (vec![1, 2], Some("2".to_owned())));
        assert_eq!(cut(vec![1, 2]).next_cursor, None);
    }
}
