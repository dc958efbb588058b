//! Arguments of jobs, triggers and workflows: the names say how a job is set up, the values may be passwords. Only values of
//! flags that are known to be safe are kept.

use std::fmt;

use model::Value;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{MaskedCounts, MaskedPlace, Text, clean_location, scrub};

/// Special parameters of AWS Glue whose values are settings (AWS Glue developer guide, "Using job parameters").
pub(super) const SAFE_FLAGS: &[&str] = &[
    "--job-language",
    "--job-bookmark-option",
    "--datalake-formats",
    "--class",
    "--python-modules-installer-option",
    "--conf-version",
    "--auto-scale-within-microbatch",
    "--continuous-log-logGroup",
];

/// Safe flags by how they begin: switches.
pub(super) const SAFE_FLAG_PREFIXES: &[&str] = &["--enable-", "--disable-"];

/// Flags whose values are paths: kept without user info, queries and partition values.
pub(super) const PATH_FLAGS: &[&str] =
    &["--extra-py-files", "--extra-jars", "--extra-files", "--TempDir", "--spark-event-logs-path", "--scriptLocation"];

/// A map of arguments. Values of flags that are not known to be safe are skipped by the parser and never held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arguments<'a> {
    kept: Vec<(Text<'a>, Text<'a>)>,
    masked_names: Vec<Text<'a>>,
}

struct ArgumentsVisitor;

impl<'de> Visitor<'de> for ArgumentsVisitor {
    type Value = Arguments<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of arguments")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Arguments::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut arguments = Arguments::default();
        while let Some(name) = map.next_key::<Text<'de>>()? {
            if is_safe(&name) {
                if let Some(value) = map.next_value::<Option<Text<'de>>>()? {
                    arguments.kept.push((name, value));
                }
            } else {
                map.next_value::<IgnoredAny>()?;
                arguments.masked_names.push(name);
            }
        }
        Ok(arguments)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Arguments<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct("Arguments", ArgumentsVisitor)
    }
}

fn is_safe(name: &str) -> bool {
    SAFE_FLAGS.contains(&name) || PATH_FLAGS.contains(&name) || SAFE_FLAG_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

impl Arguments<'_> {
    /// The safe flags with their values.
    pub(crate) fn to_value(&self, masked: &MaskedCounts) -> Value {
        masked.add(MaskedPlace::Argument, self.masked_names.len() as u64);
        let keep = |name: &str, value: &str| {
            let value = if PATH_FLAGS.contains(&name) {
                value.split(',').map(clean_location).collect::<Vec<_>>().join(",")
            } else {
                value.to_owned()
            };
            let (value, count) = scrub(&value);
            masked.add(MaskedPlace::Argument, count);
            Value::Text(value.into_owned())
        };
        Value::Map(self.kept.iter().map(|(name, value)| (name.to_string(), keep(name, value))).collect())
    }

    /// The names of the arguments whose values were masked.
    pub(crate) fn masked_names(&self) -> Value {
        Value::texts(self.masked_names.iter().map(|name| scrub(name).0.into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_flags_keep_their_values() {
        let json = r#"{"--job-language":"python","--db-password":"CANARY","--enable-metrics":"true",
            "--extra-py-files":"s3://u:CANARY@b/a.zip?sig=CANARY,s3://b/c.zip","--conf":"spark.x=CANARY"}"#;
        let arguments: Arguments<'_> = serde_json::from_str(json).unwrap();
        let masked = MaskedCounts::default();
        let kept = format!("{:?} {:?}", arguments.to_value(&masked), arguments.masked_names());
        assert!(!kept.contains("CANARY"), "{kept}");
        assert!(kept.contains("s3://b/a.zip,s3://b/c.zip") && kept.contains("--db-password") && kept.contains("python"), "{kept}");
        assert_eq!(masked.to_map()["job-argument"], 2);
    }
}
