//! From a reference to its values: the secret store is asked just in time, and nothing is kept.

use std::collections::BTreeMap;

use model::Secret;
use serde::Deserialize;
use wire::{Blame, CredentialReference, FieldValue, KeyType};

/// Fields whose value may not stand in a reference.
const SENSITIVE: [&str; 2] = ["password", "session_token"];

/// The values of a credential. Drop them as soon as they are used.
#[derive(Debug, Default)]
pub(crate) struct Fields(BTreeMap<String, Secret>);

impl Fields {
    /// A value, for the moment of use.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(Secret::expose)
    }

    /// A value, for good.
    pub(crate) fn take(&mut self, field: &str) -> Option<Secret> {
        self.0.remove(field)
    }
}

/// Why a value could not be had. No message holds one.
#[derive(Clone, Debug)]
pub(crate) struct SecretFailure {
    pub(crate) kind: SecretFault,
    pub(crate) message: String,
    pub(crate) remedy: String,
}

/// What is the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretFault {
    /// The store answers, and does not have it.
    Missing,
    /// The store answers, and has something else.
    Malformed,
    /// The reference or the configuration cannot work.
    Misconfigured,
}

impl SecretFailure {
    /// Whose matter it is: an outage passes by itself, what is missing or denied does not.
    pub(crate) const fn blame(&self) -> Blame {
        match self.kind {
            SecretFault::Missing | SecretFault::Malformed => Blame::Source,
            SecretFault::Misconfigured => Blame::Operator,
        }
    }
}

/// The secret stores of the configuration, by name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretStores(BTreeMap<String, StoreSettings>);

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum StoreSettings {
    Environment {
        #[serde(default)]
        prefix: String,
    },
}

/// Where credentials come from.
#[derive(Debug)]
pub(crate) struct Credentials {
    stores: SecretStores,
    default: Option<String>,
}

impl Credentials {
    /// The stores of a configuration.
    pub(crate) fn new(stores: SecretStores, default: Option<String>) -> Self {
        Self { stores, default }
    }

    /// Fetches the values of a reference. What names no secret asks no store.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(crate) async fn fetch(&self, reference: &CredentialReference) -> Result<Fields, SecretFailure> {
        let mut fields = BTreeMap::new();
        for (field, value) in &reference.values {
            let value = match value {
                FieldValue::Literal(_) if SENSITIVE.contains(&field.as_str()) => return Err(literal(field)),
                FieldValue::Literal(text) => Secret::new(text.clone()),
                FieldValue::Secret(name) => self.secret(reference, name)?,
            };
            fields.insert(field.clone(), value);
        }
        Ok(Fields(fields))
    }

    fn secret(&self, reference: &CredentialReference, name: &str) -> Result<Secret, SecretFailure> {
        let store = reference.secret_store.as_ref().or(self.default.as_ref());
        let store = store.and_then(|store| self.stores.0.get(store)).ok_or_else(|| unknown(store))?;
        let StoreSettings::Environment { prefix } = store;
        let entry = match (reference.key_type, &reference.secret_path) {
            (KeyType::MultiKey, Some(path)) => path,
            (KeyType::MultiKey | KeyType::SingleKey, _) => name,
        };
        let text = std::env::var(format!("{prefix}{entry}")).map(Secret::new).map_err(|_absent| missing(entry))?;
        if reference.key_type == KeyType::SingleKey {
            return Ok(text);
        }
        let mut keys: BTreeMap<String, String> = serde_json::from_str(text.expose()).map_err(|_malformed| malformed(entry))?;
        keys.remove(name).map(Secret::new).ok_or_else(|| missing(name))
    }
}

fn literal(field: &str) -> SecretFailure {
    SecretFailure {
        kind: SecretFault::Misconfigured,
        message: format!("the field `{field}` of the credential is sensitive and may not be written out"),
        remedy: "Put it into the secret store and refer to it by name.".to_owned(),
    }
}

fn unknown(store: Option<&String>) -> SecretFailure {
    let message = match store {
        Some(store) => format!("this runtime has no secret store `{store}`"),
        None => "the credential names no secret store, and this runtime has no default-secret-store".to_owned(),
    };
    SecretFailure { kind: SecretFault::Misconfigured, message, remedy: "Add it to the configuration of the runtime.".to_owned() }
}

fn missing(name: &str) -> SecretFailure {
    SecretFailure {
        kind: SecretFault::Missing,
        message: format!("the secret store does not have `{name}`"),
        remedy: "Store it there, or correct the credential.".to_owned(),
    }
}

fn malformed(name: &str) -> SecretFailure {
    SecretFailure {
        kind: SecretFault::Malformed,
        message: format!("the entry `{name}` of the secret store is no JSON object of keys"),
        remedy: "Store the keys as {\"key\": \"value\", …}, or refer to it with single keys.".to_owned(),
    }
}
