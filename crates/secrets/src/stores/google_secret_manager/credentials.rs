//! The credentials file: a key of a service account, or the configuration of a workload identity federation.
//!
//! Sources: "Using OAuth 2.0 for server to server applications" (the key file and its assertion), AIP-4112, and AIP-4117 with the page
//! "Workload Identity Federation" (`external_account`).

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Secret;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::entry::{ENTRY_BYTES_MAX, SecretText};
use crate::fault::Fault;
use crate::stores::bounded;

/// What tokens are good for. Secret Manager has no narrower scope.
pub(super) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long an assertion is good for; it is used at once.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(300);

/// A credentials file.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Credentials {
    ServiceAccount(ServiceAccount),
    ExternalAccount(ExternalAccount),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
pub(super) struct ServiceAccount {
    client_email: String,
    private_key_id: Option<String>,
    private_key: SecretText,
    pub(super) token_uri: String,
}

#[derive(Deserialize)]
pub(super) struct ExternalAccount {
    pub(super) audience: String,
    pub(super) subject_token_type: String,
    pub(super) token_url: String,
    pub(super) service_account_impersonation_url: Option<String>,
    pub(super) credential_source: CredentialSource,
}

#[derive(Deserialize)]
pub(super) struct CredentialSource {
    file: Option<PathBuf>,
    #[serde(default)]
    format: Format,
}

#[derive(Default, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Format {
    #[default]
    Text,
    Json {
        subject_token_field_name: String,
    },
}

pub(super) async fn read(path: &Path) -> Result<Credentials, Fault> {
    let bytes = content(path).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let reason =
            format!("{} is no credentials file of Google (line {}, column {})", path.display(), error.line(), error.column());
        Fault::misconfigured(reason, "give the JSON file of a service account's key, or of a workload identity federation")
    })
}

async fn content(path: &Path) -> Result<Zeroizing<Vec<u8>>, Fault> {
    bounded::read(path, ENTRY_BYTES_MAX).await.map_err(|error| {
        let reason = format!("{}, which signs in, cannot be read: {error}", path.display());
        Fault::misconfigured(reason, "correct the path, or let the runtime's user read the file")
    })
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
}

impl ServiceAccount {
    /// The signed statement that a token is issued for.
    pub(super) fn into_assertion(self, now: SystemTime) -> Result<Secret, Fault> {
        let unusable =
            || Fault::misconfigured("the service account's private key cannot be used", "make a new key, and give its file whole");
        let iat = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let header = Header { alg: "RS256", typ: "JWT", kid: self.private_key_id.as_deref() };
        let exp = iat + ASSERTION_LIFETIME.as_secs();
        let claims = Claims { iss: &self.client_email, scope: SCOPE, aud: &self.token_uri, iat, exp };
        let part = |json: Result<Vec<u8>, serde_json::Error>| json.map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|_| unusable());
        let signed = format!("{}.{}", part(serde_json::to_vec(&header))?, part(serde_json::to_vec(&claims))?);
        let pem = Zeroizing::new(self.private_key.into_bytes());
        let key = PrivatePkcs8KeyDer::from_pem_slice(&pem).map_err(|_| unusable())?;
        let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(|_| unusable())?;
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).map_err(|_| unusable())?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

impl CredentialSource {
    /// The token that another issuer put into a file.
    pub(super) async fn subject_token(&self) -> Result<Secret, Fault> {
        let Some(file) = &self.file else {
            return Err(Fault::misconfigured(
                "the workload identity federation takes its token from something else than a file",
                "configure one with a token in a file (credential_source.file)",
            ));
        };
        let bytes = content(file).await?;
        let token = match &self.format {
            Format::Text => std::str::from_utf8(&bytes).ok().map(|text| Secret::new(text.trim())),
            Format::Json { subject_token_field_name } => {
                let mut members = serde_json::from_slice::<std::collections::BTreeMap<String, Member>>(&bytes).unwrap_or_default();
                members.remove(subject_token_field_name).and_then(|member| member.0)
            }
        };
        token.filter(|token| !token.expose().is_empty()).ok_or_else(|| {
            let reason = format!("{} holds no token of the form that credential_source.format says", file.display());
            Fault::misconfigured(reason, "check the file and its format")
        })
    }
}

/// A member of a JSON file, kept if it is a text.
struct Member(Option<Secret>);

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str::<SecretText>(raw.get()).ok().map(SecretText::into_secret)))
    }
}
