//! What happens in a run, for whoever watches: as a page, or as a stream of server-sent events that goes on where it was cut off.
//!
//! The stream is of the form of <https://html.spec.whatwg.org/multipage/server-sent-events.html>; `id` is the event's number.
#![expect(unused_qualifications, reason = "what utoipa derives for queries qualifies what is in scope")]

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use http::{HeaderMap, header};
use model::RunId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{RunEvent, RunState};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ReadProblems, find};
use crate::api::Caller;
use crate::auth::Action;
use crate::http::{Json, Limit, Path, Problem, Query};
use crate::state::App;

const EVENT_STREAM: &str = "text/event-stream";
/// Between looks at the catalog while somebody watches.
const POLL: Duration = Duration::from_millis(500);
/// A comment after this many looks without news keeps proxies from closing the connection.
const KEEP_ALIVE_POLLS: u32 = 20;
/// Events that are read at once.
const READ_MAX: usize = 200;

/// Which events.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct After {
    /// Only events after the one of this number.
    #[serde(default)]
    #[param(minimum = 0)]
    after: i64,
    /// The most events of the page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
}

/// An event.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RunEvent)]
struct Event {
    /// Its number within the run, from 1.
    sequence: i64,
    /// When, milliseconds since 1970 UTC.
    at: i64,
    /// What kind of thing: `attempt`, `preflight`, `progress`, `retry`, `ended` …
    kind: String,
    /// What there is to say of it.
    data: Value,
}

/// Events of a run, oldest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RunEvents)]
struct Events {
    /// The events; what comes later is asked for with `after` set to the last `sequence`.
    items: Vec<Event>,
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(run_events))
}

/// What has happened in a run. With `Accept: text/event-stream` it goes on until the run has ended.
#[utoipa::path(get, path = "/api/v1/runs/{id}/events", tag = "runs",
    params(("id" = i64, Path, description = "Its number."), After, ("last-event-id" = Option<String>, Header, description = "For a stream: the number of the last event that came.")),
    responses((status = 200, description = "A page of events, or a stream of them.", content((Events = "application/json"), (String = "text/event-stream"))), ReadProblems,
))]
async fn run_events(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Query(page): Query<After>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.may(Action::ReadCatalog)?;
    let run = find(&app, id).await?;
    let wants_stream =
        headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|text| text.contains(EVENT_STREAM));
    if !wants_stream {
        let found = app.store.events(run.id, page.after, page.limit.get().into()).await?;
        return Ok(Json(Events { items: found.into_iter().map(shown).collect() }).into_response());
    }
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    let watch = Watch { app, run: run.id, after: last.unwrap_or(page.after), quiet: 0, is_over: false };
    let headers = [(header::CONTENT_TYPE, EVENT_STREAM), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(watch.stream())).into_response())
}

/// Somebody who watches a run.
struct Watch {
    app: App,
    run: RunId,
    after: i64,
    quiet: u32,
    is_over: bool,
}

impl Watch {
    fn stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut watch| async {
            let text = watch.next().await?;
            Some((Ok(Bytes::from(text)), watch))
        })
    }

    /// The next piece of the stream; nothing when it is over.
    async fn next(&mut self) -> Option<String> {
        while !self.is_over {
            // Asked before the events are read: those of a run that has ended are all there.
            let has_ended = self.has_ended().await;
            let events = self.app.store.events(self.run, self.after, READ_MAX).await.unwrap_or_default();
            if let Some(last) = events.last() {
                self.after = last.sequence;
                self.quiet = 0;
                return Some(events.into_iter().map(written).collect());
            }
            if has_ended || self.app.shutdown.soft().is_cancelled() {
                self.is_over = true;
                return Some(if has_ended { "event: end\ndata: {}\n\n".to_owned() } else { ": the service stops\n\n".to_owned() });
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = self.app.shutdown.soft().cancelled() => {}
            }
            self.quiet += 1;
            if self.quiet.is_multiple_of(KEEP_ALIVE_POLLS) {
                return Some(": still here\n\n".to_owned());
            }
        }
        None
    }

    async fn has_ended(&self) -> bool {
        let run = self.app.store.run(store::RunRef::Id(self.run)).await;
        !matches!(run.map(|run| run.state), Ok(RunState::Queued | RunState::Running))
    }
}

fn shown(event: RunEvent) -> Event {
    let data = serde_json::from_str(&event.data).unwrap_or(Value::Null);
    Event { sequence: event.sequence, at: event.at_ms, kind: event.kind, data }
}

fn written(event: RunEvent) -> String {
    let event = shown(event);
    let data = serde_json::to_string(&event).unwrap_or_default();
    format!("id: {}\nevent: {}\ndata: {data}\n\n", event.sequence, event.kind)
}
