//! One crawl from the shell: destination first, then sign-in, then the crawl, then the report.

pub(crate) mod connect;
pub(crate) mod destination;
pub(crate) mod ndjson;
pub(crate) mod progress_bar;
pub(crate) mod settings;

use connector::progress::Progress;
use connector::{CrawlResult, MaskedCounts};
use crawl::report::{self, RunFacts, Stored};
use crawl::{CrawlSettings, Plugs, Reader};
use model::Outcome;
use model::document::report::Report;

use crate::arguments::{ConnectArguments, CrawlGlueArguments, CrawlSmusArguments, DestinationArguments};
use crate::clock::now_ms;
use crate::failure::{Failure, Status};
use destination::{Destination, Origin};

/// How removals that were held back are let through.
const HOW_TO_CONFIRM: &str = "run again with --confirm-removals";

/// What a crawl leaves behind besides its assets.
pub(crate) struct Crawled {
    pub(crate) report: Report,
    /// Why the run failed, if it did.
    pub(crate) failure: Option<Failure>,
}

impl Crawled {
    /// The exit status of the run.
    pub(crate) fn status(&self) -> Status {
        match Outcome::parse(&self.report.outcome) {
            Some(Outcome::Complete) => Status::Complete,
            Some(Outcome::Partial) => Status::Partial,
            Some(Outcome::Failed | Outcome::Cancelled | Outcome::Interrupted) | None => Status::Failed,
        }
    }
}

/// What a run is started with, whichever connector it is of.
struct Run<'r> {
    connect: &'r ConnectArguments,
    to: &'r DestinationArguments,
    settings: CrawlSettings,
    started_at: i64,
}

/// Crawls Glue as the command line says. What is wrong with the command line or the destination shows before any call.
pub(crate) async fn crawl_glue(arguments: &CrawlGlueArguments) -> Result<Crawled, Failure> {
    let CrawlGlueArguments { connect, glue, to } = arguments;
    let connection = to.connection.as_deref().unwrap_or("glue");
    let settings = settings::settings(&settings::glue_spec(glue), connection, connect)?;
    Run { connect, to, settings, started_at: now_ms() }.crawl().await
}

/// Crawls SageMaker Unified Studio as the command line says.
pub(crate) async fn crawl_smus(arguments: &CrawlSmusArguments) -> Result<Crawled, Failure> {
    let CrawlSmusArguments { connect, smus, to } = arguments;
    let connection = to.connection.as_deref().unwrap_or("smus");
    let settings = settings::settings(&settings::smus_spec(smus), connection, connect)?;
    Run { connect, to, settings, started_at: now_ms() }.crawl().await
}

impl Run<'_> {
    /// Opens the destination, signs in, crawls and reports.
    async fn crawl(&self) -> Result<Crawled, Failure> {
        let reader = Reader::connect(&connect::access(self.connect).await?, &self.settings).await?;
        // Opened before anything is asked, so that no crawl is lost for a report that has nowhere to go.
        let report_file = self.to.report.as_deref().map(ndjson::OutputFile::create).transpose()?;
        let (connector, connection) = (self.settings.connector().name(), self.settings.connection_name());
        let origin = Origin { connector, connection, region: reader.region() };
        let (destination, connection) = Destination::open(self.to, &origin, self.started_at).await?;
        let (progress, masked) = (Progress::default(), MaskedCounts::default());
        let plugs = Plugs { sink: &destination, baseline: &destination, progress: &progress, masked: &masked };
        let ended = tokio::select! {
            ended = crawl::crawl(&reader, &self.settings, connection, &plugs) => ended.map(|crawled| crawled.result).map_err(Failure::from),
            () = progress_bar::start(&progress) => Err(interrupted()),
            () = interruption() => Err(interrupted()),
        };
        let (evidence, started_at) = (reader.evidence(), self.started_at);
        let facts = RunFacts { evidence, masked: &masked, started_at, how_to_confirm: HOW_TO_CONFIRM };
        let crawled = end(&destination, ended, self.to, &facts).await;
        destination.close().await;
        progress_bar::clear();
        if let Some(file) = report_file {
            write_report(file, &crawled.report)?;
        }
        Ok(crawled)
    }
}

/// Ends the run in every destination. A destination that fails at this point fails the run.
async fn end(
    destination: &Destination,
    ended: Result<CrawlResult, Failure>,
    to: &DestinationArguments,
    facts: &RunFacts<'_>,
) -> Crawled {
    let result = match ended {
        Ok(result) => result,
        Err(failure) => return fail(destination, failure, facts).await,
    };
    let outcome = report::outcome(&result);
    if outcome == Outcome::Failed {
        let failure = report::nothing_read(&result).into();
        let mut crawled = fail(destination, failure, facts).await;
        crawled.report.errors = report::errors(&result);
        return crawled;
    }
    let stored = match destination.finish(&result, outcome, to.confirm_removals, now_ms()).await {
        Ok(stored) => stored,
        Err(failure) => return fail(destination, failure, facts).await,
    };
    let report = report::complete(&result, outcome, &stored, facts, now_ms());
    let kept = match destination.remember_account(result.account.as_deref(), now_ms()).await {
        Ok(()) => destination.save_report(&report).await,
        Err(failure) => Err(failure),
    };
    match kept {
        Ok(()) => Crawled { report, failure: None },
        Err(failure) => Crawled { report, failure: Some(failure) },
    }
}

async fn fail(destination: &Destination, failure: Failure, facts: &RunFacts<'_>) -> Crawled {
    let stored = destination.fail(now_ms()).await.unwrap_or_else(|_| Stored::default());
    let report = report::failed(&failure.told, &stored, facts, now_ms());
    // The failure itself is what the user has to hear of, not that its report could not be kept.
    if let Err(error) = destination.save_report(&report).await {
        tracing::debug!(%error, "the report of a failed run is not stored");
    }
    Crawled { report, failure: Some(failure) }
}

fn interrupted() -> Failure {
    Failure::failed(
        "interrupted; what was stored stays, nothing was archived",
        "Run the same command again: it goes on from what is stored, and unchanged tables are not written again.",
    )
}

/// Completes when the user or the system asks the process to end.
async fn interruption() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

fn write_report(mut file: ndjson::OutputFile, report: &Report) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(report).map_err(|error| Failure::from_error(&error))?;
    file.write(text.as_bytes())?;
    file.write(b"\n")?;
    Ok(file.finish()?)
}
