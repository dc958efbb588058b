//! The kinds of stores behind one face: sign in, fetch entries by name, be probed.

#[cfg(feature = "aws-secrets-manager")]
mod aws_secrets_manager;
#[cfg(feature = "azure-key-vault")]
mod azure_key_vault;
pub(crate) mod bounded;
#[cfg(feature = "environment")]
mod environment;
#[cfg(feature = "files")]
mod files;
#[cfg(feature = "google-secret-manager")]
mod google_secret_manager;
#[cfg(feature = "kubernetes")]
mod kubernetes;
#[cfg(feature = "vault")]
mod vault;

use crate::configuration::StoreConfiguration;
use crate::context::Context;
use crate::entry::Entry;
use crate::fault::Fault;
use crate::name::StoreName;

/// The name of an entry that nobody makes, to ask a store about when it is checked.
#[cfg(any(
    feature = "aws-secrets-manager",
    feature = "azure-key-vault",
    feature = "google-secret-manager",
    feature = "kubernetes"
))]
const PROBE_ENTRY: &str = "isinglass-preflight-probe";

/// A store of one kind, without any secret.
pub(crate) enum Backend {
    #[cfg(feature = "aws-secrets-manager")]
    AwsSecretsManager(Box<aws_secrets_manager::SecretsManager>),
    #[cfg(feature = "azure-key-vault")]
    AzureKeyVault(Box<azure_key_vault::KeyVault>),
    #[cfg(feature = "environment")]
    Environment(environment::Variables),
    #[cfg(feature = "files")]
    Files(files::Directory),
    #[cfg(feature = "google-secret-manager")]
    GoogleSecretManager(Box<google_secret_manager::SecretManager>),
    #[cfg(feature = "kubernetes")]
    Kubernetes(Box<kubernetes::Cluster>),
    #[cfg(feature = "vault")]
    Vault(Box<vault::KeyValueEngine>),
}

