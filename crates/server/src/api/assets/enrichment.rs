//! What people say of assets and columns: read with its version, and edited with it.

use axum::extract::State;
use axum::response::IntoResponse;
use model::KnownAsset;
use serde::{Deserialize, Serialize};
use store::{Certificate, Enrichment, EnrichmentText, Subject};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Which;
use crate::api::named::find;
use crate::api::paging::present;
use crate::api::{Caller, EditProblems, ReadProblems};
use crate::auth::Action;
use crate::http::{Code, ETag, IfMatch, Json, Problem, Query};
use crate::state::App;

const DESCRIPTION_CHARACTERS_MAX: usize = 20_000;
const MESSAGE_CHARACTERS_MAX: usize = 2_000;
const WORD_CHARACTERS_MAX: usize = 200;
/// Owners of one asset, and its tags.
const WORDS_MAX: usize = 50;

/// What people say of an asset or column.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Said {
    /// Of a column, its path below the table; absent for the asset itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "items/sku")]
    path: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Orders as the shop confirmed them")]
    description: Option<String>,
    /// Who is asked about it.
    #[schema(example = json!(["Grace Hopper"]))]
    owners: Vec<String>,
    /// What it is filed under.
    #[schema(example = json!(["gold"]))]
    tags: Vec<String>,
    /// How far it can be trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    certificate: Option<Certified>,
    /// The number of the user who said it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "3")]
    updated_by: Option<String>,
    /// When, milliseconds since 1970 UTC; absent while nobody has said anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1_700_000_000_000_i64)]
    updated_at: Option<i64>,
    /// Grows with every edit; 0 while nobody has said anything.
    #[schema(example = 1)]
    version: i64,
}

/// A certificate.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Certified {
    /// How far it can be trusted.
    status: Status,
    /// Why so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000, example = "reconciled with the ledger")]
    message: Option<String>,
}

/// How far an asset can be trusted.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// Somebody answers for it.
    Verified,
    /// It is being worked on.
    Draft,
    /// It shall not be used any more.
    Deprecated,
}

/// What is to be different; what is left out stays, null takes it away.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Edit {
    /// What it is.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 20_000, example = "Orders as the shop confirmed them")]
    description: Option<Option<String>>,
    /// Who is asked about it.
    #[schema(max_items = 50, example = json!(["Grace Hopper"]))]
    owners: Option<Vec<String>>,
    /// What it is filed under.
    #[schema(max_items = 50, example = json!(["gold"]))]
    tags: Option<Vec<String>>,
    /// How far it can be trusted.
    #[serde(default, deserialize_with = "present")]
    certificate: Option<Option<Certified>>,
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_enrichment, edit_enrichment))
}

/// What people say of an asset or column.
#[utoipa::path(get, path = "/api/v1/assets/enrichment", tag = "assets", params(Which), responses(
    (status = 200, description = "What they say; nothing, of version 0, where nobody has said anything.", body = Said,
        headers(("etag" = String, description = "Its version."))), ReadProblems,
))]
async fn get_enrichment(State(app): State<App>, caller: Caller, Query(which): Query<Which>) -> Result<impl IntoResponse, Problem> {
    caller.may(Action::ReadCatalog)?;
    let subject = find(&app, &which.qualified_name).await?;
    let said = said_of(&app, &subject).await?;
    Ok((ETag(said.version), Json(said)))
}

/// Says something of an asset or column. No crawl touches it.
#[utoipa::path(patch, path = "/api/v1/assets/enrichment", tag = "assets", request_body = Edit,
    params(Which, ("if-match" = String, Header, description = "The `ETag` of what was read.")), responses(
    (status = 200, description = "It is said.", body = Said, headers(("etag" = String, description = "Its version."))), EditProblems,
))]
async fn edit_enrichment(
    State(app): State<App>,
    caller: Caller,
    Query(which): Query<Which>,
    if_match: IfMatch,
    Json(edit): Json<Edit>,
) -> Result<impl IntoResponse, Problem> {
    caller.may(Action::Enrich)?;
    let subject = find(&app, &which.qualified_name).await?;
    let Some(known) = subject.stored().known else {
        let detail = "this follows from a table, and is nothing that people can say something of: enrich the table";
        return Err(Problem::new(Code::Conflict, detail));
    };
    let stored = stored_of(&app, known, path_of(&subject)).await?;
    let version = stored.as_ref().map_or(0, |stored| stored.version);
    if_match.require(version)?;
    let text = edit.applied(stored.map(|stored| stored.text).unwrap_or_default())?;
    app.store.set_enrichment(known, path_of(&subject), version, &text, caller.audit(), app.clock.now_ms()).await?;
    let said = said_of(&app, &subject).await?;
    Ok((ETag(said.version), Json(said)))
}

