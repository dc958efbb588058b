//! Where the master keys are, for the service and for the commands that rotate them.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use store::CatalogUrl;

use super::StartError;
use crate::config::{Config, Environment, SecretReference};
use crate::sealing::MasterKeys;

/// Where the master keys are.
#[derive(Clone, Debug)]
pub enum KeyPlace {
    /// In the file that `master_key.file` names.
    File(PathBuf),
    /// In the file beside a SQLite catalog, which the first start makes.
    BesideCatalog(PathBuf),
    /// In a variable of the environment, which only whoever starts the service can change.
    Variable(SecretReference),
}

impl KeyPlace {
    /// The place that the configuration names, or the one beside the catalog.
    ///
    /// # Errors
    /// [`StartError::NoMasterKey`] for a catalog that is no file.
    pub fn of(config: &Config, catalog: &CatalogUrl) -> Result<Self, StartError> {
        if let Some(path) = &config.master_key.file {
            return Ok(Self::File(path.clone()));
        }
        match config.master_key.reference() {
            Some(reference) => Ok(Self::Variable(reference)),
            None => Ok(Self::BesideCatalog(key_file_of(catalog.file().ok_or(StartError::NoMasterKey)?))),
        }
    }

    /// The file, if the keys are in one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::BesideCatalog(path) => Some(path),
            Self::Variable(_) => None,
        }
    }

    /// Reads the keys.
    ///
    /// # Errors
    /// [`StartError::Config`] when the variable is not set; [`StartError::Sealing`].
    pub fn read(&self, environment: &Environment) -> Result<MasterKeys, StartError> {
        match self {
            Self::File(path) | Self::BesideCatalog(path) => Ok(MasterKeys::from_file(path)?),
            Self::Variable(reference) => {
                let text = reference.read(environment)?;
                Ok(MasterKeys::from_text(text.expose_secret(), "the variable that `master_key.variable` names")?)
            }
        }
    }
}

/// The key file that belongs to a catalog file.
fn key_file_of(catalog: &Path) -> PathBuf {
    let mut name = catalog.as_os_str().to_owned();
    name.push(".master-key");
    PathBuf::from(name)
}