/// A store that was signed in to for one reference. What signed in is dropped with it.
pub(crate) enum Session<'s> {
    #[cfg(feature = "aws-secrets-manager")]
    AwsSecretsManager(&'s aws_secrets_manager::SecretsManager),
    #[cfg(feature = "azure-key-vault")]
    AzureKeyVault(azure_key_vault::Session<'s>),
    #[cfg(feature = "environment")]
    Environment(&'s environment::Variables),
    #[cfg(feature = "files")]
    Files(&'s files::Directory),
    #[cfg(feature = "google-secret-manager")]
    GoogleSecretManager(google_secret_manager::Session<'s>),
    #[cfg(feature = "kubernetes")]
    Kubernetes(kubernetes::Session<'s>),
    #[cfg(feature = "vault")]
    Vault(vault::Session<'s>),
}

impl Backend {
    /// Sets the store `name` up.
    pub(crate) async fn open(name: &StoreName, configuration: &StoreConfiguration, context: &Context) -> Result<Self, Fault> {
        match configuration {
            #[cfg(feature = "aws-secrets-manager")]
            StoreConfiguration::AwsSecretsManager(settings) => {
                let store = aws_secrets_manager::SecretsManager::open(settings, context).await?;
                Ok(Self::AwsSecretsManager(Box::new(store)))
            }
            #[cfg(feature = "azure-key-vault")]
            StoreConfiguration::AzureKeyVault(settings) => {
                Ok(Self::AzureKeyVault(Box::new(azure_key_vault::KeyVault::open(settings, context)?)))
            }
            #[cfg(feature = "environment")]
            StoreConfiguration::Environment(settings) => Ok(Self::Environment(environment::Variables::open(settings, context)?)),
            #[cfg(feature = "files")]
            StoreConfiguration::Files(settings) => {
                Ok(Self::Files(files::Directory::open(name, &settings.directory, files::Readers::Watched)))
            }
            #[cfg(feature = "google-secret-manager")]
            StoreConfiguration::GoogleSecretManager(settings) => {
                Ok(Self::GoogleSecretManager(Box::new(google_secret_manager::SecretManager::open(settings, context)?)))
            }
            #[cfg(feature = "kubernetes")]
            StoreConfiguration::Kubernetes(settings) => match &settings.mounted {
                Some(directory) => Ok(Self::Files(files::Directory::open(name, directory, files::Readers::LeftToTheCluster))),
                None => Ok(Self::Kubernetes(Box::new(kubernetes::Cluster::open(settings, context)?))),
            },
            #[cfg(feature = "vault")]
            StoreConfiguration::Vault(settings) => Ok(Self::Vault(Box::new(vault::KeyValueEngine::open(settings, context)?))),
            #[cfg(not(feature = "aws-secrets-manager"))]
            StoreConfiguration::AwsSecretsManager(_) => Err(left_out(name, configuration)),
            #[cfg(not(feature = "azure-key-vault"))]
            StoreConfiguration::AzureKeyVault(_) => Err(left_out(name, configuration)),
            #[cfg(not(feature = "environment"))]
            StoreConfiguration::Environment(_) => Err(left_out(name, configuration)),
            #[cfg(not(feature = "files"))]
            StoreConfiguration::Files(_) => Err(left_out(name, configuration)),
            #[cfg(not(feature = "google-secret-manager"))]
            StoreConfiguration::GoogleSecretManager(_) => Err(left_out(name, configuration)),
            #[cfg(not(feature = "kubernetes"))]
            StoreConfiguration::Kubernetes(_) => Err(left_out(name, configuration)),
            #[cfg(not(feature = "vault"))]
            StoreConfiguration::Vault(_) => Err(left_out(name, configuration)),
        }
    }

    /// Signs in for one reference.
    pub(crate) async fn sign_in(&self) -> Result<Session<'_>, Fault> {
        match self {
            #[cfg(feature = "aws-secrets-manager")]
            Self::AwsSecretsManager(store) => Ok(Session::AwsSecretsManager(store)),
            #[cfg(feature = "azure-key-vault")]
            Self::AzureKeyVault(store) => store.sign_in().await.map(Session::AzureKeyVault),
            #[cfg(feature = "environment")]
            Self::Environment(store) => Ok(Session::Environment(store)),
            #[cfg(feature = "files")]
            Self::Files(store) => Ok(Session::Files(store)),
            #[cfg(feature = "google-secret-manager")]
            Self::GoogleSecretManager(store) => store.sign_in().await.map(Session::GoogleSecretManager),
            #[cfg(feature = "kubernetes")]
            Self::Kubernetes(store) => store.sign_in().await.map(Session::Kubernetes),
            #[cfg(feature = "vault")]
            Self::Vault(store) => store.sign_in().await.map(Session::Vault),
        }
    }
}

impl Session<'_> {
    /// The entry of this name.
    pub(crate) async fn fetch(&self, entry: &str) -> Result<Entry, Fault> {
        match self {
            #[cfg(feature = "aws-secrets-manager")]
            Self::AwsSecretsManager(store) => store.fetch(entry).await,
            #[cfg(feature = "azure-key-vault")]
            Self::AzureKeyVault(session) => session.fetch(entry).await,
            #[cfg(feature = "environment")]
            Self::Environment(store) => store.fetch(entry),
            #[cfg(feature = "files")]
            Self::Files(store) => store.fetch(entry).await,
            #[cfg(feature = "google-secret-manager")]
            Self::GoogleSecretManager(session) => session.fetch(entry).await,
            #[cfg(feature = "kubernetes")]
            Self::Kubernetes(session) => session.fetch(entry).await,
            #[cfg(feature = "vault")]
            Self::Vault(session) => session.fetch(entry).await,
        }
    }

    /// Asks whether this identity is known, and returns what should be put right.
    pub(crate) async fn probe(&self) -> Result<Vec<String>, Fault> {
        match self {
            #[cfg(feature = "aws-secrets-manager")]
            Self::AwsSecretsManager(store) => store.probe().await.map(|()| Vec::new()),
            #[cfg(feature = "azure-key-vault")]
            Self::AzureKeyVault(session) => session.probe().await.map(|()| Vec::new()),
            #[cfg(feature = "environment")]
            Self::Environment(_) => Ok(Vec::new()),
            #[cfg(feature = "files")]
            Self::Files(store) => store.probe().await,
            #[cfg(feature = "google-secret-manager")]
            Self::GoogleSecretManager(session) => session.probe().await.map(|()| Vec::new()),
            #[cfg(feature = "kubernetes")]
            Self::Kubernetes(session) => session.probe().await.map(|()| Vec::new()),
            #[cfg(feature = "vault")]
            Self::Vault(session) => session.probe().await.map(|()| Vec::new()),
        }
    }
}

#[cfg(not(all(
    feature = "aws-secrets-manager",
    feature = "azure-key-vault",
    feature = "environment",
    feature = "files",
    feature = "google-secret-manager",
    feature = "kubernetes",
    feature = "vault"
)))]
fn left_out(name: &StoreName, configuration: &StoreConfiguration) -> Fault {
    Fault::misconfigured(
        format!("the store {name} is of the kind {}, which this build leaves out", configuration.kind()),
        "use a build with it, or a store of another kind",
    )
}
