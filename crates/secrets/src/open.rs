//! The configured stores, set up once: settings are checked, nothing is asked yet.

use std::collections::BTreeMap;
use std::fmt;

use crate::configuration::Configuration;
use crate::context::Context;
use crate::error::{Place, SecretError};
use crate::fault::Fault;
use crate::name::StoreName;
use crate::stores::Backend;

/// One store, ready to be asked. Between two uses it holds no secret of an entry and no token.
pub struct Store {
    name: StoreName,
    kind: &'static str,
    backend: Backend,
}

impl Store {
    /// Its name in the configuration.
    #[must_use]
    pub const fn name(&self) -> &StoreName {
        &self.name
    }

    /// Its kind in the configuration: `vault`, `files`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    pub(crate) const fn backend(&self) -> &Backend {
        &self.backend
    }

    pub(crate) fn place(&self, entry: Option<&str>) -> Place {
        Place { store: self.name.clone(), entry: entry.map(str::to_owned) }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Every configured store by its name.
#[derive(Debug, Default)]
pub struct Stores {
    stores: BTreeMap<StoreName, Store>,
}

impl Stores {
    /// Sets the stores up. Nothing is sent; settings, addresses, certificates and profiles are checked.
    ///
    /// # Errors
    /// [`SecretError::Misconfigured`] of the first store, by name, whose settings cannot work.
    pub async fn open(configuration: &Configuration, context: Context) -> Result<Self, SecretError> {
        let mut stores = BTreeMap::new();
        for (name, settings) in &configuration.stores {
            let backend = Backend::open(name, settings, &context).await;
            let backend = backend.map_err(|fault| fault.at(Place { store: name.clone(), entry: None }))?;
            stores.insert(name.clone(), Store { name: name.clone(), kind: settings.kind(), backend });
        }
        Ok(Self { stores })
    }

    /// The store of this name, if it is configured.
    #[must_use]
    pub fn get(&self, name: &StoreName) -> Option<&Store> {
        self.stores.get(name)
    }

    /// The store of this name, or what to do about it.
    ///
    /// # Errors
    /// [`SecretError::Misconfigured`]: there is none; the message names those that there are.
    pub fn require(&self, name: &StoreName) -> Result<&Store, SecretError> {
        self.get(name).ok_or_else(|| {
            let known = self.stores.keys().map(StoreName::as_str).collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has {known}") };
            let reason = format!("this runtime has no secret store of this name ({known})");
            let remedy =
                format!("add [secret-stores.{name}] to the configuration of the runtime, or choose another store in the workflow");
            Fault::misconfigured(reason, remedy).at(Place { store: name.clone(), entry: None })
        })
    }

    /// Every store, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Store> {
        self.stores.values()
    }
}
