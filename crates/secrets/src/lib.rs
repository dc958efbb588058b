//! Where a runtime's AWS credentials come from: secret stores of whoever runs it, read just in time and forgotten after use.
//!
//! A [`Reference`] says which values are wanted, a [`Store`] of the runtime's [`Configuration`] has them, and [`resolve`] brings both
//! together. What comes out are [`Resolved`] values whose secrets are [`model::Secret`]: they do not print and cannot be serialised. What
//! goes wrong is a [`SecretError`] that tells a missing entry, a denial and an outage apart and never holds a value.

mod check;
mod configuration;
mod context;
mod entry;
mod error;
mod fault;
#[cfg(feature = "http")]
mod http;
mod name;
mod open;
mod reference;
mod resolve;
mod stores;

#[cfg(test)]
mod tests;

pub use check::{CheckOutcome, check};
pub use configuration::aws::{AwsNetwork, AwsSecretsManager};
pub use configuration::azure::{AzureCloud, AzureKeyVault, AzureSignIn};
pub use configuration::google::GoogleSecretManager;
pub use configuration::kubernetes::Kubernetes;
pub use configuration::local::{EnvironmentVariables, Files};
pub use configuration::vault::{KvVersion, Vault, VaultSignIn};
pub use configuration::{Configuration, SecretSource, StoreConfiguration};
pub use context::{Context, Limits};
pub use error::{Absent, Place, SecretError};
pub use name::{StoreName, StoreNameError};
pub use open::{Store, Stores};
pub use reference::{Field, KeyType, Reference, ReferenceError, Value};
pub use resolve::{Resolved, ResolvedValue, resolve};
