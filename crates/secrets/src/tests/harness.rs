//! Opens stores from the text of a configuration, and makes references.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{
    Context, Field, KeyType, Limits, Reference, Resolved, SecretError, Store, StoreConfiguration, StoreName, Stores, Value, resolve,
};

/// A time that tests know.
pub(super) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// Surroundings with these variables only, in which nothing is waited for between attempts.
pub(super) fn context(variables: &[(&str, &str)]) -> Context {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut context = Context::new(move |name| variables.get(name).cloned(), now);
    context.limits = Limits { retry_wait: Duration::from_millis(1), ..Limits::default() };
    context
}

pub(super) fn settings(text: &str) -> StoreConfiguration {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

pub(super) fn name() -> StoreName {
    StoreName::parse("main").unwrap()
}

/// The store of these settings, named `main`.
pub(super) struct Opened(Stores);

impl Opened {
    pub(super) fn store(&self) -> &Store {
        self.0.require(&name()).unwrap()
    }

    /// The values of several keys of one entry, each under its own name as field.
    pub(super) async fn keys(&self, path: &str, keys: &[&str]) -> Result<BTreeMap<String, String>, SecretError> {
        resolve(self.store(), &multi(path, keys)).await.map(|resolved| texts(&resolved))
    }

    /// The values of single entries, each under its own name as field.
    pub(super) async fn entries(&self, entries: &[&str]) -> Result<BTreeMap<String, String>, SecretError> {
        resolve(self.store(), &single(entries)).await.map(|resolved| texts(&resolved))
    }
}

pub(super) async fn try_open(text: &str, context: Context) -> Result<Opened, SecretError> {
    let configuration = crate::Configuration { stores: BTreeMap::from([(name(), settings(text))]) };
    Stores::open(&configuration, context).await.map(Opened)
}

pub(super) async fn open(text: &str, variables: &[(&str, &str)]) -> Opened {
    try_open(text, context(variables)).await.unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn multi(path: &str, keys: &[&str]) -> Reference {
    Reference { path: Some(path.to_owned()), key_type: KeyType::MultiKey, values: values(keys) }
}

pub(super) fn single(entries: &[&str]) -> Reference {
    Reference { path: None, key_type: KeyType::SingleKey, values: values(entries) }
}

fn values(names: &[&str]) -> BTreeMap<Field, Value> {
    names.iter().map(|name| (Field::new(*name), Value::Secret((*name).to_owned()))).collect()
}

pub(super) fn texts(resolved: &Resolved) -> BTreeMap<String, String> {
    resolved.iter().map(|(field, value)| (field.as_str().to_owned(), value.expose().to_owned())).collect()
}

pub(super) fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