async fn said_of(app: &App, subject: &Subject) -> Result<Said, Problem> {
    let Some(known) = subject.stored().known else { return Ok(Said::default()) };
    Ok(stored_of(app, known, path_of(subject)).await?.map(Said::from).unwrap_or_default())
}

async fn stored_of(app: &App, known: KnownAsset, path: &str) -> Result<Option<Enrichment>, Problem> {
    Ok(app.store.enrichment(known).await?.into_iter().find(|said| said.path == path))
}

/// The path of a column below its table; empty for an asset itself.
fn path_of(subject: &Subject) -> &str {
    subject.column().map_or("", |column| column.path)
}

impl From<Enrichment> for Said {
    fn from(stored: Enrichment) -> Self {
        let EnrichmentText { description, owners, tags, certificate, certificate_message } = stored.text;
        Self {
            path: (!stored.path.is_empty()).then_some(stored.path),
            description,
            owners,
            tags,
            certificate: certificate.map(|certificate| Certified { status: certificate.into(), message: certificate_message }),
            updated_by: stored.updated_by.map(|user| user.to_string()),
            updated_at: Some(stored.updated_ms),
            version: stored.version,
        }
    }
}

impl Edit {
    /// What is said after the edit.
    fn applied(self, mut text: EnrichmentText) -> Result<EnrichmentText, Problem> {
        if let Some(description) = self.description {
            text.description = prose("description", description, DESCRIPTION_CHARACTERS_MAX)?;
        }
        if let Some(owners) = self.owners {
            text.owners = words("owners", &owners)?;
        }
        if let Some(tags) = self.tags {
            text.tags = words("tags", &tags)?;
        }
        if let Some(certificate) = self.certificate {
            text.certificate = certificate.as_ref().map(|certified| certified.status.into());
            let message = certificate.and_then(|certified| certified.message);
            text.certificate_message = prose("certificate.message", message, MESSAGE_CHARACTERS_MAX)?;
        }
        Ok(text)
    }
}

/// A text of several lines; nothing where there is nothing to read.
fn prose(field: &str, text: Option<String>, max: usize) -> Result<Option<String>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    if text.chars().count() > max || text.chars().any(|character| character.is_control() && !"\n\r\t".contains(character)) {
        return Err(Problem::field(field, format!("expected at most {max} characters, none of which are control characters")));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// Short texts, each once.
fn words(field: &str, given: &[String]) -> Result<Vec<String>, Problem> {
    let mut words: Vec<String> = Vec::new();
    if given.len() > WORDS_MAX {
        return Err(Problem::field(field, format!("expected at most {WORDS_MAX}")));
    }
    for (index, word) in given.iter().enumerate() {
        let word = word.trim();
        let is_plain = !word.is_empty() && word.chars().count() <= WORD_CHARACTERS_MAX && !word.chars().any(char::is_control);
        if !is_plain {
            let message = format!("expected 1 to {WORD_CHARACTERS_MAX} characters on one line");
            return Err(Problem::field(format!("{field}[{index}]"), message));
        }
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    Ok(words)
}

impl From<Certificate> for Status {
    fn from(certificate: Certificate) -> Self {
        match certificate {
            Certificate::Verified => Self::Verified,
            Certificate::Draft => Self::Draft,
            Certificate::Deprecated => Self::Deprecated,
        }
    }
}

impl From<Status> for Certificate {
    fn from(status: Status) -> Self {
        match status {
            Status::Verified => Self::Verified,
            Status::Draft => Self::Draft,
            Status::Deprecated => Self::Deprecated,
        }
    }
}
