//! Locations: URLs and paths, cleaned on the way in. What signs in, what signs a request and what names a partition's value never
//! gets past the parser.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use model::location::clean_url;
use serde::de::{Deserialize, Deserializer, Visitor};

use super::Text;

/// A location without user info, query, fragment and partition values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Location(String);

impl Deref for Location {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

struct LocationVisitor;

impl<'de> Visitor<'de> for LocationVisitor {
    type Value = Location;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a location")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Location, D::Error> {
        Text::deserialize(deserializer).map(|text| Location(clean_location(&text)))
    }
}

impl<'de> Deserialize<'de> for Location {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct("Location", LocationVisitor)
    }
}

/// The location without user info, query, fragment and the values of `key=value` segments.
pub(crate) fn clean_location(location: &str) -> String {
    clean_url(&without_user_info(location.trim()))
}

/// Cuts `user:password@` also where the password has a slash in it (keys of AWS do) or where there is no scheme.
fn without_user_info(location: &str) -> Cow<'_, str> {
    let rest_at = location.find("://").map_or(0, |at| at + "://".len());
    let (scheme, rest) = location.split_at(rest_at);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((_, after_colon)) = authority.split_once(':') else { return Cow::Borrowed(location) };
    if after_colon.bytes().all(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(location);
    }
    rest.rsplit_once('@').map_or(Cow::Borrowed(location), |(_, after)| Cow::Owned(format!("{scheme}{after}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_locations_do_not_pass_in_any_place() {
        for (location, clean) in [
            ("s3://AKIA:CANARY/CANARY@bucket/raw/", "s3://bucket/raw/"),
            ("s3://user:CANARY@bucket/raw", "s3://bucket/raw"),
            ("bob:CANARY@host/db", "host/db"),
            ("s3://bucket/raw?X-Amz-Signature=CANARY#CANARY", "s3://bucket/raw"),
            ("s3://bucket/raw/dt=CANARY/x", "s3://bucket/raw/dt=*/x"),
            ("hdfs://node:8020/user/a@b/x", "hdfs://node:8020/user/a@b/x"),
            ("s3://bucket/a@b/c", "s3://bucket/a@b/c"),
            ("shop/public/%", "shop/public/%"),
        ] {
            assert_eq!(clean_location(location), clean);
        }
    }

    #[test]
    fn a_location_is_clean_as_soon_as_it_is_parsed() {
        let location: Location = serde_json::from_str(r#""s3://u:CANARY@b/x\u002fy""#).unwrap();
        assert_eq!(&*location, "s3://b/x/y");
    }
}
