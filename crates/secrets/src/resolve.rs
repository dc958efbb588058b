//! From a reference to its values: one sign-in, one fetch of each entry, nothing kept.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use futures::{StreamExt, stream};
use model::Secret;

use crate::entry::Entry;
use crate::error::SecretError;
use crate::fault::Fault;
use crate::open::Store;
use crate::reference::{Field, KeyType, Reference, Value};
use crate::stores::Session;

/// How many entries are fetched at once.
const FETCHES_MAX: usize = 8;

/// The value of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolvedValue {
    /// It came from the store: it prints as stars and is overwritten when it is dropped.
    Secret(Secret),
    /// It stood in the reference.
    Literal(String),
}

impl ResolvedValue {
    /// The text, for the moment of use.
    #[must_use]
    pub fn expose(&self) -> &str {
        match self {
            Self::Secret(secret) => secret.expose(),
            Self::Literal(text) => text,
        }
    }
}

/// The values of a reference. Drop it as soon as they are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    values: BTreeMap<Field, ResolvedValue>,
}

impl Resolved {
    /// The value of a field, if the reference has the field.
    #[must_use]
    pub fn get(&self, field: &Field) -> Option<&ResolvedValue> {
        self.values.get(field)
    }

    /// Takes the value of a field out.
    pub fn take(&mut self, field: &Field) -> Option<ResolvedValue> {
        self.values.remove(field)
    }

    /// Every field with its value, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Field, &ResolvedValue)> {
        self.values.iter()
    }

    /// How many values came from the store.
    #[must_use]
    pub fn secrets(&self) -> usize {
        self.values.values().filter(|value| matches!(value, ResolvedValue::Secret(_))).count()
    }
}

/// Fetches what the reference names. An entry with several keys is fetched once, single entries side by side; a reference of literals only
/// asks nobody.
///
/// # Errors
/// As the store has it: [`SecretError::Missing`] also for a key that its entry does not have, which is never taken for a literal;
/// [`SecretError::Misconfigured`] for a reference that cannot be followed ([`Reference::validate`]). Of several failures the first by name.
pub async fn resolve(store: &Store, reference: &Reference) -> Result<Resolved, SecretError> {
    reference.validate(&[]).map_err(|error| {
        let fault = Fault::misconfigured(error.to_string(), "correct the reference in the workflow");
        fault.at(store.place(reference.path.as_deref()))
    })?;
    let names = reference.names();
    let found = if names.is_empty() { BTreeMap::new() } else { look_up(store, reference, &names).await? };
    let values = reference.values.iter().filter_map(|(field, value)| {
        let value = match value {
            Value::Literal(text) => ResolvedValue::Literal(text.clone()),
            // Every name was found, or there were an error instead.
            Value::Secret(name) => ResolvedValue::Secret(found.get(name.as_str())?.clone()),
        };
        Some((field.clone(), value))
    });
    Ok(Resolved { values: values.collect() })
}

async fn look_up<'r>(
    store: &Store,
    reference: &'r Reference,
    names: &BTreeSet<&'r str>,
) -> Result<BTreeMap<&'r str, Secret>, SecretError> {
    let session = store.backend().sign_in().await.map_err(|fault| fault.at(store.place(None)))?;
    match (reference.key_type, reference.path.as_deref()) {
        (KeyType::MultiKey, Some(path)) => keys_of(store, &session, path, names).await,
        (KeyType::MultiKey | KeyType::SingleKey, _) => entries(store, &session, names).await,
    }
}

async fn keys_of<'r>(
    store: &Store,
    session: &Session<'_>,
    path: &str,
    names: &BTreeSet<&'r str>,
) -> Result<BTreeMap<&'r str, Secret>, SecretError> {
    let at = |fault: Fault| fault.at(store.place(Some(path)));
    let mut keys = fetch(store, session, path).await?.into_keys().map_err(at)?;
    let mut found = BTreeMap::new();
    for name in names {
        let value = keys.remove(*name).ok_or_else(|| at(Fault::missing_key(name)))?;
        found.insert(*name, value.into_secret(&format!("of the key {name:?}")).map_err(at)?);
    }
    Ok(found)
}

async fn entries<'r>(
    store: &Store,
    session: &Session<'_>,
    names: &BTreeSet<&'r str>,
) -> Result<BTreeMap<&'r str, Secret>, SecretError> {
    // A list of futures and not a closure over them: the compiler cannot show else that the whole may move between threads.
    let fetches: Vec<_> = names.iter().map(|name| single(store, session, name)).collect();
    // All of them are waited for, so that of several failures it is always the same one that is told.
    let answers: Vec<_> = stream::iter(fetches).buffered(FETCHES_MAX).collect().await;
    answers.into_iter().collect()
}

async fn single<'r>(store: &Store, session: &Session<'_>, name: &'r str) -> Result<(&'r str, Secret), SecretError> {
    let secret = fetch(store, session, name).await?.into_single().map_err(|fault| fault.at(store.place(Some(name))))?;
    Ok((name, secret))
}

/// Fetches one entry. The log holds no name of an entry, since names may tell what lies there: only what tells two of them apart.
async fn fetch(store: &Store, session: &Session<'_>, entry: &str) -> Result<Entry, SecretError> {
    let fetched = session.fetch(entry).await.map_err(|fault| fault.at(store.place(Some(entry))));
    let outcome = fetched.as_ref().map_or_else(SecretError::category, |_| "fetched");
    tracing::debug!(kind = store.kind(), store = store.name().as_str(), entry = fingerprint(entry), outcome, "secret store asked");
    fetched
}

/// The first eight bytes of the SHA-256 of an entry's name, in hexadecimal digits.
fn fingerprint(entry: &str) -> String {
    digest(&SHA256, entry.as_bytes()).as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
