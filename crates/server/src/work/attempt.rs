//! One attempt of a run: checks, crawl, end.

use connector::progress::Progress;
use connector::{CrawlResult, MaskedCounts};
use crawl::failure::Blame;
use crawl::preflight::CheckReport;
use crawl::report::{self, RunFacts, Stored};
use crawl::spec::Occasion;
use crawl::{CrawlSettings, CrawlSpec, Failure, FailureKind, KnownConnection, Plugs, Reader};
use model::document::report::Report;
use model::{ConnectionName, Outcome};
use serde_json::{Value, json};
use store::{
    ConnectionSpec, FinishedRun, Lease, ManagedConnection, NewEvent, PreflightGate, RunEnd, RunSummary, StoreError, Workflow,
};

use super::access::{Opened, open};
use super::sink::CatalogSink;
use crate::state::AppState;

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The run has ended in the catalog.
    Run(Outcome),
    /// It failed, and nothing was told to the catalog: the caller decides whether it is tried again.
    Failed(Failure),
}

/// What an attempt works with.
pub(super) struct Attempt<'a> {
    pub(super) app: &'a AppState,
    pub(super) lease: &'a Lease,
    pub(super) progress: &'a Progress,
}

/// What is asked for.
struct Asked {
    run: RunSummary,
    workflow: Workflow,
    connection: ManagedConnection,
    opened: Opened,
    settings: CrawlSettings,
}

const HOW_TO_CONFIRM: &str = "confirm it: POST /api/v1/runs/{id}/confirm-removals";

