//! The catalog and the master keys that a command is for, found as `serve` finds them.

use std::collections::BTreeMap;

use server::config::{self, Environment, Overrides};
use server::rotation::secrets_by_key;
use server::sealing::MasterKeys;
use server::start::KeyPlace;
use store::{CatalogUrl, Store};

use crate::arguments::KeysArguments;
use crate::crawl::destination::catalog_url;
use crate::failure::Failure;

/// A catalog, and the keys of its secrets.
pub(super) struct Opened {
    pub(super) store: Store,
    pub(super) place: KeyPlace,
    pub(super) keys: MasterKeys,
}

impl Opened {
    pub(super) async fn open(arguments: &KeysArguments) -> Result<Self, Failure> {
        let environment: Environment = std::env::vars().collect();
        let mut others = Vec::new();
        if let Some(url) = &arguments.catalog {
            others.push(("catalog".to_owned(), url.clone()));
        }
        if let Some(file) = &arguments.master_key_file {
            others.push(("master_key.file".to_owned(), file.clone()));
        }
        let overrides = Overrides { others, ..Overrides::default() };
        let loaded = config::load(arguments.config.as_deref(), &environment, &overrides);
        let config = loaded.map_err(|error| Failure::usage_error(&error))?.config;
        let url: CatalogUrl = catalog_url(config.catalog.as_ref().map(config::CatalogUrl::expose))?;
        let place = KeyPlace::of(&config, &url).map_err(|error| Failure::usage_error(&error))?;
        let keys = place.read(&environment).map_err(|error| Failure::from_error(&error))?;
        Ok(Self { store: Store::open_existing(&url).await?, place, keys })
    }

    /// How many secrets are under each key, by its id.
    pub(super) async fn counts(&self) -> Result<BTreeMap<String, u64>, Failure> {
        Ok(secrets_by_key(&self.store).await?)
    }

    /// Whether a key of ours is not the current one.
    pub(super) fn is_older(&self, id: &str) -> bool {
        self.keys.all().skip(1).any(|key| key.id().to_string() == id)
    }
}
