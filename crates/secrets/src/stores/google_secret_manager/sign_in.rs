//! How an access token of Google is got.
//!
//! Sources: "Using OAuth 2.0 for server to server applications" (`urn:ietf:params:oauth:grant-type:jwt-bearer`), RFC 8693 with the REST
//! reference of the Security Token Service (`v1/token`), `generateAccessToken` of the IAM Service Account Credentials API, and "About VM
//! metadata" (`Metadata-Flavor: Google`).

use model::Secret;
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};

use super::SecretManager;
use super::credentials::{Credentials, ExternalAccount, SCOPE, ServiceAccount, read};
use crate::entry::SecretText;
use crate::fault::Fault;
use crate::http::{self, Answer, Ask, code};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// How long the token of an impersonated service account is good for; it is used at once.
const IMPERSONATION_LIFETIME: &str = "600s";
const GOOGLE: HeaderValue = HeaderValue::from_static("Google");

#[derive(Deserialize)]
struct Token {
    access_token: SecretText,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImpersonatedToken {
    access_token: SecretText,
}

#[derive(Serialize)]
struct Impersonation {
    scope: [&'static str; 1],
    lifetime: &'static str,
}

#[derive(Default, Deserialize)]
struct Said<'a> {
    error: Option<&'a str>,
}

pub(super) async fn token(manager: &SecretManager) -> Result<Secret, Fault> {
    let Some(path) = &manager.credentials_file else { return of_the_machine(manager).await };
    match read(path).await? {
        Credentials::ServiceAccount(account) => of_a_key(manager, account).await,
        Credentials::ExternalAccount(account) => federated(manager, account).await,
        Credentials::Other => Err(Fault::misconfigured(
            format!("{} is of a kind that a runtime cannot sign in with", path.display()),
            "give a key of a service account (service_account) or a workload identity federation (external_account)",
        )),
    }
}

async fn of_a_key(manager: &SecretManager, account: ServiceAccount) -> Result<Secret, Fault> {
    let url = http::base("token_uri of the credentials file", &account.token_uri)?;
    let assertion = account.into_assertion(manager.context.now())?;
    let ask = Ask::post_form(url, &[("grant_type", JWT_BEARER), ("assertion", assertion.expose())]);
    issued(&manager.http.send(&ask).await?)
}

async fn federated(manager: &SecretManager, account: ExternalAccount) -> Result<Secret, Fault> {
    let url = http::base("token_url of the credentials file", &account.token_url)?;
    let subject = account.credential_source.subject_token().await?;
    let form = [
        ("grant_type", TOKEN_EXCHANGE),
        ("audience", account.audience.as_str()),
        ("scope", SCOPE),
        ("requested_token_type", ACCESS_TOKEN),
        ("subject_token_type", account.subject_token_type.as_str()),
        ("subject_token", subject.expose()),
    ];
    let token = issued(&manager.http.send(&Ask::post_form(url, &form)).await?)?;
    let Some(url) = &account.service_account_impersonation_url else { return Ok(token) };
    let url = http::base("service_account_impersonation_url of the credentials file", url)?;
    let impersonation = Impersonation { scope: [SCOPE], lifetime: IMPERSONATION_LIFETIME };
    let answer = manager.http.send(&Ask::post_json(url, &impersonation)?.bearer(&token)?).await?;
    match answer.status.as_u16() {
        200 => Ok(answer.json::<ImpersonatedToken>()?.access_token.into_secret()),
        status @ 400..=404 => Err(Fault::denied(
            format!("Google refused to let the federated identity act as the service account ({status})"),
            "give it the role Workload Identity User on the service account, and check that the account exists",
        )),
        _ => Err(answer.fault("")),
    }
}

fn issued(answer: &Answer) -> Result<Secret, Fault> {
    if answer.status.is_success() {
        return Ok(answer.json::<Token>()?.access_token.into_secret());
    }
    let said: Said<'_> = answer.said();
    let said = code(said.error);
    match answer.status.as_u16() {
        status @ (400 | 401 | 403) => Err(Fault::denied(
            format!("Google refused the sign-in ({status} {said})"),
            "check that the key or the federation is active, that its file is whole, and this machine's clock",
        )),
        _ => Err(answer.fault(said)),
    }
}

async fn of_the_machine(manager: &SecretManager) -> Result<Secret, Fault> {
    let path = ["computeMetadata", "v1", "instance", "service-accounts", "default", "token"];
    let ask = Ask::get(http::append(&manager.metadata, path)).header("metadata-flavor", &GOOGLE);
    let answer = manager.http.send(&ask).await.map_err(|fault| Fault {
        remedy: "run on a machine of Google's with a service account, or give credentials-file".to_owned(),
        ..fault
    })?;
    // The metadata server always says who it is; whatever else answers here has no token for us.
    let is_google = answer.headers.get("metadata-flavor") == Some(&GOOGLE);
    match answer.status.as_u16() {
        200 if is_google => Ok(answer.json::<Token>()?.access_token.into_secret()),
        status @ 400..=404 => Err(Fault::denied(
            format!("the metadata server gave no token ({status})"),
            "attach a service account to the machine or the pod",
        )),
        200 => Err(Fault::malformed(
            "what answers is no metadata server of Google",
            "give credentials-file, or look for what answers in its place",
        )),
        _ => Err(answer.fault("")),
    }
}
