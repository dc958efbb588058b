//! Runs that a runtime crawls: what it is told, and what it says before its last word.

use crawl::preflight::CheckReport;
use crawl::{Connector, CrawlSpec, Failure, FailureKind};
use serde_json::{Value, json};
use store::{ConnectionId, CredentialId, Lease, ManagedConnection, PreflightGate, RunRef, RunsOn, Runtime, TaskState};
use tokio::time::Instant;
use wire::{
    Answer, CrawlJob, CredentialReference, FieldValue, Gate, PreflightReport, Progress, Slice, SourceJob, Spooled, TaskAction,
    TaskId, TaskJob, TaskOutcome, TaskResult,
};

use super::PACE;
use super::access::{internal, read, unusable};
use super::attempt::{Attempt, Why};
use super::crawling::stored;
use super::{events, gate};
use crate::credential::{AuthType, KeyType, PublicPart};
use crate::protocol::Refusal;
use crate::state::{App, AppState};

/// How often an answer of a runtime is looked for.
const LOOK: std::time::Duration = std::time::Duration::from_millis(150);

/// What becomes of a lease.
pub(crate) enum Job {
    /// It is given to the runtime.
    Ready(Box<CrawlJob>),
    /// It cannot be crawled; the run knows why.
    Ended,
}

/// Puts together what a runtime needs to know of a run.
pub(crate) async fn prepare(app: &App, lease: &Lease, runtime: &Runtime) -> Job {
    match job(app, lease).await {
        Ok(job) => {
            let data = json!({ "attempt": lease.attempt, "attemptsMax": lease.attempts_max, "runtime": runtime.name });
            events::tell(app, lease, "attempt", &data).await;
            Job::Ready(Box::new(job))
        }
        Err(failure) => {
            Attempt::start(app, PACE, lease.clone()).end_before_crawl(Why::Failed(failure)).await;
            Job::Ended
        }
    }
}

async fn job(app: &AppState, lease: &Lease) -> Result<CrawlJob, Failure> {
    let run = app.store.run(RunRef::Id(lease.run)).await.map_err(stored)?;
    let workflow = run.workflow.ok_or_else(|| Failure::new(FailureKind::Input, "the run belongs to no workflow", ""))?;
    let workflow = app.store.workflow(workflow).await.map_err(stored)?;
    let connection = app.store.managed_connection(lease.connection).await.map_err(stored)?;
    let all: Value = serde_json::from_str(&run.settings).map_err(|error| Failure::from_error(FailureKind::Input, &error))?;
    let connector = connector(&connection)?;
    let key = match connector {
        Connector::Glue => "glue",
        Connector::Smus => "smus",
    };
    let settings = all.get(key).cloned().unwrap_or_else(|| json!({}));
    CrawlSpec::parse(connector, settings.clone())?;
    Ok(CrawlJob {
        source: source(app, &connection).await?,
        connection_number: connection.connection.number,
        account: connection.connection.account.clone(),
        settings,
        preflight: match workflow.spec.preflight {
            PreflightGate::Off => Gate::Off,
            PreflightGate::Soft => Gate::Soft,
            PreflightGate::Hard => Gate::Hard,
        },
        is_first: app.store.has_no_assets(lease.connection).await.map_err(stored)?,
    })
}

fn connector(connection: &ManagedConnection) -> Result<Connector, Failure> {
    Connector::parse(&connection.connection.connector)
        .ok_or_else(|| Failure::new(FailureKind::Input, "the connection has no connector of this program", ""))
}

/// A connection as a runtime is told of it: names of secrets, never a secret.
async fn source(app: &AppState, connection: &ManagedConnection) -> Result<SourceJob, Failure> {
    let credential = match connection.credential {
        None => reference(AuthType::Ambient, &PublicPart::default()),
        Some(id) => of_credential(app, id).await?,
    };
    Ok(SourceJob {
        connector: connector(connection)?.name().to_owned(),
        connection: connection.connection.name.clone(),
        region: connection.connection.region.clone(),
        credential,
    })
}

async fn of_credential(app: &AppState, id: CredentialId) -> Result<CredentialReference, Failure> {
    let has_secret = app.store.credential(id).await.map_err(|error| internal(&error))?.is_some_and(|found| found.key_id.is_some());
    if has_secret {
        return Err(unusable(
            "the secret of the credential is stored here and never goes to a runtime: give the connection a credential with `secrets`, \
             which names where the runtime finds it",
        ));
    }
    let (way, public) = read(app, id).await?;
    Ok(reference(way, &public))
}

fn reference(way: AuthType, public: &PublicPart) -> CredentialReference {
    let literal = |text: &Option<String>| text.clone().map(FieldValue::Literal);
    let literals = [
        ("username", literal(&public.username)),
        ("region", literal(&public.extra.region)),
        ("aws_role_arn", literal(&public.extra.aws_role_arn)),
        ("aws_external_id", literal(&public.extra.aws_external_id)),
    ];
    let given = literals.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let secrets = public.secrets.clone().unwrap_or_default();
    let looked_up = secrets.keys.into_iter().map(|(name, key)| (name, FieldValue::Secret(key)));
    CredentialReference {
        auth_type: way.as_str().to_owned(),
        secret_store: secrets.store,
        secret_path: secrets.path,
        key_type: match secrets.key_type {
            KeyType::MultiKey => wire::KeyType::MultiKey,
            KeyType::SingleKey => wire::KeyType::SingleKey,
        },
        values: given.chain(looked_up).collect(),
    }
}

