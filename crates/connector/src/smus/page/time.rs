//! Points in time: seconds since 1970 UTC as a number, or ISO 8601 text, as the member's place in the API decides.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time in milliseconds since 1970 UTC; none where the service wrote something that is no time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timestamp(pub(crate) Option<i64>);

struct TimestampVisitor;

impl<'de> Visitor<'de> for TimestampVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a point in time")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Timestamp, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_unit<E>(self) -> Result<Timestamp, E> {
        Ok(Timestamp(None))
    }

    fn visit_f64<E>(self, seconds: f64) -> Result<Timestamp, E> {
        #[expect(clippy::cast_possible_truncation, reason = "a cast saturates; times of catalogs are far inside the range")]
        Ok(Timestamp(Some((seconds * 1000.0).round() as i64)))
    }

    fn visit_u64<E>(self, seconds: u64) -> Result<Timestamp, E> {
        Ok(Timestamp(i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1000))))
    }

    fn visit_i64<E>(self, seconds: i64) -> Result<Timestamp, E> {
        Ok(Timestamp(seconds.checked_mul(1000)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Timestamp, E> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok();
        Ok(Timestamp(moment.and_then(|moment| i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok())))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct("Timestamp", TimestampVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_either_form_and_what_is_none_costs_nothing_else() {
        for (json, expected) in [
            ("1700000000", Some(1_700_000_000_000)),
            ("1700000000.25", Some(1_700_000_000_250)),
            ("\"2025-01-01T00:00:00Z\"", Some(1_735_689_600_000)),
            ("\"2025-01-01T01:00:00.5+01:00\"", Some(1_735_689_600_500)),
            ("\"yesterday\"", None),
            ("null", None),
        ] {
            assert_eq!(serde_json::from_str::<Timestamp>(json).unwrap().0, expected, "{json}");
        }
    }
}
