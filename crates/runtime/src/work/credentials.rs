//! From a reference of the protocol to its values: the secret store is asked just in time, and nothing is kept.

use std::collections::BTreeMap;

use model::Secret;
use secrets::{Configuration, Context, Field, Reference, Resolved, ResolvedValue, SecretError, Store, StoreName, Stores, Value};
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
    pub(crate) blame: Blame,
    pub(crate) message: String,
    pub(crate) remedy: String,
}

impl SecretFailure {
    #[expect(clippy::needless_pass_by_value, reason = "`map_err` hands errors over")]
    fn operator(message: impl ToString, remedy: &str) -> Self {
        Self { blame: Blame::Operator, message: message.to_string(), remedy: remedy.to_owned() }
    }
}

/// The message says what to do next. An outage passes by itself; what is missing or denied does not, nor does a configuration that cannot work.
impl From<SecretError> for SecretFailure {
    fn from(error: SecretError) -> Self {
        let blame = match &error {
            SecretError::Missing { .. } | SecretError::Denied { .. } | SecretError::Malformed { .. } => Blame::Source,
            SecretError::Unreachable { .. } => Blame::Plumbing,
            SecretError::Misconfigured { .. } => Blame::Operator,
        };
        Self { blame, message: error.to_string(), remedy: String::new() }
    }
}

/// Where credentials come from.
#[derive(Debug)]
pub(crate) struct Credentials {
    stores: Stores,
    default: Option<StoreName>,
}

impl Credentials {
    /// Sets the stores of a configuration up. Nothing is asked.
    ///
    /// # Errors
    /// When the settings of one cannot work.
    pub(crate) async fn open(
        configuration: &Configuration,
        default: Option<&StoreName>,
        context: Context,
    ) -> Result<Self, SecretError> {
        let stores = Stores::open(configuration, context).await?;
        if let Some(default) = default {
            stores.require(default)?;
        }
        Ok(Self { stores, default: default.cloned() })
    }

    /// Every store, by name.
    pub(crate) fn stores(&self) -> impl Iterator<Item = &Store> {
        self.stores.iter()
    }

    /// Fetches the values of a reference. What names no secret asks no store.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(crate) async fn fetch(&self, credential: &CredentialReference) -> Result<Fields, SecretFailure> {
        let is_sensitive = |field: &&String| SENSITIVE.contains(&field.as_str());
        let literals = credential.values.iter().filter(|(_, value)| matches!(value, FieldValue::Literal(_)));
        if let Some(field) = literals.map(|(field, _)| field).find(is_sensitive) {
            let message = format!("the field `{field}` of the credential is sensitive and may not be written out");
            return Err(SecretFailure::operator(message, "Put it into the secret store and refer to it by name."));
        }
        let mut fields = literals_of(credential);
        if fields.len() < credential.values.len() {
            let store = self.store(credential.secret_store.as_deref())?;
            let mut resolved = secrets::resolve(store, &reference(credential)).await?;
            fields.extend(credential.values.keys().filter_map(|field| taken(&mut resolved, field)));
        }
        Ok(Fields(fields))
    }

    fn store(&self, named: Option<&str>) -> Result<&Store, SecretFailure> {
        let named =
            named.map(StoreName::parse).transpose().map_err(|error| SecretFailure::operator(error, "Edit the credential."))?;
        let name = named.or_else(|| self.default.clone()).or_else(|| self.only());
        let name = name.ok_or_else(|| {
            SecretFailure::operator(
                "the credential names no secret store, and this runtime has no default-secret-store",
                "Add [secret-stores.NAME] and default-secret-store to the configuration of the runtime.",
            )
        })?;
        Ok(self.stores.require(&name)?)
    }

    /// The one store, where there is just one.
    fn only(&self) -> Option<StoreName> {
        let mut stores = self.stores.iter();
        let first = stores.next()?;
        stores.next().is_none().then(|| first.name().clone())
    }
}

fn taken(resolved: &mut Resolved, field: &str) -> Option<(String, Secret)> {
    let value = match resolved.take(&Field::new(field))? {
        ResolvedValue::Secret(secret) => secret,
        ResolvedValue::Literal(text) => Secret::new(text),
    };
    Some((field.to_owned(), value))
}

fn literals_of(credential: &CredentialReference) -> BTreeMap<String, Secret> {
    let literal = |(field, value): (&String, &FieldValue)| match value {
        FieldValue::Literal(text) => Some((field.clone(), Secret::new(text.clone()))),
        FieldValue::Secret(_) => None,
    };
    credential.values.iter().filter_map(literal).collect()
}

fn reference(credential: &CredentialReference) -> Reference {
    let value = |value: &FieldValue| match value {
        FieldValue::Secret(name) => Value::Secret(name.clone()),
        FieldValue::Literal(text) => Value::Literal(text.clone()),
    };
    Reference {
        path: credential.secret_path.clone(),
        key_type: match credential.key_type {
            KeyType::MultiKey => secrets::KeyType::MultiKey,
            KeyType::SingleKey => secrets::KeyType::SingleKey,
        },
        values: credential.values.iter().map(|(field, text)| (Field::new(field.clone()), value(text))).collect(),
    }
}