/// Which tables are stored as they are: any replica knows.
pub(crate) async fn unchanged(app: &AppState, lease: &Lease, slices: &[Slice]) -> Result<Answer, Refusal> {
    let read = slices.iter().map(|slice| slice.parts().ok_or_else(|| Refusal::malformed("this is no hash of a table")));
    let slices = read.collect::<Result<Vec<_>, _>>()?;
    let known = app.store.unchanged(lease.connection, &slices).await?;
    Ok(Answer::Unchanged { known: known.into_iter().map(|known| known.map(Into::into)).collect() })
}

/// Keeps what a runtime has checked before a crawl.
pub(crate) async fn keep_preflight(app: &AppState, lease: &Lease, report: &PreflightReport) -> Result<(), Refusal> {
    let read = report.checks.iter().map(|check| serde_json::from_value::<CheckReport>(check.clone()));
    let checks = read.collect::<Result<Vec<_>, _>>().map_err(|_other| Refusal::malformed("this is no check"))?;
    app.store.save_preflight(lease, &json!(checks).to_string()).await?;
    let failure = report.failure.as_ref().map(|failure| failure.message.as_str());
    events::tell(app, lease, "preflight", &gate::told(&checks, failure)).await;
    Ok(())
}

/// Tells whoever watches how far a runtime is.
pub(crate) async fn tell_progress(app: &AppState, lease: &Lease, progress: &Progress, spooled: Spooled) {
    let data = json!({
        "pages": progress.pages, "tables": progress.tables, "columns": progress.columns, "scopesTotal": progress.scopes_total,
        "scopesDone": progress.scopes_done, "scope": progress.scope, "calls": progress.calls,
        "spooledBatches": spooled.batches, "spooledBytes": spooled.bytes,
    });
    events::tell(app, lease, "progress", &data).await;
}

/// Why a runtime could not be asked.
#[derive(Debug)]
pub(crate) enum NotAsked {
    /// None of its name can be counted on.
    Offline {
        /// What is known of those of its name.
        detail: String,
    },
    /// One has the question, or none took it, and time is up.
    TooLate {
        /// Which of the two.
        detail: String,
    },
    /// It cannot be put together, or kept.
    Failed(Failure),
}

/// Asks a source through the runtime that its connection runs on, and waits for the answer.
pub(crate) async fn ask(
    app: &AppState,
    connection: &ManagedConnection,
    action: TaskAction,
    patience: std::time::Duration,
) -> Result<TaskOutcome, NotAsked> {
    let RunsOn::Runtime(name) = &connection.runs_on else {
        return Err(NotAsked::Failed(unusable("the connection runs on no runtime")));
    };
    require_online(app, name).await?;
    let source = source(app, connection).await.map_err(NotAsked::Failed)?;
    let seconds = patience.as_secs();
    let job = TaskJob { id: TaskId(String::new()), within_seconds: seconds, action, source };
    let failed = |error: &dyn std::error::Error| NotAsked::Failed(internal(error));
    let text = serde_json::to_string(&job).map_err(|error| failed(&error))?;
    let now_ms = app.clock.now_ms();
    let deadline_ms = now_ms.saturating_add(i64::try_from(patience.as_millis()).unwrap_or(i64::MAX));
    let id = app.store.ask_runtime(&connection.runs_on, &text, deadline_ms, now_ms).await.map_err(|error| failed(&error))?;
    let answered = wait_for(app, id, name, Instant::now() + patience).await;
    if let Err(error) = app.store.drop_task(id).await {
        tracing::debug!(%error, "a question is not forgotten yet");
    }
    let text = answered?;
    serde_json::from_str::<TaskResult>(&text).map(|result| result.outcome).map_err(|error| failed(&error))
}

async fn wait_for(app: &AppState, id: store::TaskId, name: &str, until: Instant) -> Result<String, NotAsked> {
    loop {
        let state = app.store.task_state(id).await.map_err(|error| NotAsked::Failed(internal(&error)))?;
        match state {
            TaskState::Answered(text) => return Ok(text),
            TaskState::Taken | TaskState::Waiting if Instant::now() < until => tokio::time::sleep(LOOK).await,
            TaskState::Taken => {
                let detail = format!("the runtime `{name}` has the question, but did not answer in time: look at its log");
                return Err(NotAsked::TooLate { detail });
            }
            TaskState::Waiting => {
                let detail = format!("the runtime `{name}` did not take the question in time: look whether it runs");
                return Err(NotAsked::TooLate { detail });
            }
        }
    }
}

async fn require_online(app: &AppState, name: &str) -> Result<(), NotAsked> {
    let runtimes = app.store.runtimes_named(name).await.map_err(|error| NotAsked::Failed(internal(&error)))?;
    let now_ms = app.clock.now_ms();
    if runtimes.iter().any(|runtime| runtime.state(now_ms) == store::RuntimeState::Online) {
        return Ok(());
    }
    let detail = match runtimes.first() {
        None => format!("no runtime is enrolled as `{name}`: enrol one, or let the connection run elsewhere"),
        Some(Runtime { last_seen_ms: None, .. }) => format!("the runtime `{name}` was never heard of: start it"),
        Some(Runtime { last_seen_ms: Some(seen), .. }) => {
            let seconds = now_ms.saturating_sub(*seen) / 1000;
            format!(
                "the runtime `{name}` is offline: it was last heard of {seconds} s ago; look whether it runs and reaches this server"
            )
        }
    };
    Err(NotAsked::Offline { detail })
}

/// The connection of a lease.
pub(super) async fn connection_of(app: &AppState, id: ConnectionId) -> Result<ManagedConnection, store::StoreError> {
    app.store.managed_connection(id).await
}
