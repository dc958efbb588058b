//! What a workflow says about its credentials: where each value is, never the value itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The name of a value that the asker wants: `access-key-id`, `role-arn`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field(String);

impl Field {
    /// A field by its name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How values lie in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// One entry holds several keys: the reference has the path of the entry, its values are keys.
    MultiKey,
    /// One entry for each value: the reference's values are names of entries.
    SingleKey,
}

/// Where one value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The store has it: under this key of the reference's entry, or as the entry of this name.
    Secret(String),
    /// It is this text. Only for what is not sensitive; what is absent from the store is never taken for one.
    Literal(String),
}

/// All that is wanted from one store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The entry of a multi-key reference: a path, a name or an ARN, in the store's own form. None with single keys.
    pub path: Option<String>,
    /// How values lie in the store.
    pub key_type: KeyType,
    /// Where each field's value comes from.
    pub values: BTreeMap<Field, Value>,
}

/// A reference that cannot be followed, whatever the store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// Several keys of no entry.
    #[error("a multi-key reference needs the path of the entry that holds the keys: give it, or use single keys")]
    NoPath,
    /// A path that nothing would look at.
    #[error("a single-key reference has no path, since each of its values names an entry: leave the path out, or use multi-key")]
    PathWithSingleKeys,
    /// A value without a name to look up.
    #[error("the field {field} names no key or entry: give its name, or leave the field out")]
    NoName {
        /// The field.
        field: Field,
    },
    /// A sensitive value that stands in the reference itself.
    #[error("the field {field} is sensitive and may not be written out: put it into the secret store and refer to it by name")]
    SensitiveLiteral {
        /// The field.
        field: Field,
    },
    /// More than is fetched for one reference.
    #[error("the reference has more than {max} values: ask for fewer")]
    TooMany {
        /// How many there may be.
        max: usize,
    },
}

/// The most values of one reference. Credentials have a handful.
const VALUES_MAX: usize = 64;

impl Reference {
    /// Checks the reference by itself, and that no field of `sensitive` is written out in it.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn validate(&self, sensitive: &[Field]) -> Result<(), ReferenceError> {
        let has_path = self.path.as_ref().is_some_and(|path| !path.trim().is_empty());
        match self.key_type {
            KeyType::MultiKey if !has_path => return Err(ReferenceError::NoPath),
            KeyType::SingleKey if has_path => return Err(ReferenceError::PathWithSingleKeys),
            KeyType::MultiKey | KeyType::SingleKey => {}
        }
        if self.values.len() > VALUES_MAX {
            return Err(ReferenceError::TooMany { max: VALUES_MAX });
        }
        for (field, value) in &self.values {
            match value {
                Value::Secret(name) if name.trim().is_empty() => return Err(ReferenceError::NoName { field: field.clone() }),
                Value::Literal(_) if sensitive.contains(field) => {
                    return Err(ReferenceError::SensitiveLiteral { field: field.clone() });
                }
                Value::Secret(_) | Value::Literal(_) => {}
            }
        }
        Ok(())
    }

    /// The keys or entries that are looked up, each once.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.values
            .values()
            .filter_map(|value| match value {
                Value::Secret(name) => Some(name.as_str()),
                Value::Literal(_) => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(path: Option<&str>, key_type: KeyType, values: &[(&str, Value)]) -> Reference {
        let values = values.iter().map(|(field, value)| (Field::new(*field), value.clone())).collect();
        Reference { path: path.map(str::to_owned), key_type, values }
    }

    #[test]
    fn a_reference_is_sound_only_with_what_its_kind_needs() {
        let secret = || Value::Secret("id".to_owned());
        let of = |path, key_type| reference(path, key_type, &[("access-key-id", secret())]).validate(&[]);
        assert_eq!(of(Some("team/aws"), KeyType::MultiKey), Ok(()));
        assert_eq!(of(None, KeyType::SingleKey), Ok(()));
        assert_eq!(of(None, KeyType::MultiKey), Err(ReferenceError::NoPath));
        assert_eq!(of(Some(" "), KeyType::MultiKey), Err(ReferenceError::NoPath));
        assert_eq!(of(Some("team/aws"), KeyType::SingleKey), Err(ReferenceError::PathWithSingleKeys));
    }

    #[test]
    fn what_is_sensitive_may_not_be_written_out_and_its_text_is_in_no_message() {
        let values =
            [("region", Value::Literal("eu-west-1".to_owned())), ("secret-access-key", Value::Literal("hunter2".to_owned()))];
        let reference = reference(None, KeyType::SingleKey, &values);
        assert_eq!(reference.validate(&[]), Ok(()));
        let refused = reference.validate(&[Field::new("secret-access-key")]).unwrap_err();
        assert_eq!(refused, ReferenceError::SensitiveLiteral { field: Field::new("secret-access-key") });
        assert!(!refused.to_string().contains("hunter2"));
    }

    #[test]
    fn a_name_is_needed_and_values_are_bounded() {
        let empty = reference(None, KeyType::SingleKey, &[("region", Value::Secret(" ".to_owned()))]);
        assert_eq!(empty.validate(&[]), Err(ReferenceError::NoName { field: Field::new("region") }));
        let mut many = reference(None, KeyType::SingleKey, &[]);
        many.values = (0..=VALUES_MAX).map(|number| (Field::new(number.to_string()), Value::Secret("a".to_owned()))).collect();
        assert_eq!(many.validate(&[]), Err(ReferenceError::TooMany { max: VALUES_MAX }));
    }
}
