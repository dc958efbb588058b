//! What an operator may set, and how the file, the environment and flags become one checked `Config`.
//!
//! A flag wins over the environment, the environment over the file, the file over the default. The keys that exist are read
//! off the structs themselves, so no list can fall behind. Secrets are never values here: a key names a file or a variable.

mod check;
mod error;
mod file;
mod near;
mod overlay;
mod secret;
mod sections;
mod values;

#[cfg(test)]
mod tests;

pub use error::{ConfigError, Origin};
pub use overlay::{Setting, settings};
pub use secret::SecretReference;
pub use sections::{Alerts, Config, Crawl, Limits, Log, MasterKey, Metrics, Oidc, Retention, SignIn, Telemetry, Tls, TlsFiles};
pub use values::{CatalogUrl, Cidr, DefaultRole, LogFormat, Network, VariableName};

use std::collections::BTreeMap;
use std::path::Path;

/// The variables of the process, collected once by the shell and passed on.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The value of a variable, unless it is unset or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

/// Names only: a value may be a secret.
impl std::fmt::Debug for Environment {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

/// What flags say. The ones that scripts rely on have a field; any other setting goes into `others` by its key.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--listen`
    pub listen: Option<String>,
    /// `--public-url`
    pub public_url: Option<String>,
    /// `--catalog`
    pub catalog: Option<CatalogUrl>,
    /// Any other setting: its key as in the file (`limits.body_bytes`; see [`settings`]) and its value as text.
    pub others: Vec<(String, String)>,
}

/// A configuration, and what its reader should be told although nothing is wrong with it.
#[derive(Debug)]
pub struct Loaded {
    /// What is in force.
    pub config: Config,
    /// One sentence each, for the log: variables that look like a misspelled setting.
    pub warnings: Vec<String>,
}

/// Reads the file, if one is named, lays the environment and the flags over it and checks the whole.
///
/// # Errors
/// The first thing that is wrong: which file, line and column, variable or flag, which key, what is expected.
pub fn load(path: Option<&Path>, environment: &Environment, overrides: &Overrides) -> Result<Loaded, ConfigError> {
    let text = path.map(file::read).transpose()?.unwrap_or_default();
    from_text(path.unwrap_or(Path::new("(no file)")), &text, environment, overrides)
}

/// [`load`] with the text of the file at hand.
///
/// # Errors
/// As [`load`].
pub fn from_text(path: &Path, text: &str, environment: &Environment, overrides: &Overrides) -> Result<Loaded, ConfigError> {
    let settings = settings();
    let parsed = file::parse(path, text, &settings)?;
    let mut layers = overlay::Layers::over(parsed);
    layers.environment(environment, &settings)?;
    layers.flags(overrides, &settings)?;
    let (config, origins) = layers.finish()?;
    check::check(&config, &origins)?;
    Ok(Loaded { config, warnings: overlay::misspelled(environment, &settings) })
}
