//! How to reach AWS and as whom, in words that a form or a command line has.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use aws::{AssumeRole, AssumeRoleError, CredentialSource, Environment, NetworkPolicy, Region, Settings, StaticKeys};
use model::Secret;

use crate::failure::{Failure, FailureKind};

/// How to reach AWS and as whom.
#[derive(Clone, Debug)]
pub struct Access {
    /// The region.
    pub region: Region,
    /// Where the first credentials come from.
    pub credentials: Credentials,
    /// The role to work as.
    pub assume_role: Option<Role>,
    /// Which addresses may be dialled.
    pub network: NetworkPolicy,
    /// A PEM file of certificates to trust besides the system's; else what the environment names.
    pub ca_bundle: Option<PathBuf>,
    /// Where every service is instead of its own host: only ever what the operator has allowed. It wins over the environment.
    pub endpoint_url: Option<String>,
    /// The most requests a second, all together.
    pub max_requests_per_second: Option<NonZeroU32>,
    /// The most requests in flight.
    pub concurrency: NonZeroUsize,
    /// What the environment says: endpoints, the proxy.
    pub environment: Environment,
}

/// Where the first credentials come from.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Keys that were given.
    Keys {
        /// `AKIA…` or `ASIA…`.
        access_key_id: String,
        /// Its secret.
        secret_access_key: Secret,
        /// For keys of a session.
        session_token: Option<Secret>,
    },
    /// A profile of this machine's AWS configuration.
    Profile(String),
    /// What this machine has: the standard AWS chain.
    Ambient,
}

/// A role to assume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub role_arn: String,
    /// What its trust policy asks for besides.
    pub external_id: Option<String>,
    /// The name of the session in CloudTrail; else one made from the connection's name.
    pub session_name: Option<String>,
}

impl Access {
    /// Access with the credentials of this machine: public network, no role, the usual limits.
    #[must_use]
    pub fn new(region: Region, environment: Environment) -> Self {
        let usual = Settings::new(region, environment);
        Self {
            credentials: Credentials::Ambient,
            assume_role: None,
            network: usual.network,
            ca_bundle: None,
            endpoint_url: None,
            max_requests_per_second: usual.max_requests_per_second,
            concurrency: usual.concurrency,
            region: usual.region,
            environment: usual.environment,
        }
    }

    /// Whether a role is assumed.
    #[must_use]
    pub const fn has_role(&self) -> bool {
        self.assume_role.is_some()
    }

    /// Checks what can be checked without any network or file.
    ///
    /// # Errors
    /// A part of the role or a key has not the form that AWS takes, or the role is of another partition than the region.
    pub fn validate(&self) -> Result<(), Failure> {
        Ok(self.settings("check")?.validate()?)
    }

    /// The settings of a client. `connection` is what the session is named after, unless it has a name.
    ///
    /// # Errors
    /// A part of the role has not the form that AWS takes.
    pub fn settings(&self, connection: &str) -> Result<Settings, Failure> {
        let mut settings = Settings::new(self.region.clone(), self.environment());
        settings.network = self.network.clone();
        if self.ca_bundle.is_some() {
            settings.ca_bundle.clone_from(&self.ca_bundle);
        }
        settings.credentials = CredentialSource::from(&self.credentials);
        settings.assume_role = self.assume_role.as_ref().map(|role| role.named(connection)).transpose()?;
        settings.max_requests_per_second = self.max_requests_per_second;
        settings.concurrency = self.concurrency;
        Ok(settings)
    }

    fn environment(&self) -> Environment {
        let Some(url) = &self.endpoint_url else { return self.environment.clone() };
        Environment {
            endpoint_url: Some(url.clone()),
            service_endpoint_urls: Vec::new(),
            ignore_endpoint_urls: false,
            ..self.environment.clone()
        }
    }
}

impl Role {
    fn named(&self, connection: &str) -> Result<AssumeRole, AssumeRoleError> {
        let name = self.session_name.clone().unwrap_or_else(|| aws::default_session_name(connection));
        AssumeRole::new(&self.role_arn, self.external_id.as_deref().unwrap_or_default(), &name)
    }
}

impl From<&Credentials> for CredentialSource {
    fn from(credentials: &Credentials) -> Self {
        match credentials {
            Credentials::Ambient => Self::Chain,
            Credentials::Profile(name) => Self::Profile(name.clone()),
            Credentials::Keys { access_key_id, secret_access_key, session_token } => Self::Keys(StaticKeys {
                access_key_id: access_key_id.clone(),
                secret_access_key: secret_access_key.clone(),
                session_token: session_token.clone(),
            }),
        }
    }
}

impl From<AssumeRoleError> for Failure {
    fn from(error: AssumeRoleError) -> Self {
        Self::from_error(FailureKind::Input, &error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        Access::new(Region::parse("eu-west-1").unwrap(), Environment::default())
    }

    #[test]
    fn given_keys_and_a_role_become_settings_and_no_secret_prints() {
        let access = Access {
            credentials: Credentials::Keys {
                access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
                secret_access_key: Secret::new("hunter2"),
                session_token: None,
            },
            assume_role: Some(Role {
                role_arn: "arn:aws:iam::111122223333:role/reader".to_owned(),
                external_id: Some("ab".to_owned()),
                session_name: None,
            }),
            endpoint_url: Some("http://127.0.0.1:1".to_owned()),
            ..access()
        };
        access.validate().unwrap();
        let settings = access.settings("Sales EU").unwrap();
        assert!(matches!(&settings.credentials, CredentialSource::Keys(keys) if keys.secret_access_key.expose() == "hunter2"));
        assert_eq!(settings.environment.endpoint_url.as_deref(), Some("http://127.0.0.1:1"));
        for shown in [format!("{access:?}"), format!("{settings:?}")] {
            assert!(shown.contains("***") && !shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn what_aws_would_not_take_is_a_failure_of_the_input() {
        let role = Role { role_arn: "reader".to_owned(), external_id: None, session_name: None };
        let failure = Access { assume_role: Some(role), ..access() }.validate().unwrap_err();
        assert!(failure.kind == FailureKind::Input && failure.message.contains("role ARN"), "{failure:?}");
        let broken =
            Credentials::Keys { access_key_id: "AKIA".to_owned(), secret_access_key: Secret::new("hunter2 "), session_token: None };
        let failure = Access { credentials: broken, ..access() }.validate().unwrap_err();
        assert!(failure.kind == FailureKind::Input && !failure.message.contains("hunter2"), "{failure:?}");
    }
}
