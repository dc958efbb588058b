//! The crawl of an attempt: what is asked for, the crawl itself, and its end in the catalog.

use aws::Evidence;
use connector::progress::Progress;
use connector::{CrawlResult, MaskedCounts};
use crawl::report::{self, RunFacts};
use crawl::spec::Occasion;
use crawl::{Connector, CrawlSettings, CrawlSpec, Failure, FailureKind, KnownConnection, Plugs, Reader};
use model::document::report::{Report, ReportError};
use model::{ConnectionName, Outcome};
use serde_json::{Value, json};
use store::{FinishedRun, ManagedConnection, RunEnd, RunRef, RunSummary, StoreError};

use super::access::{Opened, open};
use super::attempt::{Attempt, HOW_TO_CONFIRM, Why, lost_lease};
use super::events::{Watched, tell_progress};
use super::failure::RunFailure;
use super::gate;
use super::sink::{CatalogSink, stored_by};
use crate::metrics::CallLabels;

/// A crawl that is ready to begin.
pub(super) struct Crawling {
    run: RunSummary,
    connection: ManagedConnection,
    connector: Connector,
    settings: CrawlSettings,
    reader: Reader,
    sink: CatalogSink,
    progress: Progress,
    masked: MaskedCounts,
    started_ms: i64,
}

impl Crawling {
    /// Reads what is asked for, opens the credential, passes the gate and takes hold of the connection.
    pub(super) async fn prepare(attempt: &Attempt) -> Result<Self, Failure> {
        let (app, lease) = (&attempt.app, &attempt.lease);
        let run = app.store.run(RunRef::Id(lease.run)).await.map_err(stored)?;
        let workflow = run.workflow.ok_or_else(|| Failure::new(FailureKind::Input, "the run belongs to no workflow", ""))?;
        let workflow = app.store.workflow(workflow).await.map_err(stored)?;
        let connection = app.store.managed_connection(lease.connection).await.map_err(stored)?;
        let opened = open(app, &connection).await?;
        let settings = settings(&run, &connection, &opened, app.clock.now_ms())?;
        gate::pass(app, lease, workflow.spec.preflight, &opened.access, &settings).await?;
        let reader = Reader::connect(&opened.access, &settings).await?;
        let started_ms = app.clock.now_ms();
        let writer = app.store.begin_run_of(&connection.connection, lease, started_ms).await.map_err(stored)?;
        Ok(Self {
            run,
            connector: opened.connector,
            connection,
            settings,
            reader,
            sink: CatalogSink::new(app.store.clone(), writer),
            progress: Progress::default(),
            masked: MaskedCounts::default(),
            started_ms,
        })
    }

    /// Crawls, and sees to it that the catalog knows what came of it.
    pub(super) async fn see_through(self, attempt: &Attempt) {
        let crawled = attempt.unless_stopped(self.crawl(attempt)).await;
        self.count_calls(attempt);
        match crawled {
            Ok(result) if report::outcome(&result) == Outcome::Failed => {
                self.fail(attempt, report::nothing_read(&result), report::errors(&result)).await;
            }
            Ok(result) => self.finish(attempt, &result).await,
            Err(Why::Failed(failure)) => self.fail(attempt, failure, Vec::new()).await,
            Err(Why::Cancelled) => self.cancel(attempt).await,
            Err(Why::Draining) => {
                drop(self);
                attempt.give_back().await;
            }
            Err(Why::Lost) => attempt.let_go(),
        }
    }

    async fn crawl(&self, attempt: &Attempt) -> Result<CrawlResult, Failure> {
        let plugs = Plugs { sink: &self.sink, baseline: &self.sink, progress: &self.progress, masked: &self.masked };
        let connection = &self.connection.connection;
        let name = ConnectionName::new(self.connector.name(), connection.number);
        let known = KnownConnection { name, account: connection.account.clone() };
        let watched = Watched {
            app: &attempt.app,
            lease: &attempt.lease,
            run: self.sink.run(),
            progress: &self.progress,
            evidence: self.evidence(),
        };
        tokio::select! {
            crawled = crawl::crawl(&self.reader, &self.settings, known, &plugs) => crawled.map(|crawled| crawled.result),
            never = tell_progress(watched) => match never {},
        }
    }

