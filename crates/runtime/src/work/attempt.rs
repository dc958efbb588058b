//! One crawl from its job to its ending.

use std::sync::OnceLock;

use aws::Evidence;
use connector::port::Baseline;
use connector::progress::Progress;
use connector::{CrawlResult, MaskedCounts};
use crawl::report::{self, RunFacts, Stored};
use crawl::spec::Occasion;
use crawl::{CrawlSettings, CrawlSpec, Failure, KnownConnection, Plugs, Reader};
use model::document::report::Report;
use model::{ConnectionName, Outcome, RunId};
use wire::{CrawlJob, Ending, Known, LogLevel, ScopeRead};

use super::access::{Opened, open};
use super::trouble::Trouble;
use super::{Outlet, Workshop, gate};
use crate::clock;

/// How removals that were held back are let through.
const HOW_TO_CONFIRM: &str = "confirm it: POST /api/v1/runs/{id}/confirm-removals";

/// What can be told of a crawl at any time, also when it was stopped.
#[derive(Debug)]
pub(crate) struct Vitals {
    run: i64,
    started_ms: i64,
    progress: Progress,
    masked: MaskedCounts,
    evidence: OnceLock<Evidence>,
}

impl Vitals {
    /// Of a crawl that begins.
    pub(crate) fn new(run: i64, started_ms: i64) -> Self {
        let (progress, masked) = (Progress::default(), MaskedCounts::default());
        Self { run, started_ms, progress, masked, evidence: OnceLock::new() }
    }

    /// How far the crawl is.
    pub(crate) fn progress(&self) -> wire::Progress {
        let now = self.progress.snapshot();
        let calls = self.evidence.get().map_or(0, |evidence| evidence.snapshot().operations.values().sum());
        wire::Progress {
            pages: now.pages,
            tables: now.tables,
            columns: now.columns,
            scopes_total: now.scopes_total,
            scopes_done: now.scopes_done,
            scope: now.current_scope,
            calls,
        }
    }

    /// The report of a crawl that was stopped.
    pub(crate) fn cancelled(&self) -> Report {
        self.report(|stored, facts, now_ms| report::complete(&CrawlResult::default(), Outcome::Cancelled, stored, facts, now_ms))
    }

    /// The report of a crawl that failed.
    pub(crate) fn failed(&self, failure: &Failure) -> Report {
        self.report(|stored, facts, now_ms| report::failed(failure, stored, facts, now_ms))
    }

    fn complete(&self, result: &CrawlResult, outcome: Outcome) -> Report {
        self.report(|stored, facts, now_ms| report::complete(result, outcome, stored, facts, now_ms))
    }

    /// What the catalog made of it is the control plane's to add.
    fn report(&self, write: impl FnOnce(&Stored, &RunFacts<'_>, i64) -> Report) -> Report {
        let nothing = Evidence::new();
        let evidence = self.evidence.get().unwrap_or(&nothing);
        let facts = RunFacts { evidence, masked: &self.masked, started_at: self.started_ms, how_to_confirm: HOW_TO_CONFIRM };
        let stored = Stored { run: Some(RunId(self.run)), ..Stored::default() };
        write(&stored, &facts, clock::wall_ms())
    }
}

/// A crawl that is to be made.
pub(crate) struct Attempt<'a, O, B> {
    pub(crate) workshop: &'a Workshop,
    pub(crate) job: &'a CrawlJob,
    pub(crate) vitals: &'a Vitals,
    pub(crate) outlet: &'a O,
    pub(crate) baseline: &'a B,
}

impl<O: Outlet, B: Baseline> Attempt<'_, O, B> {
    /// Crawls to the end. Dropping the future stops the crawl; what was delivered stays.
    pub(crate) async fn see_through(&self) -> Ending {
        let ending = match self.crawl().await {
            Ok(result) => self.ended(&result),
            Err(trouble) => self.failed(&trouble),
        };
        match &ending {
            Ending::Failed { failure, .. } => {
                let Self { outlet, .. } = self;
                outlet.say(LogLevel::Error, format!("the crawl failed: {}", failure.message));
            }
            Ending::Crawled { report, .. } => self.outlet.say(LogLevel::Info, format!("the crawl is {}", report.outcome)),
            Ending::Cancelled { .. } | Ending::HandedBack { .. } => {}
        }
        ending
    }

    async fn crawl(&self) -> Result<CrawlResult, Trouble> {
        let source = &self.job.source;
        let opened = open(self.workshop, source).await?;
        let settings = self.settings(&opened)?;
        gate::pass(self.job.preflight, &opened.access, &settings, self.outlet).await?;
        let reader = Reader::connect(&opened.access, &settings).await?;
        let _first = self.vitals.evidence.set(reader.evidence().clone());
        let name = ConnectionName::new(opened.connector.name(), self.job.connection_number);
        // From here on the client has the credential, and nobody else.
        drop(opened);
        let known = KnownConnection { name, account: self.job.account.clone() };
        let Vitals { progress, masked, .. } = self.vitals;
        let plugs = Plugs { sink: self.outlet, baseline: self.baseline, progress, masked };
        Ok(crawl::crawl(&reader, &settings, known, &plugs).await?.result)
    }

    fn settings(&self, opened: &Opened) -> Result<CrawlSettings, Failure> {
        let spec = CrawlSpec::parse(opened.connector, self.job.settings.clone())?;
        let connection = &self.job.source.connection;
        let occasion = Occasion { connection, concurrency: opened.access.concurrency, now_ms: self.vitals.started_ms };
        Ok(spec.settings(&occasion)?)
    }

    fn ended(&self, result: &CrawlResult) -> Ending {
        let outcome = report::outcome(result);
        if outcome == Outcome::Failed {
            let failure = Trouble::Crawl(report::nothing_read(result));
            let mut report = self.vitals.failed(&failure.as_crawl());
            report.errors = report::errors(result);
            return Ending::Failed { report: Box::new(report), failure: failure.told() };
        }
        Ending::Crawled {
            report: Box::new(self.vitals.complete(result, outcome)),
            scopes: result.scopes.iter().map(ScopeRead::from).collect(),
            gone: result.gone.iter().copied().map(Known::from).collect(),
            account: result.account.clone(),
        }
    }

    fn failed(&self, trouble: &Trouble) -> Ending {
        let mut report = self.vitals.failed(&trouble.as_crawl());
        trouble.name_in(&mut report);
        Ending::Failed { report: Box::new(report), failure: trouble.told() }
    }
}
