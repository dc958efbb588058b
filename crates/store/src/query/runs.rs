//! Runs: what was crawled when, and what came of it.

use model::document::report::{Changes, Report};
use model::{Outcome, RunId};

use crate::connections::ConnectionId;
use crate::control::{UserId, WorkflowId};
use crate::db::{Row, query, query_scalar};
use crate::{RemovalPolicy, Result, Store, StoreError};

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
    /// It waits for somebody to work on it, for the first time or again.
    Queued,
    /// It is worked on; or its program was killed and nobody has noticed yet.
    Running,
    /// It has ended.
    Ended(Outcome),
}

/// How far runs are that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStage {
    /// They wait.
    Queued,
    /// They are worked on.
    Running,
    /// They have ended, however.
    Ended,
}

/// Why a run was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Somebody said so.
    Manual,
    /// A time of the workflow's schedule had come.
    Schedule,
    /// By a command line, without a workflow.
    CommandLine,
}

impl Trigger {
    /// The word in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Schedule => "schedule",
            Self::CommandLine => "command-line",
        }
    }

    fn parse(word: &str) -> Result<Self> {
        let found = [Self::Manual, Self::Schedule, Self::CommandLine].into_iter().find(|trigger| trigger.as_str() == word);
        found.ok_or_else(|| StoreError::corrupt(format!("no run is started by `{word}`")))
    }
}

/// A run in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    /// The number.
    pub id: RunId,
    /// What it crawled.
    pub connection: ConnectionId,
    /// The workflow that it is a run of.
    pub workflow: Option<WorkflowId>,
    /// Why it was started.
    pub trigger: Trigger,
    /// Who asked for it.
    pub requested_by: Option<UserId>,
    /// When it was asked for, milliseconds since 1970 UTC; absent for what a command line began at once.
    pub queued_ms: Option<i64>,
    /// When its latest attempt began, milliseconds since 1970 UTC; while none has, when it was asked for.
    pub started_ms: i64,
    /// Milliseconds since 1970 UTC; absent while it runs.
    pub finished_ms: Option<i64>,
    /// How far it is.
    pub state: RunState,
    /// Which attempt is the latest, from 1; 0 while none has begun.
    pub attempt: i64,
    /// How much it may archive.
    pub removal: RemovalPolicy,
    /// What it changed; zero until it has ended.
    pub changes: Changes,
    /// The settings that it was started with, JSON.
    pub settings: String,
    /// What was checked before it, JSON.
    pub preflight: Option<String>,
    /// Why it failed, or its latest attempt, JSON.
    pub failure: Option<String>,
}

/// Which runs are asked for; what is absent is not asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Runs of this workflow.
    pub workflow: Option<WorkflowId>,
    /// Runs of this connection.
    pub connection: Option<ConnectionId>,
    /// Runs that are this far.
    pub stage: Option<RunStage>,
}

const SELECT: &str =
    "SELECT id, connection, workflow, trigger_kind, requested_by, queued_ms, started_ms, finished_ms, state, outcome,
    attempt, removal_share_percent, removals_confirmed, changes, settings, preflight, failure FROM run";

impl Store {
    /// The latest runs, latest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn runs(&self, limit: usize) -> Result<Vec<RunSummary>> {
        self.runs_page(&RunFilter::default(), None, limit).await
    }

    /// Runs before the one of a number, latest first. One that retention has emptied is not among them.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn runs_page(&self, filter: &RunFilter, before: Option<RunId>, limit: usize) -> Result<Vec<RunSummary>> {
        let text = format!(
            "{SELECT} WHERE id < $1 AND pruned = 0 AND (workflow = $2 OR $2 IS NULL) AND (connection = $3 OR $3 IS NULL)
                AND (state = $4 OR $4 IS NULL) ORDER BY id DESC LIMIT $5"
        );
        let stage = filter.stage.map(|stage| stage.as_str().to_owned());
        let query = query(text)
            .bind(before.map_or(i64::MAX, |before| before.0))
            .bind(filter.workflow.map(|workflow| workflow.0))
            .bind(filter.connection.map(|connection| connection.0))
            .bind(stage)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        query.fetch_all(self.readers()).await?.iter().map(read).collect()
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
        let text = self.report_text(run).await?;
        text.map(|text| serde_json::from_str(&text).map_err(StoreError::corrupt)).transpose()
    }

    /// The report of a run as it is stored, JSON.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    pub async fn report_text(&self, run: RunRef) -> Result<Option<String>> {
        let id = self.run(run).await?.id;
        Ok(query_scalar("SELECT report FROM run WHERE id = $1").bind(id.0).fetch_one(self.readers()).await?)
    }
}

fn not_found(run: RunRef) -> StoreError {
    let message = match run {
        RunRef::Id(id) => format!("there is no run {id} in this catalog: list the runs to see their numbers"),
        RunRef::Latest => "there is no run in this catalog yet: crawl first".to_owned(),
    };
    StoreError::NotFound { message }
}

impl RunStage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Ended => "ended",
        }
    }
}

fn read_state(row: &Row) -> Result<RunState> {
    let (state, outcome): (&str, Option<&str>) = (row.try_get("state")?, row.try_get("outcome")?);
    match (state, outcome) {
        ("queued", _) => Ok(RunState::Queued),
        ("running", _) => Ok(RunState::Running),
        ("ended", Some(word)) => {
            let outcome = Outcome::parse(word);
            Ok(RunState::Ended(outcome.ok_or_else(|| StoreError::corrupt(format!("there is no outcome `{word}`")))?))
        }
        (state, _) => Err(StoreError::corrupt(format!("a run is `{state}` without an outcome"))),
    }
}

fn read_removal(row: &Row) -> Result<RemovalPolicy> {
    if row.try_get::<i64, _>("removals_confirmed")? != 0 {
        return Ok(RemovalPolicy::Confirmed);
    }
    let share: Option<i64> = row.try_get("removal_share_percent")?;
    let share = share.map(|share| u8::try_from(share).map_err(StoreError::corrupt)).transpose()?;
    Ok(share.map_or_else(RemovalPolicy::default, |max_share_percent| RemovalPolicy::Guarded { max_share_percent }))
}

fn read(row: &Row) -> Result<RunSummary> {
    let changes: Option<&str> = row.try_get("changes")?;
    let changes = changes.map(|text| serde_json::from_str(text).map_err(StoreError::corrupt)).transpose()?;
    Ok(RunSummary {
        id: RunId(row.try_get("id")?),
        connection: ConnectionId(row.try_get("connection")?),
        workflow: row.try_get::<Option<i64>, _>("workflow")?.map(WorkflowId),
        trigger: Trigger::parse(row.try_get("trigger_kind")?)?,
        requested_by: row.try_get::<Option<i64>, _>("requested_by")?.map(UserId),
        queued_ms: row.try_get("queued_ms")?,
        started_ms: row.try_get("started_ms")?,
        finished_ms: row.try_get("finished_ms")?,
        state: read_state(row)?,
        attempt: row.try_get("attempt")?,
        removal: read_removal(row)?,
        changes: changes.unwrap_or_default(),
        settings: row.try_get("settings")?,
        preflight: row.try_get("preflight")?,
        failure: row.try_get("failure")?,
    })
}
