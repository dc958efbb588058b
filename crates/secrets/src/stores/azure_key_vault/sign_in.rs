//! How an access token of Microsoft Entra is got.
//!
//! Sources: "Microsoft identity platform and the OAuth 2.0 client credentials flow" (first case: shared secret; third case: federated
//! credential), "How to use managed identities for Azure resources on an Azure VM to acquire an access token" (api-version 2018-02-01), and
//! "How to use managed identities for App Service" (`IDENTITY_ENDPOINT`, api-version 2019-08-01).

use model::Secret;
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::Deserialize;

use super::KeyVault;
use crate::configuration::SecretSource;
use crate::configuration::azure::AzureSignIn;
use crate::entry::SecretText;
use crate::fault::Fault;
use crate::http::{self, Answer, Ask};

/// Where every virtual machine of Azure finds its metadata service.
const METADATA_URL: &str = "http://169.254.169.254";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Codes of Microsoft Entra that say that there is no such tenant.
const NO_TENANT: [u32; 2] = [90_002, 900_023];

#[derive(Deserialize)]
struct Token {
    access_token: SecretText,
}

#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    error_codes: Vec<u32>,
}

pub(super) async fn token(vault: &KeyVault) -> Result<Secret, Fault> {
    match &vault.sign_in {
        AzureSignIn::ClientSecret { tenant_id, client_id, client_secret } => {
            let secret = vault.context.secret(client_secret).await?;
            issue(vault, tenant_id, client_id, &[("client_secret", secret.expose())]).await
        }
        AzureSignIn::WorkloadIdentity { tenant_id, client_id, token_file } => {
            let tenant_id = vault.context.required(tenant_id.as_ref(), "sign-in.tenant-id", "AZURE_TENANT_ID")?;
            let client_id = vault.context.required(client_id.as_ref(), "sign-in.client-id", "AZURE_CLIENT_ID")?;
            let file = match token_file {
                Some(file) => file.clone(),
                None => vault.context.required(None, "sign-in.token-file", "AZURE_FEDERATED_TOKEN_FILE")?.into(),
            };
            let assertion = vault.context.secret(&SecretSource::File(file)).await?;
            let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.expose())];
            issue(vault, &tenant_id, &client_id, &proof).await
        }
        AzureSignIn::ManagedIdentity { client_id, metadata_url } => {
            managed(vault, client_id.as_deref(), metadata_url.as_deref()).await
        }
    }
}

/// The client credentials flow, with either proof.
async fn issue(vault: &KeyVault, tenant_id: &str, client_id: &str, proof: &[(&str, &str)]) -> Result<Secret, Fault> {
    let url = http::append(&vault.authority, [tenant_id, "oauth2", "v2.0", "token"]);
    let scope = format!("{}/.default", vault.resource);
    let mut form = vec![("grant_type", "client_credentials"), ("client_id", client_id), ("scope", scope.as_str())];
    form.extend_from_slice(proof);
    let answer = vault.http.send(&Ask::post_form(url, &form)).await?;
    if answer.status.is_success() {
        return Ok(answer.json::<Token>()?.access_token.into_secret());
    }
    Err(refused(&answer))
}

fn refused(answer: &Answer) -> Fault {
    let said: Said = answer.said();
    let codes = said.error_codes.iter().map(|code| format!("AADSTS{code}")).collect::<Vec<_>>().join(", ");
    match answer.status.as_u16() {
        400 | 401 if said.error_codes.iter().any(|code| NO_TENANT.contains(code)) => {
            Fault::misconfigured(format!("there is no such tenant ({codes})"), "correct sign-in.tenant-id and cloud")
        }
        status @ (400 | 401 | 403) => Fault::denied(
            format!("Microsoft Entra refused the sign-in ({status} {codes})"),
            "check client id, tenant and secret or federated credential of the app registration; the code says which of them is wrong",
        ),
        _ => answer.fault(&codes),
    }
}

/// The identity of the machine: from the endpoint that App Service and Container Apps name, or else from the metadata service.
async fn managed(vault: &KeyVault, client_id: Option<&str>, metadata_url: Option<&str>) -> Result<Secret, Fault> {
    let hosted = vault.context.variable("IDENTITY_ENDPOINT").zip(vault.context.variable("IDENTITY_HEADER").map(Secret::new));
    let ask = match (&hosted, metadata_url) {
        (Some((endpoint, header)), None) => {
            let url = http::base("IDENTITY_ENDPOINT", endpoint)?;
            Ask::get(query(vault, url, "2019-08-01", client_id)).secret_header("x-identity-header", header)?
        }
        (_, given) => {
            let base = http::base("sign-in.metadata-url", given.unwrap_or(METADATA_URL))?;
            let url = http::append(&base, ["metadata", "identity", "oauth2", "token"]);
            Ask::get(query(vault, url, "2018-02-01", client_id)).header("metadata", &HeaderValue::from_static("true"))
        }
    };
    let answer = vault.http.send(&ask).await.map_err(|fault| Fault {
        remedy: "check that the runtime is on a machine of Azure with a managed identity, whose metadata service it can reach"
            .to_owned(),
        ..fault
    })?;
    match answer.status.as_u16() {
        200 => Ok(answer.json::<Token>()?.access_token.into_secret()),
        status @ 400..=404 => Err(Fault::denied(
            format!("the metadata service gave no token ({status})"),
            "assign a managed identity to the machine, and name it by sign-in.client-id if there are several",
        )),
        _ => Err(answer.fault("")),
    }
}

fn query(vault: &KeyVault, mut url: Url, api_version: &str, client_id: Option<&str>) -> Url {
    let mut pairs = url.query_pairs_mut();
    pairs.append_pair("api-version", api_version).append_pair("resource", &vault.resource);
    if let Some(client_id) = client_id {
        pairs.append_pair("client_id", client_id);
    }
    drop(pairs);
    url
}
