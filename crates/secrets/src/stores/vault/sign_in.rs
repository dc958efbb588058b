//! How a token of Vault is got.
//!
//! Sources: Vault's API reference, pages "AppRole auth method" (`POST /v1/auth/approle/login`) and "Kubernetes auth method"
//! (`POST /v1/auth/kubernetes/login`).

use model::Secret;
use serde::{Deserialize, Serialize};

use super::{KeyValueEngine, Said, segments};
use crate::configuration::SecretSource;
use crate::configuration::vault::VaultSignIn;
use crate::entry::SecretText;
use crate::fault::Fault;
use crate::http::{Answer, Ask};

#[derive(Serialize)]
struct AppRoleLogin<'a> {
    role_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_id: Option<&'a str>,
}

#[derive(Serialize)]
struct KubernetesLogin<'a> {
    role: &'a str,
    jwt: &'a str,
}

#[derive(Deserialize)]
struct LoggedIn {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: SecretText,
}

/// A token, by whichever way is configured.
pub(super) async fn token(engine: &KeyValueEngine) -> Result<Secret, Fault> {
    match &engine.sign_in {
        VaultSignIn::Token { token } => engine.context.secret(token).await,
        VaultSignIn::AppRole { mount, role_id, secret_id } => {
            let secret_id = match secret_id {
                Some(source) => Some(engine.context.secret(source).await?),
                None => None,
            };
            let login = AppRoleLogin { role_id, secret_id: secret_id.as_ref().map(Secret::expose) };
            log_in(engine, mount, &login).await
        }
        VaultSignIn::Kubernetes { mount, role, token_file } => {
            let jwt = engine.context.secret(&SecretSource::File(token_file.clone())).await?;
            log_in(engine, mount, &KubernetesLogin { role, jwt: jwt.expose() }).await
        }
    }
}

async fn log_in(engine: &KeyValueEngine, mount: &str, login: &impl Serialize) -> Result<Secret, Fault> {
    let path = ["auth"].into_iter().chain(segments(mount)?).chain(["login"]);
    let ask = engine.with_headers(Ask::post_json(engine.url(path), login)?);
    let answer = engine.http.send(&ask).await?;
    if answer.status.is_success() {
        return Ok(answer.json::<LoggedIn>()?.auth.client_token.into_secret());
    }
    Err(refused(&answer, mount))
}

/// Vault answers 400 for ids and roles that it does not know, and 403 for a token of Kubernetes that it does not take.
fn refused(answer: &Answer, mount: &str) -> Fault {
    let said: Said = answer.said();
    match answer.status.as_u16() {
        404 | 403 if said.errors.iter().any(|error| error.contains("no handler for route")) => Fault::misconfigured(
            format!("no sign-in method is mounted at auth/{mount}/"),
            "correct the mount of the sign-in, or the namespace of the store",
        ),
        status @ (400 | 401 | 403) => Fault::denied(
            format!("Vault refused the sign-in at auth/{mount}/ ({status})"),
            "check the role, that its secret id is valid and not used up, and that the method allows this machine or service account",
        ),
        _ => super::refused(answer, mount),
    }
}