    /// Ends a run that could read something.
    async fn finish(self, attempt: &Attempt, result: &CrawlResult) {
        let (outcome, now_ms) = (report::outcome(result), attempt.app.clock.now_ms());
        let (scopes, gone, removal) = (result.scopes.clone(), result.gone.clone(), self.run.removal);
        let end = RunEnd { outcome, scopes, gone, removal, now_ms };
        let report = |finished: &FinishedRun| Some(report::complete(result, outcome, &stored_by(finished), &self.facts(), now_ms));
        let finished = match attempt.write_once(self.sink.run().finish_with_report(end, report)).await {
            Some(Ok(finished)) => finished,
            Some(Err(error)) => return self.fail(attempt, stored(error), Vec::new()).await,
            None => return,
        };
        if let Some(account) = &result.account {
            let id = self.connection.connection.id;
            attempt.write("the account of a connection", || attempt.app.store.remember_account(id, account)).await;
        }
        attempt.ended(finished.outcome, None).await;
    }

    /// Ends a run that failed, unless it is tried again.
    async fn fail(self, attempt: &Attempt, failure: Failure, errors: Vec<ReportError>) {
        if lost_lease(&failure) {
            return attempt.let_go();
        }
        if attempt.is_tried_again(&failure) {
            drop(self);
            return attempt.retry(&failure).await;
        }
        let told = RunFailure::from(&failure);
        let json = told.to_json();
        let (store, lease) = (&attempt.app.store, &attempt.lease);
        let kept = attempt.write("why a run failed", || store.save_failure(lease, &json)).await;
        if kept.is_none() {
            return;
        }
        let report = |finished: &FinishedRun| {
            let mut report = report::failed(&failure, &stored_by(finished), &self.facts(), attempt.app.clock.now_ms());
            if !errors.is_empty() {
                report.errors.clone_from(&errors);
            }
            Some(report)
        };
        if self.stop(attempt, Outcome::Failed, report).await {
            attempt.ended(Outcome::Failed, Some(&told)).await;
        }
    }

    /// Ends a run that somebody stopped: what was stored stays, and nothing is archived.
    async fn cancel(self, attempt: &Attempt) {
        let (result, now_ms) = (CrawlResult::default(), attempt.app.clock.now_ms());
        let report = |finished: &FinishedRun| {
            Some(report::complete(&result, Outcome::Cancelled, &stored_by(finished), &self.facts(), now_ms))
        };
        if self.stop(attempt, Outcome::Cancelled, report).await {
            attempt.ended(Outcome::Cancelled, None).await;
        }
    }

    /// Ends the run before its time; whether the catalog knows.
    async fn stop(&self, attempt: &Attempt, outcome: Outcome, report: impl Fn(&FinishedRun) -> Option<Report>) -> bool {
        let stop = || self.sink.run().stop_with_report(outcome, attempt.app.clock.now_ms(), &report);
        attempt.write("the end of a run", stop).await.is_some()
    }

    fn facts(&self) -> RunFacts<'_> {
        RunFacts { evidence: self.evidence(), masked: &self.masked, started_at: self.started_ms, how_to_confirm: HOW_TO_CONFIRM }
    }

    fn evidence(&self) -> &Evidence {
        self.reader.evidence()
    }

    fn count_calls(&self, attempt: &Attempt) {
        for (operation, calls) in self.evidence().snapshot().operations {
            attempt.app.metrics.crawl_calls.get_or_create(&CallLabels { operation }).inc_by(calls);
        }
    }
}

/// What a run asks of its connector. The settings are an object of the connector's name, as the API takes them.
fn settings(run: &RunSummary, connection: &ManagedConnection, opened: &Opened, now_ms: i64) -> Result<CrawlSettings, Failure> {
    let all: Value = serde_json::from_str(&run.settings).map_err(|error| Failure::from_error(FailureKind::Input, &error))?;
    let key = match opened.connector {
        Connector::Glue => "glue",
        Connector::Smus => "smus",
    };
    let own = all.get(key).cloned().unwrap_or_else(|| json!({}));
    let spec = CrawlSpec::parse(opened.connector, own)?;
    let occasion = Occasion { connection: &connection.connection.name, concurrency: opened.access.concurrency, now_ms };
    Ok(spec.settings(&occasion)?)
}

/// A fault of the catalog, with the error itself as the source: a lost lease is told from it. That something is not there is not
/// mended by another attempt.
pub(super) fn stored(error: StoreError) -> Failure {
    let kind = if matches!(error, StoreError::NotFound { .. }) { FailureKind::Input } else { FailureKind::Internal };
    let failure = Failure::from_error(kind, &error);
    Failure { source: Some(Box::new(error)), ..failure }
}
