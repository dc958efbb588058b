//! A connection as the API shows it.

use serde::Serialize;
use store::{ConnectionRemoval, ManagedConnection, RunsOn};
use utoipa::ToSchema;

/// What is done with the assets of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ConnectionState)]
enum State {
    /// It is crawled when its workflows say so.
    Active,
    /// Its assets are being archived.
    Archiving,
    /// Its assets are archived; a crawl brings it back.
    Archived,
    /// It is going for good, with all that is known of it.
    Purging,
    /// It is gone.
    Purged,
}

/// A connection.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection {
    #[schema(example = "3")]
    id: String,
    name: String,
    /// `glue` or `aws-smus`.
    connector: String,
    /// The number in the qualified names of its assets.
    number: u64,
    /// What the qualified names of its assets begin with.
    #[schema(example = "default/glue/1700000000")]
    qualified_name: String,
    /// `purged` stands only in the answer to its deletion.
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    region: Option<String>,
    /// The AWS account that it was found to lead to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    credential_id: Option<String>,
    /// `direct`, or the name of a runtime.
    runs_on: String,
    administrators: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
    /// Milliseconds since 1970 UTC.
    created_at: i64,
    /// Since when its assets are archived, milliseconds since 1970 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    archived_at: Option<i64>,
    /// Grows with every change; the `ETag`.
    version: i64,
}

impl Connection {
    pub(super) fn of(found: ManagedConnection) -> Self {
        let runs_on = match found.runs_on {
            RunsOn::Direct => "direct".to_owned(),
            RunsOn::Runtime(name) => name,
        };
        let state = match (found.removal, found.archived_ms) {
            (Some(ConnectionRemoval::Purge), _) => State::Purging,
            (Some(ConnectionRemoval::Archive), _) => State::Archiving,
            (None, Some(_)) => State::Archived,
            (None, None) => State::Active,
        };
        Self {
            id: found.connection.id.0.to_string(),
            name: found.connection.name,
            connector: found.connection.connector,
            number: found.connection.number,
            qualified_name: found.connection.qualified_name.to_string(),
            state,
            region: found.connection.region,
            account: found.connection.account,
            credential_id: found.credential.map(|id| id.to_string()),
            runs_on,
            administrators: found.administrators.iter().map(ToString::to_string).collect(),
            description: found.description,
            created_at: found.connection.created_ms,
            archived_at: found.archived_ms,
            version: found.version,
        }
    }
    /// As it was before it went.
    pub(super) fn purged(self) -> Self {
        Self { state: State::Purged, ..self }
    }
}
