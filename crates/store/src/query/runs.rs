//! Runs: what was crawled when, and what came of it.

use model::document::report::{Changes, Report};
use model::{Outcome, RunId};

use crate::connections::ConnectionId;
use crate::db::{Row, query, query_scalar};
use crate::{Result, Store, StoreError};

/// Which run is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunRef {
    /// The one of this number.
    Id(RunId),
    /// The one that was started last.
    Latest,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It has not ended, or its program was killed and no run of its connection has begun since.
    Running,
    /// It has ended.
    Ended(Outcome),
    /// Its program was killed.
    Interrupted,
}

/// A run in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    /// The number.
    pub id: RunId,
    /// What it crawled.
    pub connection: ConnectionId,
    /// Milliseconds since 1970 UTC.
    pub started_ms: i64,
    /// Milliseconds since 1970 UTC; absent while it runs.
    pub finished_ms: Option<i64>,
    /// How far it is.
    pub state: RunState,
    /// What it changed; zero until it has ended.
    pub changes: Changes,
    /// The settings that it was started with, JSON.
    pub settings: String,
}

const SELECT: &str = "SELECT id, connection, started_ms, finished_ms, outcome, changes, settings FROM run";

impl Store {
    /// The latest runs, latest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn runs(&self, limit: usize) -> Result<Vec<RunSummary>> {
        let query = query(format!("{SELECT} ORDER BY id DESC LIMIT $1"));
        let rows = query.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(self.readers()).await?;
        rows.iter().map(read).collect()
    }

    /// One run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    pub async fn run(&self, run: RunRef) -> Result<RunSummary> {
        let (condition, id) = match run {
            RunRef::Id(id) => ("WHERE id = $1", id.0),
            RunRef::Latest => ("WHERE id >= $1 ORDER BY id DESC LIMIT 1", 0),
        };
        let query = query(format!("{SELECT} {condition}")).bind(id);
        match query.fetch_optional(self.readers()).await? {
            Some(row) => read(&row),
            None => Err(not_found(run)),
        }
    }

    /// The report of a run, if it has one: a run that was killed has none.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    pub async fn report(&self, run: RunRef) -> Result<Option<Report>> {
        let id = self.run(run).await?.id;
        let text: Option<String> =
            query_scalar("SELECT report FROM run WHERE id = $1").bind(id.0).fetch_one(self.readers()).await?;
        text.map(|text| serde_json::from_str(&text).map_err(StoreError::corrupt)).transpose()
    }
}

fn not_found(run: RunRef) -> StoreError {
    let message = match run {
        RunRef::Id(id) => format!("there is no run {id} in this catalog: list the runs to see their numbers"),
        RunRef::Latest => "there is no run in this catalog yet: crawl first".to_owned(),
    };
    StoreError::NotFound { message }
}

fn read(row: &Row) -> Result<RunSummary> {
    let outcome: Option<&str> = row.try_get(4)?;
    let state = match outcome {
        None => RunState::Running,
        Some("interrupted") => RunState::Interrupted,
        Some(word) => {
            let outcome = Outcome::parse(word);
            RunState::Ended(outcome.ok_or_else(|| StoreError::corrupt(format!("there is no outcome `{word}`")))?)
        }
    };
    let changes: Option<&str> = row.try_get(5)?;
    let changes = changes.map(|text| serde_json::from_str(text).map_err(StoreError::corrupt)).transpose()?;
    Ok(RunSummary {
        id: RunId(row.try_get(0)?),
        connection: ConnectionId(row.try_get(1)?),
        started_ms: row.try_get(2)?,
        finished_ms: row.try_get(3)?,
        state,
        changes: changes.unwrap_or_default(),
        settings: row.try_get(6)?,
    })
}
