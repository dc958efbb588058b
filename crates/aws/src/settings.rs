//! What a caller decides before anything is sent, and the checks that need no network.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use model::Secret;

use crate::endpoint::region::Region;
use crate::endpoint::{EndpointError, HostVariant};
use crate::environment::Environment;
use crate::network::policy::NetworkPolicy;
use crate::network::proxy::ProxyError;
use crate::network::tls::TlsError;

/// How many requests are in flight at once unless told otherwise.
const CONCURRENCY_DEFAULT: NonZeroUsize = match NonZeroUsize::new(16) {
    Some(concurrency) => concurrency,
    None => NonZeroUsize::MIN,
};
/// How long an assumed session lasts: the longest that chained roles may ask for, and never more than a role allows.
pub(crate) const SESSION_DURATION: Duration = Duration::from_secs(3600);

/// Where the first credentials come from.
#[derive(Clone, Debug)]
pub enum CredentialSource {
    /// The standard AWS chain: environment, profile files, web identity, container, instance.
    Chain,
    /// A profile of the profile files, by name.
    Profile(String),
    /// Given keys.
    Keys(StaticKeys),
}

/// Keys of an IAM user, or of a session that somebody else made.
#[derive(Clone, Debug)]
pub struct StaticKeys {
    /// `AKIA…` or `ASIA…`.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Secret,
    /// For keys of a session.
    pub session_token: Option<Secret>,
}

/// Everything that a [`crate::Client`] needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The region.
    pub region: Region,
    /// Which addresses may be dialled.
    pub network: NetworkPolicy,
    /// A PEM file of certificates that are trusted besides the system's.
    pub ca_bundle: Option<PathBuf>,
    /// Which hosts of the services are meant.
    pub variant: HostVariant,
    /// Where the first credentials come from.
    pub credentials: CredentialSource,
    /// The role to work as.
    pub assume_role: Option<AssumeRole>,
    /// The most requests a second, all operations together.
    pub max_requests_per_second: Option<NonZeroU32>,
    /// The most requests in flight.
    pub concurrency: NonZeroUsize,
    /// What the environment says: endpoint overrides and the proxy.
    pub environment: Environment,
}

impl Settings {
    /// The settings that the environment gives for a region: public network, the credential chain, no role.
    #[must_use]
    pub fn new(region: Region, environment: Environment) -> Self {
        Self {
            region,
            network: NetworkPolicy::default(),
            ca_bundle: environment.ca_bundle.clone(),
            variant: HostVariant { fips: environment.fips, dual_stack: environment.dual_stack },
            credentials: CredentialSource::Chain,
            assume_role: None,
            max_requests_per_second: None,
            concurrency: CONCURRENCY_DEFAULT,
            environment,
        }
    }

    /// Checks what can be checked without any network. [`crate::Client::connect`] does it too.
    ///
    /// # Errors
    /// A key is empty or misshapen, or the role is of another partition than the region.
    pub fn validate(&self) -> Result<(), ConnectError> {
        if let CredentialSource::Keys(keys) = &self.credentials {
            keys.validate()?;
        }
        let Some(role) = &self.assume_role else { return Ok(()) };
        let partition = self.region.partition().name;
        if role.partition() == partition {
            Ok(())
        } else {
            Err(ConnectError::Partition { role_arn: role.role_arn.clone(), region: self.region.name().to_owned(), partition })
        }
    }
}

impl StaticKeys {
    fn validate(&self) -> Result<(), ConnectError> {
        let graphic = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let wrong = |what| Err(ConnectError::Key { what });
        if !graphic(&self.access_key_id) || self.access_key_id.contains('/') {
            return wrong("the access key id is empty or holds other characters than letters and digits");
        }
        if !graphic(self.secret_access_key.expose()) {
            return wrong("the secret access key is empty or holds spaces");
        }
        if self.session_token.as_ref().is_some_and(|token| !graphic(token.expose())) {
            return wrong("the session token is empty or holds spaces");
        }
        Ok(())
    }
}

/// The role to work as. Its parts have been checked against the rules of the AssumeRole API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumeRole {
    pub(crate) role_arn: String,
    pub(crate) external_id: Option<String>,
    pub(crate) session_name: String,
}

/// A part of [`AssumeRole`] that AWS would not take.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AssumeRoleError {
    /// Not the ARN of a role.
    #[error("\"{0}\" is no role ARN; it looks like arn:aws:iam::111122223333:role/name")]
    RoleArn(String),
    /// Not an external id.
    #[error(
        "the external id must have 2 to 1224 letters, digits or any of + = , . @ : / _ -; leave it out if the role asks for none"
    )]
    ExternalId,
    /// Not a session name.
    #[error("the session name \"{0}\" must have 2 to 64 letters, digits or any of + = , . @ _ -")]
    SessionName(String),
}

impl AssumeRole {
    /// A role, with an external id unless that is empty.
    ///
    /// # Errors
    /// A part breaks the rules of the AssumeRole API.
    pub fn new(role_arn: &str, external_id: &str, session_name: &str) -> Result<Self, AssumeRoleError> {
        if !is_role_arn(role_arn) {
            return Err(AssumeRoleError::RoleArn(role_arn.chars().filter(|character| !character.is_control()).take(200).collect()));
        }
        let external_id = (!external_id.is_empty()).then(|| external_id.to_owned());
        if external_id
            .as_ref()
            .is_some_and(|id| !(2..=1224).contains(&id.len()) || !id.bytes().all(|byte| is_name_byte(byte, b":/")))
        {
            return Err(AssumeRoleError::ExternalId);
        }
        if !(2..=64).contains(&session_name.len()) || !session_name.bytes().all(|byte| is_name_byte(byte, b"")) {
            let shown = session_name.chars().filter(|character| !character.is_control()).take(100).collect();
            return Err(AssumeRoleError::SessionName(shown));
        }
        Ok(Self { role_arn: role_arn.to_owned(), external_id, session_name: session_name.to_owned() })
    }

