//! What a runtime sends of a run: batches, questions, checks, logs, and its last word.

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{post, put};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use model::AssetBatch;
use serde_json::json;
use store::{InboxBatch, InboxEnd, InboxQuestion, Lease, NewEvent, Received, Standing};
use tokio::time::Instant;
use wire::batch::{decode, decompress};
use wire::{
    BatchAnswer, BatchDigest, Code, DIGEST_HEADER, DecodeError, Ending, Finish, LEASE_HEADER, LOG_LINES_MAX, LOG_TEXT_BYTES_MAX,
    LONG_POLL_SECONDS_MAX, LeaseId, LogLines, PreflightReport, Question, QuestionAnswer, QuestionRequest, Sequence,
};

use super::caller::{Asking, Body, LEASE_MS};
use super::refusal::Refusal;
use crate::state::{App, AppState};
use crate::work::remote;

/// How often an answer is looked for while a runtime waits.
const LOOK: Duration = Duration::from_millis(100);

pub(super) fn batches() -> Router<App> {
    Router::new().route("/runtime/v1/batches/{run}/{sequence}", put(batch))
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/runtime/v1/questions/{run}/{number}", post(question))
        .route("/runtime/v1/preflight", post(preflight))
        .route("/runtime/v1/logs", post(logs))
        .route("/runtime/v1/finish", post(finish))
}

