//! Azure Key Vault: the current version of a secret, or a given one.
//!
//! Sources: "Get Secret" of the Key Vault REST API reference, api-version 7.4
//! (<https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret>), "Key Vault REST API error codes", and "Azure Key Vault
//! authentication, requests and responses" for the suffixes of the clouds.

mod sign_in;

use model::Secret;
use reqwest::Url;
use serde::Deserialize;

use crate::configuration::azure::{AzureCloud, AzureKeyVault, AzureSignIn};
use crate::context::Context;
use crate::entry::{Entry, SecretText};
use crate::fault::Fault;
use crate::http::{self, Answer, Ask, Http, Trust, code};

/// The version of the API, which every cloud has.
const API_VERSION: &str = "7.4";
/// The longest name of a secret.
const NAME_BYTES_MAX: usize = 127;

/// One vault.
pub(crate) struct KeyVault {
    http: Http,
    context: Context,
    address: Url,
    authority: Url,
    /// What a token is asked for: the address of all vaults of the cloud.
    resource: String,
    sign_in: AzureSignIn,
}

/// An access token, for as long as one reference is resolved.
pub(crate) struct Session<'s> {
    vault: &'s KeyVault,
    token: Secret,
}

/// Where a cloud has its vaults, and where it issues tokens.
const fn places(cloud: AzureCloud) -> (&'static str, &'static str) {
    match cloud {
        AzureCloud::Public => ("vault.azure.net", "https://login.microsoftonline.com"),
        AzureCloud::China => ("vault.azure.cn", "https://login.chinacloudapi.cn"),
        AzureCloud::UsGovernment => ("vault.usgovcloudapi.net", "https://login.microsoftonline.us"),
    }
}

impl KeyVault {
    pub(crate) fn open(settings: &AzureKeyVault, context: &Context) -> Result<Self, Fault> {
        let (suffix, authority) = places(settings.cloud);
        if !is_name(&settings.vault) {
            return Err(Fault::misconfigured("vault is no name of a vault", "write its name only, of letters, digits and hyphens"));
        }
        let own = format!("https://{}.{suffix}", settings.vault);
        let authority =
            context.setting(settings.authority_url.as_ref(), "AZURE_AUTHORITY_HOST").unwrap_or_else(|| authority.to_owned());
        let trust = Trust::System(settings.ca_bundle.as_deref().or(context.ca_bundle.as_deref()));
        Ok(Self {
            http: Http::new(context, trust)?,
            context: context.clone(),
            address: http::base("vault-url", settings.vault_url.as_deref().unwrap_or(&own))?,
            authority: http::base("authority-url", &authority)?,
            resource: format!("https://{suffix}"),
            sign_in: settings.sign_in.clone(),
        })
    }

    pub(crate) async fn sign_in(&self) -> Result<Session<'_>, Fault> {
        Ok(Session { vault: self, token: sign_in::token(self).await? })
    }
}

#[derive(Deserialize)]
struct Bundle {
    value: SecretText,
}

#[derive(Default, Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    error: Option<Problem<'a>>,
}

#[derive(Deserialize)]
struct Problem<'a> {
    code: Option<&'a str>,
    innererror: Option<Inner<'a>>,
}

#[derive(Deserialize)]
struct Inner<'a> {
    code: Option<&'a str>,
}

impl Session<'_> {
    /// `name`, or `name/version`.
    pub(crate) async fn fetch(&self, entry: &str) -> Result<Entry, Fault> {
        let (name, version) = entry.split_once('/').map_or((entry, None), |(name, version)| (name, Some(version)));
        if !is_name(name) || version.is_some_and(|version| !is_name(version)) {
            return Err(Fault::misconfigured(
                "this is no name of a secret of Key Vault",
                "write its name of letters, digits and hyphens, or name/version; several keys stand in one secret as a JSON object",
            ));
        }
        let answer = self.get(name, version).await?;
        if !answer.status.is_success() {
            return Err(refused(&answer));
        }
        Entry::text(answer.json::<Bundle>()?.value.into_bytes())
    }

    /// A secret that nobody made: the answer shows whether the vault takes the token. That this identity may not read this one secret says
    /// nothing about others, for roles can be given on single secrets.
    pub(crate) async fn probe(&self) -> Result<(), Fault> {
        let answer = self.get(super::PROBE_ENTRY, None).await?;
        match answer.status.as_u16() {
            200 | 404 => Ok(()),
            403 if matches!(inner_code(&answer).as_str(), "ForbiddenByRbac" | "AccessDenied") => Ok(()),
            _ => Err(refused(&answer)),
        }
    }

    async fn get(&self, name: &str, version: Option<&str>) -> Result<Answer, Fault> {
        let mut url = http::append(&self.vault.address, ["secrets", name].into_iter().chain(version));
        url.query_pairs_mut().append_pair("api-version", API_VERSION);
        self.vault.http.send(&Ask::get(url).bearer(&self.token)?).await
    }
}

/// The more exact of an error's two codes.
fn inner_code(answer: &Answer) -> String {
    let said: Said<'_> = answer.said();
    let error = said.error.as_ref();
    let inner = error.and_then(|error| error.innererror.as_ref()).and_then(|inner| inner.code);
    code(inner.or_else(|| error.and_then(|error| error.code))).to_owned()
}

fn refused(answer: &Answer) -> Fault {
    let code = inner_code(answer);
    match (answer.status.as_u16(), code.as_str()) {
        (401, _) => Fault::denied(
            format!("Key Vault does not take the token ({code})"),
            "check that the tenant of the sign-in is the tenant of the vault, and the cloud",
        ),
        (403, "SecretDisabled") => Fault::missing("the secret is disabled", "enable it, or refer to another version"),
        (403, "ForbiddenByFirewall" | "ForbiddenByConnection") => Fault::denied(
            format!("the vault's firewall does not let this network in ({code})"),
            "allow this network in the vault's networking, or reach it by a private endpoint",
        ),
        (403, _) => Fault::denied(
            format!("Key Vault answered 403 ({code})"),
            "give the identity of the runtime the role Key Vault Secrets User on the vault or the secret, or the access policy `get` for secrets",
        ),
        (404, _) => Fault::missing(
            format!("Key Vault answered 404 ({code})"),
            "check the name of the secret and of the vault, and recover the secret if it was deleted",
        ),
        _ => answer.fault(&code),
    }
}

fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.len() <= NAME_BYTES_MAX && text.bytes().all(is_part)
}
