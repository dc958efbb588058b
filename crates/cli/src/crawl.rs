//! One crawl from the shell: destination first, then sign-in, then the crawl, then the report.

pub(crate) mod connect;
pub(crate) mod destination;
pub(crate) mod ndjson;
pub(crate) mod progress_bar;
pub(crate) mod report;
pub(crate) mod settings;

use aws::{Client, Evidence, SignIn};
use connector::glue::{self, Naming};
use connector::port::{Disposition, ReadOperation};
use connector::progress::Progress;
use connector::smus;
use connector::{CrawlError, CrawlResult, MaskedCounts, Ports};
use model::Outcome;
use model::document::report::Report;

use crate::arguments::{ConnectArguments, CrawlGlueArguments, CrawlSmusArguments, DestinationArguments};
use crate::clock::now_ms;
use crate::failure::{Failure, Status};
use destination::{Destination, KnownConnection, Origin, Stored};
use report::RunFacts;

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

/// What a connector's crawl is plugged into.
type CrawlPorts<'p> = Ports<'p, Client, Destination, Destination>;

/// What a run is started with, whichever connector it is of.
struct Run<'r> {
    connect: &'r ConnectArguments,
    to: &'r DestinationArguments,
    connector: &'static str,
    connection: &'r str,
    operations: Vec<ReadOperation>,
    started_at: i64,
}

/// What is known once signed in.
struct SignedIn {
    connection: KnownConnection,
    sign_in: SignIn,
    region: String,
}

/// Crawls Glue as the command line says. What is wrong with the command line or the destination shows before any call.
pub(crate) async fn crawl_glue(arguments: &CrawlGlueArguments) -> Result<Crawled, Failure> {
    let connection = arguments.to.connection.as_deref().unwrap_or("glue");
    let settings = settings::glue_settings(&arguments.glue, connection, arguments.connect.concurrency.get())?;
    let run = Run {
        connect: &arguments.connect,
        to: &arguments.to,
        connector: glue::CONNECTOR,
        connection,
        operations: settings::operations(&settings, arguments.connect.role_arn.is_some()),
        started_at: now_ms(),
    };
    run.crawl(async |ports, signed_in| {
        let SignedIn { connection, sign_in, region } = signed_in;
        if let (Some(now), Some(before)) = (&sign_in.account, &connection.account)
            && now != before
        {
            return Err(other_account(run.connection, now, before));
        }
        let naming = Naming::new(connection.name, sign_in.account.or(connection.account));
        glue::crawl(ports, naming, &settings, &region).await.map_err(|error| Failure::from_crawl(&error))
    })
    .await
}

/// Crawls SageMaker Unified Studio as the command line says.
pub(crate) async fn crawl_smus(arguments: &CrawlSmusArguments) -> Result<Crawled, Failure> {
    let connection = arguments.to.connection.as_deref().unwrap_or("smus");
    let started_at = now_ms();
    let settings = settings::smus_settings(&arguments.smus, connection, arguments.connect.concurrency.get(), started_at)?;
    let has_role = arguments.connect.role_arn.is_some();
    let run = Run {
        connect: &arguments.connect,
        to: &arguments.to,
        connector: smus::CONNECTOR,
        connection,
        operations: settings::smus_operations(&settings, has_role),
        started_at,
    };
    run.crawl(async |ports: CrawlPorts<'_>, signed_in| {
        let identity_arn = identity(ports.api, &signed_in.sign_in, arguments.connect.role_arn.as_deref()).await?;
        let settings = smus::Settings { identity_arn, ..settings.clone() };
        let SignedIn { connection, region, .. } = signed_in;
        smus::crawl(ports, connection.name, &settings, &region).await.map_err(|error| Failure::from_crawl(&error))
    })
    .await
}

/// Who reads: the role as it was given, or whoever STS says that the keys belong to. Without an answer memberships cannot be compared, and
/// the crawl goes on all the same; keys that are wrong end it.
pub(crate) async fn identity(client: &Client, sign_in: &SignIn, role_arn: Option<&str>) -> Result<Option<String>, Failure> {
    if role_arn.is_some() {
        return Ok(role_arn.map(str::to_owned).or_else(|| sign_in.arn.clone()));
    }
    match client.caller_identity().await {
        Ok(identity) => Ok(Some(identity.arn)),
        Err(error) if error.kind.disposition() == Disposition::FailRun => Err(Failure::from_api(&error)),
        Err(error) => {
            tracing::debug!(%error, "who the keys belong to is not known");
            Ok(None)
        }
    }
}

impl Run<'_> {
    /// Opens the destination, signs in, crawls and reports.
    async fn crawl<'r>(
        &'r self,
        crawl: impl AsyncFnOnce(CrawlPorts<'_>, SignedIn) -> Result<CrawlResult, Failure>,
    ) -> Result<Crawled, Failure> {
        let aws_settings = connect::settings(self.connect, self.connection).await?;
        let region = aws_settings.region.name().to_owned();
        let evidence = Evidence::new();
        let client =
            Client::connect(aws_settings, &self.operations, evidence.clone()).await.map_err(|error| connect_failure(&error))?;
        // Opened before anything is asked, so that no crawl is lost for a report that has nowhere to go.
        let report_file = self.to.report.as_deref().map(ndjson::OutputFile::create).transpose()?;
        let origin = Origin { connector: self.connector, connection: self.connection, region: &region };
        let (destination, connection) = Destination::open(self.to, &origin, self.started_at).await?;
        let (progress, masked) = (Progress::default(), MaskedCounts::default());
        let bar = progress_bar::start(&progress);
        let crawling = async {
            let sign_in = client.sign_in().await?;
            let ports = Ports { api: &client, sink: &destination, baseline: &destination, progress: &progress, masked: &masked };
            crawl(ports, SignedIn { connection, sign_in, region: region.clone() }).await
        };
        let ended = tokio::select! {
            ended = crawling => ended,
            () = bar => Err(interrupted()),
            () = interruption() => Err(interrupted()),
        };
        let facts = RunFacts { evidence: &evidence, masked: &masked, started_at: self.started_at };
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
        let failure = report::nothing_read(&result);
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
    let report = report::failed(&failure, &stored, facts, now_ms());
    // The failure itself is what the user has to hear of, not that its report could not be kept.
    if let Err(error) = destination.save_report(&report).await {
        tracing::debug!(%error, "the report of a failed run is not stored");
    }
    Crawled { report, failure: Some(failure) }
}

/// Nothing has been sent: what is wrong is what was given.
pub(crate) fn connect_failure(error: &aws::ConnectError) -> Failure {
    Failure { status: Status::Usage, category: "input", ..Failure::from_error(error) }
}

/// Crawling another account into a connection would make everything in it look gone.
fn other_account(connection: &str, now: &str, before: &str) -> Failure {
    Failure::failed(
        format!("the connection \"{connection}\" is of account {before}, but the role is of account {now}"),
        "Give the other account a connection of its own: --connection NAME.",
    )
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

impl From<CrawlError> for Failure {
    fn from(error: CrawlError) -> Self {
        Self::from_crawl(&error)
    }
}
