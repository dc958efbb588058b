//! Alerts of a workflow: where they go, of what, and the secret that signs them, which is sealed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Outcome;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Problem;
use crate::randomness::{Random, draw};
use crate::sealing::{KeyId, MasterKeys, Sealed, SealingContext, SealingError, SecretBytes};
use crate::state::{App, AppState};
use crate::webhook::WebhookSecret;

/// Alerts of one workflow.
const ALERTS_MAX: usize = 10;
const URL_BYTES_MAX: usize = 2048;
/// Secrets of alerts are made once, never replaced.
const SECRET_VERSION: u32 = 1;

/// Who is told, of what.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertRequest {
    /// Where the alert is posted, as Standard Webhooks says; its host is on the operator's list (`alerts.allowed_hosts`).
    #[schema(example = "https://hooks.example.com/isinglass")]
    url: String,
    /// Outcomes: `complete`, `partial`, `failed`, `cancelled`, `interrupted`; without any, all but `complete`.
    #[serde(default)]
    on: Vec<String>,
}

/// An alert as it is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct AlertShown {
    url: String,
    on: Vec<String>,
    /// What signatures are checked with (`whsec_…`); only in the answer to the request that made the alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    secret: Option<String>,
}

/// An alert as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) on: Vec<String>,
    /// The sealed secret, base64.
    sealed: String,
    #[serde(skip)]
    fresh: Option<String>,
}

impl AlertShown {
    pub(super) fn of(kept: &Kept) -> Self {
        Self { url: kept.url.clone(), on: kept.on.clone(), secret: kept.fresh.clone() }
    }
}

/// Alerts that were stored.
pub(crate) fn read(text: &str) -> Vec<Kept> {
    serde_json::from_str(text).unwrap_or_default()
}

pub(crate) fn stored(kept: &[Kept]) -> Result<String, Problem> {
    serde_json::to_string(kept).map_err(|error| Problem::internal(&error))
}

/// Checks alerts and seals a secret for each that is new; one to the same URL keeps its own.
pub(crate) fn keep(app: &App, asked: &[AlertRequest], known: &[Kept]) -> Result<Vec<Kept>, Problem> {
    if asked.len() > ALERTS_MAX {
        return Err(Problem::field("alerts", "expected at most 10"));
    }
    let one = |(index, alert): (usize, &AlertRequest)| {
        let field = |name: &str| format!("alerts[{index}].{name}");
        if alert.url.len() > URL_BYTES_MAX {
            return Err(Problem::field(field("url"), "expected at most 2048 bytes"));
        }
        app.webhooks.check(&alert.url).map_err(|error| Problem::field(field("url"), error.to_string()))?;
        let on = outcomes(&alert.on)
            .ok_or_else(|| Problem::field(field("on"), "expected outcomes: complete, partial, failed, cancelled, interrupted"))?;
        match known.iter().find(|known| known.url == alert.url) {
            Some(known) => Ok(Kept { on, fresh: None, ..known.clone() }),
            None => fresh(app, alert.url.clone(), on),
        }
    };
    asked.iter().enumerate().map(one).collect()
}

fn outcomes(words: &[String]) -> Option<Vec<String>> {
    let words: Vec<&str> = match words {
        [] => vec!["partial", "failed", "cancelled", "interrupted"],
        words => words.iter().map(String::as_str).collect(),
    };
    words.into_iter().map(|word| Outcome::parse(word).map(|outcome| outcome.as_str().to_owned())).collect()
}

fn fresh(app: &AppState, url: String, on: Vec<String>) -> Result<Kept, Problem> {
    let secret = WebhookSecret::generate(&*app.random).map_err(|error| Problem::internal(&error))?;
    let number = u64::from_be_bytes(draw(&*app.random).map_err(|error| Problem::internal(&error))?);
    let id = format!("{number:016x}");
    let text = secret.expose();
    let plain = SecretBytes::new(text.as_bytes().to_vec());
    let name = context(&id);
    let sealed = app.keys.seal(&plain, SealingContext { credential_id: &name, version: SECRET_VERSION }, &*app.random);
    let sealed = STANDARD.encode(sealed.map_err(|error| Problem::internal(&error))?.to_bytes());
    Ok(Kept { id, url, on, sealed, fresh: Some(text.to_string()) })
}

impl Kept {
    fn sealed(&self) -> Result<Sealed, SealingError> {
        let bytes = STANDARD.decode(&self.sealed).map_err(|_not_base64| SealingError::Format { reason: "it is no base64" })?;
        Sealed::from_bytes(&bytes)
    }

    /// The key that its secret is under.
    pub(crate) fn key_id(&self) -> Result<KeyId, SealingError> {
        Ok(self.sealed()?.key_id)
    }

    /// Brings its secret under the current key; whether it was under another one.
    pub(crate) fn rewrap(&mut self, keys: &MasterKeys, random: &dyn Random) -> Result<bool, SealingError> {
        let sealed = self.sealed()?;
        if !keys.needs_rewrap(&sealed) {
            return Ok(false);
        }
        let name = context(&self.id);
        let wrapped = keys.rewrap(&sealed, SealingContext { credential_id: &name, version: SECRET_VERSION }, random)?;
        self.sealed = STANDARD.encode(wrapped.to_bytes());
        Ok(true)
    }
}

/// The secret of an alert, for the moment of signing.
pub(crate) fn open(app: &AppState, kept: &Kept) -> Option<WebhookSecret> {
    let sealed = kept.sealed().ok()?;
    let name = context(&kept.id);
    let opened = app.keys.open(&sealed, SealingContext { credential_id: &name, version: SECRET_VERSION }).ok()?;
    WebhookSecret::parse(std::str::from_utf8(opened.expose()).ok()?).ok()
}

fn context(id: &str) -> String {
    format!("workflow-alert:{id}")
}