impl Attempt<'_> {
    /// Checks, crawls and ends the run. Dropping the future stops it: what was stored stays.
    pub(super) async fn run(&self) -> Ended {
        match self.try_run().await {
            Ok(outcome) => Ended::Run(outcome),
            Err(failure) => Ended::Failed(failure),
        }
    }

    async fn try_run(&self) -> Result<Outcome, Failure> {
        let asked = self.asked().await?;
        self.event("attempt", json!({"attempt": self.lease.attempt, "attemptsMax": self.lease.attempts_max})).await;
        self.gate(&asked).await?;
        let now_ms = self.app.clock.now_ms();
        let run = self.app.store.begin_run_of(&asked.connection.connection, self.lease, now_ms).await.map_err(stored)?;
        let sink = CatalogSink { store: self.app.store.clone(), run };
        self.crawl(&asked, &sink, now_ms).await
    }

    async fn asked(&self) -> Result<Asked, Failure> {
        let store = &self.app.store;
        let run = store.run(store::RunRef::Id(self.lease.run)).await.map_err(stored)?;
        let workflow = run.workflow.ok_or_else(|| input("the run belongs to no workflow"))?;
        let workflow = store.workflow(workflow).await.map_err(stored)?;
        let connection = store.managed_connection(self.lease.connection).await.map_err(stored)?;
        let opened = open(self.app, &connection).await?;
        let settings = settings(&workflow, &connection, &opened, self.app.clock.now_ms())?;
        Ok(Asked { run, workflow, connection, opened, settings })
    }

    /// The checks before the crawl. A source that says no closes a hard gate; our own plumbing closes none.
    async fn gate(&self, asked: &Asked) -> Result<(), Failure> {
        if asked.workflow.spec.preflight == PreflightGate::Off {
            return Ok(());
        }
        let now = || self.app.clock.now_ms();
        let checks = match crawl::preflight::preflight(&asked.opened.access, &asked.settings, &now).await {
            Ok(checks) => checks,
            Err(failure) if failure.blame() == Blame::Plumbing => {
                self.event("preflight-skipped", json!({"message": failure.message})).await;
                return Ok(());
            }
            Err(failure) => return Err(failure),
        };
        let text = serde_json::to_string(&checks).map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
        self.app.store.save_preflight(self.lease, &text).await.map_err(stored)?;
        let refused: Vec<&CheckReport> = checks.iter().filter(|check| check.is_refusal()).collect();
        self.event("preflight", json!({"checks": checks.len(), "refused": refused.len()})).await;
        match refused.first() {
            Some(check) if asked.workflow.spec.preflight == PreflightGate::Hard => {
                Err(Failure::new(FailureKind::Input, format!("preflight: {}: {}", check.name, check.message), check.remedy.clone()))
            }
            _ => Ok(()),
        }
    }

    async fn crawl(&self, asked: &Asked, sink: &CatalogSink, started_at: i64) -> Result<Outcome, Failure> {
        let reader = Reader::connect(&asked.opened.access, &asked.settings).await?;
        let masked = MaskedCounts::default();
        let plugs = Plugs { sink, baseline: sink, progress: self.progress, masked: &masked };
        let connection = &asked.connection.connection;
        let known = KnownConnection {
            name: ConnectionName::new(asked.opened.connector.name(), connection.number),
            account: connection.account.clone(),
        };
        let crawled = crawl::crawl(&reader, &asked.settings, known, &plugs).await;
        let facts = RunFacts { evidence: reader.evidence(), masked: &masked, started_at, how_to_confirm: HOW_TO_CONFIRM };
        self.count_calls(&reader);
        let result = match crawled {
            Ok(crawled) => crawled.result,
            Err(failure) => return self.keep_failed(failure, &facts).await,
        };
        if report::outcome(&result) == Outcome::Failed {
            return self.keep_failed(report::nothing_read(&result), &facts).await;
        }
        self.end(asked, sink, &result, &facts).await
    }

    async fn end(&self, asked: &Asked, sink: &CatalogSink, result: &CrawlResult, facts: &RunFacts<'_>) -> Result<Outcome, Failure> {
        let now_ms = self.app.clock.now_ms();
        let outcome = report::outcome(result);
        let end = RunEnd { outcome, scopes: result.scopes.clone(), gone: result.gone.clone(), removal: asked.run.removal, now_ms };
        let report = |finished: &FinishedRun| {
            let counts = finished.counts.iter().map(|(kind, count)| (kind.type_name().to_owned(), *count)).collect();
            let kept = Stored { run: Some(finished.run), outcome: Some(finished.outcome), counts, changes: finished.changes };
            Some(report::complete(result, outcome, &kept, facts, now_ms))
        };
        let finished = sink.run.finish_with_report(end, report).await.map_err(stored)?;
        // The run has ended; what is missing from here on is told, and changes nothing of that.
        if let Err(error) = self.remember_account(asked, result, now_ms).await {
            tracing::warn!(%error, run = %self.lease.run, "the account of a connection is not stored");
        }
        Ok(finished.outcome)
    }

    /// Keeps the report of a failure, for whoever asks what was called. Where the run ends is not decided here.
    async fn keep_failed(&self, failure: Failure, facts: &RunFacts<'_>) -> Result<Outcome, Failure> {
        let kept = Stored { run: Some(self.lease.run), ..Stored::default() };
        let report: Report = report::failed(&failure, &kept, facts, self.app.clock.now_ms());
        if let Err(error) = self.app.store.save_report(self.lease.run, &report).await {
            tracing::debug!(%error, run = %self.lease.run, "the report of a failed attempt is not stored");
        }
        Err(failure)
    }

    async fn remember_account(&self, asked: &Asked, result: &CrawlResult, now_ms: i64) -> Result<(), StoreError> {
        let Some(account) = &result.account else { return Ok(()) };
        let connection = &asked.connection.connection;
        let spec = ConnectionSpec {
            name: connection.name.clone(),
            connector: asked.opened.connector.name(),
            number: None,
            region: connection.region.clone(),
            account: Some(account.clone()),
        };
        self.app.store.connection(&spec, now_ms).await.map(|_| ())
    }

    fn count_calls(&self, reader: &Reader) {
        for (operation, calls) in reader.evidence().snapshot().operations {
            self.app.metrics.crawl_calls.get_or_create(&crate::metrics::CallLabels { operation }).inc_by(calls);
        }
    }

    /// Tells those who watch. A run does not fail for want of an audience.
    pub(super) async fn event(&self, kind: &str, data: Value) {
        let event = NewEvent { kind: kind.to_owned(), data: data.to_string() };
        if let Err(error) = self.app.store.append_events(self.lease.run, &[event], self.app.clock.now_ms()).await {
            tracing::debug!(%error, run = %self.lease.run, "an event is not stored");
        }
    }
}

/// What a workflow asks of its connector. The settings are an object of the connector's name, as the API takes them.
fn settings(workflow: &Workflow, connection: &ManagedConnection, opened: &Opened, now_ms: i64) -> Result<CrawlSettings, Failure> {
    let all: Value =
        serde_json::from_str(&workflow.spec.settings).map_err(|error| Failure::from_error(FailureKind::Input, &error))?;
    let key = match opened.connector {
        crawl::Connector::Glue => "glue",
        crawl::Connector::Smus => "smus",
    };
    let own = all.get(key).cloned().unwrap_or_else(|| json!({}));
    let spec = CrawlSpec::parse(opened.connector, own)?;
    let occasion = Occasion { connection: &connection.connection.name, concurrency: opened.access.concurrency, now_ms };
    Ok(spec.settings(&occasion)?)
}

fn input(message: &str) -> Failure {
    Failure::new(FailureKind::Input, message, "")
}

/// A fault of the catalog, with the error itself as the source: a lost lease is told from it.
fn stored(error: StoreError) -> Failure {
    let mut failure = Failure::from_error(FailureKind::Internal, &error);
    failure.source = Some(Box::new(error));
    failure
}