async fn batch(
    State(app): State<App>,
    asking: Asking,
    Path((run, sequence)): Path<(i64, i64)>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Body<BatchAnswer>, Refusal> {
    let asked = json!({ "run": run, "batch": sequence });
    let id = header(&headers, LEASE_HEADER).map(|text| LeaseId(text.to_owned()));
    let id = id.ok_or_else(|| Refusal::malformed(format!("the header `{LEASE_HEADER}` is missing")))?;
    let lease = match of_run(&app, &asking, &id, run).await {
        Err(refusal) if refusal.code == Code::Malformed => return Err(asking.refused(&app, refusal, asked).await),
        found => found?,
    };
    let Ok(content) = body else {
        let refusal = Refusal::new(Code::TooLarge, "the batch is larger than is taken");
        return Err(asking.refused(&app, refusal, asked).await);
    };
    let digest = header(&headers, DIGEST_HEADER).and_then(BatchDigest::from_header);
    let digest = digest.ok_or_else(|| Refusal::malformed(format!("the header `{DIGEST_HEADER}` is missing")))?;
    let checked = content.clone();
    let read = tokio::task::spawn_blocking(move || decode(&decompress(&checked, digest)?)).await;
    let read = read.map_err(|_panicked| Refusal::malformed("the batch cannot be read"))?;
    let read = match read.map_err(|error| refused_batch(&error)) {
        Ok(read) => read,
        Err(refusal) => return Err(asking.refused(&app, refusal, asked).await),
    };
    require_own_names(&app, &asking, &lease, &read).await?;
    let kept = InboxBatch { sequence, digest: digest.0, content: content.to_vec() };
    let received = app.store.receive_batch(&lease, &kept, LEASE_MS, app.clock.now_ms()).await?;
    let stored = Body(BatchAnswer { stored: Sequence(u64::try_from(sequence).unwrap_or(0)) });
    let refusal = match received {
        Received::Stored => {
            app.nudge.wake();
            return Ok(stored);
        }
        Received::Again => return Ok(stored),
        Received::Differs => Refusal::new(Code::BatchDiffers, "another batch was sent under this number before"),
        Received::OutOfOrder { last } => {
            Refusal::new(Code::BatchOutOfOrder, format!("batch {sequence} came after batch {last}: send those between first"))
        }
    };
    Err(asking.refused(&app, refusal, asked).await)
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn refused_batch(error: &DecodeError) -> Refusal {
    let code = match error {
        DecodeError::TooLarge { .. } => Code::TooLarge,
        DecodeError::Digest => Code::DigestMismatch,
        DecodeError::Compression(_) | DecodeError::Line { .. } | DecodeError::Kind { .. } | DecodeError::NoScope => Code::Malformed,
    };
    Refusal::new(code, error.to_string())
}

/// The lease, which must be of the run that the path names.
async fn of_run(app: &AppState, asking: &Asking, id: &LeaseId, run: i64) -> Result<Lease, Refusal> {
    let (lease, standing) = asking.lease(app, id).await?;
    if lease.run.0 != run {
        return Err(Refusal::malformed("the lease is of another run"));
    }
    if standing == Standing::Done { Err(Refusal::lease_lost()) } else { Ok(lease) }
}

/// Assets lie below the connection that is crawled, or are the S3 objects that it is over: a runtime writes nothing else.
async fn require_own_names(app: &AppState, asking: &Asking, lease: &Lease, batch: &AssetBatch) -> Result<(), Refusal> {
    let connection = app.store.managed_connection(lease.connection).await?.connection.qualified_name;
    let root = connection.as_str();
    let is_own = |asset: &model::Asset| {
        let name = asset.qualified_name.as_str();
        name == root
            || name.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
            || (asset.kind == model::Kind::S3Object && name.starts_with("s3://"))
    };
    let foreign =
        batch.items.iter().flat_map(|item| std::iter::once(&item.asset).chain(&item.derived)).find(|asset| !is_own(asset));
    let Some(foreign) = foreign else { return Ok(()) };
    let refusal = Refusal::malformed("the batch has an asset outside the connection that is crawled");
    let detail = json!({ "run": lease.run.0, "asset": foreign.qualified_name.as_str() });
    Err(asking.refused(app, refusal, detail).await)
}

async fn question(
    State(app): State<App>,
    asking: Asking,
    Path((run, number)): Path<(i64, i64)>,
    Body(request): Body<QuestionRequest>,
) -> Result<Body<QuestionAnswer>, Refusal> {
    let lease = of_run(&app, &asking, &request.lease, run).await?;
    if let Question::Unchanged { slices } = &request.question {
        let answer = remote::unchanged(&app, &lease, slices).await?;
        return Ok(Body(QuestionAnswer { answer: Some(answer) }));
    }
    let after = i64::try_from(request.after.0).map_err(|_too_large| Refusal::malformed("there is no batch of this number"))?;
    let text = serde_json::to_string(&request.question).map_err(|error| Refusal::malformed(error.to_string()))?;
    let kept = InboxQuestion { number, after, question: text };
    let mut answer = app.store.receive_question(&lease, &kept, LEASE_MS, app.clock.now_ms()).await?;
    app.nudge.wake();
    let until = Instant::now() + Duration::from_secs(request.wait_seconds.min(LONG_POLL_SECONDS_MAX));
    while answer.is_none() && Instant::now() < until && !app.shutdown.soft().is_cancelled() {
        tokio::time::sleep(LOOK).await;
        answer = app.store.inbox_answer(&lease, number).await?;
    }
    let answer = answer.map(|text| serde_json::from_str(&text)).transpose();
    let answer = answer.map_err(|_unreadable| Refusal::new(Code::Busy, "the answer cannot be read: ask again"))?;
    Ok(Body(QuestionAnswer { answer }))
}

async fn preflight(State(app): State<App>, asking: Asking, Body(report): Body<PreflightReport>) -> Result<StatusCode, Refusal> {
    let (lease, _) = asking.lease(&app, &report.lease).await?;
    remote::keep_preflight(&app, &lease, &report).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn logs(State(app): State<App>, asking: Asking, Body(logs): Body<LogLines>) -> Result<StatusCode, Refusal> {
    let (lease, _) = asking.lease(&app, &logs.lease).await?;
    if logs.lines.len() > LOG_LINES_MAX {
        return Err(Refusal::new(Code::TooLarge, format!("at most {LOG_LINES_MAX} lines are taken at once")));
    }
    let event = |line: &wire::LogLine| {
        let end = line.message.floor_char_boundary(LOG_TEXT_BYTES_MAX);
        let data = json!({ "atMs": line.at_ms, "level": line.level, "message": &line.message[..end] });
        NewEvent { kind: "log".to_owned(), data: data.to_string() }
    };
    let events: Vec<NewEvent> = logs.lines.iter().map(event).collect();
    if !events.is_empty() {
        app.store.append_events(lease.run, &events, app.clock.now_ms()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn finish(State(app): State<App>, asking: Asking, Body(finish): Body<Finish>) -> Result<StatusCode, Refusal> {
    let (lease, standing) = asking.lease(&app, &finish.lease).await?;
    if standing == Standing::Done {
        // It arrived before, and the answer did not.
        return Ok(StatusCode::NO_CONTENT);
    }
    let batches = match finish.ending {
        Ending::Crawled { .. } => {
            i64::try_from(finish.batches.0).map_err(|_too_large| Refusal::malformed("there are never as many batches"))?
        }
        // What was sent of a crawl that did not go through is of use, and what was not is not missed.
        Ending::Failed { .. } | Ending::Cancelled { .. } | Ending::HandedBack { .. } => app.store.last_inbox_batch(&lease).await?,
    };
    let ending = serde_json::to_string(&finish.ending).map_err(|error| Refusal::malformed(error.to_string()))?;
    app.store.receive_end(&lease, &InboxEnd { batches, ending }, LEASE_MS, app.clock.now_ms()).await?;
    app.nudge.wake();
    Ok(StatusCode::NO_CONTENT)
}