    /// The role.
    #[must_use]
    pub fn role_arn(&self) -> &str {
        &self.role_arn
    }

    fn partition(&self) -> &str {
        self.role_arn.split(':').nth(1).unwrap_or_default()
    }
}

/// `isinglass-` and what tells this session from others in CloudTrail, in the characters and the length that AWS takes.
#[must_use]
pub fn default_session_name(suffix: &str) -> String {
    let clean =
        suffix.chars().map(|character| if character.is_ascii() && is_name_byte(character as u8, b"") { character } else { '-' });
    "isinglass-".chars().chain(clean).take(64).collect()
}

/// `[\w+=,.@-]` and what else a parameter allows.
fn is_name_byte(byte: u8, also: &[u8]) -> bool {
    byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte) || also.contains(&byte)
}

/// `arn:<partition>:iam::<account>:role/<path><name>`, 20 to 2048 characters.
fn is_role_arn(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let [prefix, partition, service, region, account, resource] = parts[..] else { return false };
    let name = resource.strip_prefix("role/").unwrap_or_default();
    (20..=2048).contains(&arn.len())
        && prefix == "arn"
        && partition.starts_with("aws")
        && service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|digit| digit.is_ascii_digit())
        && !name.is_empty()
        && !name.ends_with('/')
        && name.bytes().all(|byte| is_name_byte(byte, b"/"))
}

/// Why a client could not be set up. Nothing has been sent to AWS.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A key has not the form of one. The key is not shown.
    #[error("{what}; check that it was copied whole")]
    Key {
        /// What is wrong.
        what: &'static str,
    },
    /// AssumeRole never crosses partitions.
    #[error(
        "the role {role_arn} cannot be used in region {region}, which belongs to the partition {partition}; give a role of that partition"
    )]
    Partition {
        /// The role.
        role_arn: String,
        /// The region.
        region: String,
        /// The partition of the region.
        partition: &'static str,
    },
    /// No such profile.
    #[error("the profile \"{name}\" is in none of the AWS profile files; {}", known_profiles(known))]
    UnknownProfile {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The profile files cannot be read.
    #[error(
        "the AWS profile files cannot be read; check ~/.aws/config and ~/.aws/credentials, or AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE"
    )]
    ProfileFiles(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An endpoint override.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The trusted certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

fn known_profiles(known: &[String]) -> String {
    if known.is_empty() { "they define none".to_owned() } else { format!("they define {}", known.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/team/read-only";

    #[test]
    fn roles_external_ids_and_session_names_are_checked_before_any_call() {
        assert!(AssumeRole::new(ROLE, "", "isinglass-7").is_ok());
        assert_eq!(AssumeRole::new(ROLE, "", "isinglass-7").unwrap().external_id, None);
        assert_eq!(AssumeRole::new(ROLE, "a:b/c@d", "ab").unwrap().external_id.as_deref(), Some("a:b/c@d"));
        for arn in [
            "",
            "read-only",
            "arn:aws:iam::111122223333:user/u",
            "arn:aws:iam::1111:role/r",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam:eu-west-1:111122223333:role/r",
            "arn:aws:iam::111122223333:role/a b",
            "arn:aws:sts::111122223333:assumed-role/r/s",
        ] {
            assert!(matches!(AssumeRole::new(arn, "", "ab"), Err(AssumeRoleError::RoleArn(_))), "{arn}");
        }
        for id in ["a", "with space", "a\nb", "é"] {
            assert_eq!(AssumeRole::new(ROLE, id, "ab"), Err(AssumeRoleError::ExternalId), "{id}");
        }
        assert_eq!(AssumeRole::new(ROLE, &"a".repeat(1225), "ab"), Err(AssumeRoleError::ExternalId));
        for name in ["a", "a b", &"a".repeat(65)] {
            assert!(matches!(AssumeRole::new(ROLE, "", name), Err(AssumeRoleError::SessionName(_))), "{name}");
        }
    }

    #[test]
    fn default_session_names_are_always_valid() {
        for suffix in ["", "7", "My Connection/ü", &"x".repeat(100)] {
            assert!(AssumeRole::new(ROLE, "", &default_session_name(suffix)).is_ok(), "{suffix}");
        }
    }

    #[test]
    fn a_role_of_another_partition_and_broken_keys_are_errors() {
        let mut settings = Settings::new(Region::parse("cn-north-1").unwrap(), Environment::default());
        settings.assume_role = AssumeRole::new(ROLE, "", "ab").ok();
        assert!(matches!(settings.validate(), Err(ConnectError::Partition { partition: "aws-cn", .. })));
        settings.assume_role = None;
        let keys = |id: &str, secret: &str| {
            CredentialSource::Keys(StaticKeys {
                access_key_id: id.to_owned(),
                secret_access_key: Secret::new(secret),
                session_token: None,
            })
        };
        settings.credentials = keys("AKIAIOSFODNN7EXAMPLE", "hunter2 hunter2");
        let error = settings.validate().unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
        let shown = format!("{settings:?}");
        assert!(shown.contains("***") && !shown.contains("hunter2"), "{shown}");
        settings.credentials = keys("AKIA IOSF", "hunter2");
        assert!(settings.validate().is_err());
        settings.credentials = keys("AKIAIOSFODNN7EXAMPLE", "hunter2");
        assert!(settings.validate().is_ok());
    }
}
