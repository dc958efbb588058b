//! `run`: from files to a runtime at work.

use std::path::PathBuf;
use std::sync::Arc;

use secrets::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::{Data, Failure, Status, dry_run, executor, start_logging, variable};
use crate::clock::Clock;
use crate::configuration::{Configuration, Overrides};
use crate::control_plane::{Connection, ControlPlane, server_url};
use crate::data_folder::DataFolder;
use crate::engine::{Engine, Parts, Stop};
use crate::health::HealthFile;
use crate::identity::IdentityFiles;
use crate::outgoing::OutgoingLog;
use crate::session::Exit;
use crate::spool::Spool;
use crate::work::Workshop;
use crate::work::credentials::Credentials;

/// Signals that wait; more than two say nothing new.
const SIGNALS_MAX: usize = 4;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) data: Data,
    #[command(flatten)]
    pub(super) overrides: Overrides,
    /// Crawl the job of --job, send nothing, and write what would be sent to the outgoing log.
    #[arg(long, requires = "job")]
    pub(super) dry_run: bool,
    /// The job of a dry run, as JSON: what a control plane answers to a request for work, or its `job` alone.
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    pub(super) job: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let folder = DataFolder::make(&arguments.data.data)?;
    let path = folder.configuration(arguments.data.config.as_deref());
    let configuration = Configuration::load(path.as_deref(), &variable, &arguments.overrides)?;
    start_logging(&configuration)?;
    if let (true, Some(job)) = (arguments.dry_run, &arguments.job) {
        return executor()?.block_on(dry_run::run(&folder, job, configuration));
    }
    let lock = folder.lock()?;
    let executor = executor()?;
    let exit = executor.block_on(work(&folder, configuration));
    // Whatever still waits on a dead connection must not hold the exit.
    executor.shutdown_background();
    drop(lock);
    Ok(match exit? {
        Exit::Drained => Status::Done,
        Exit::Left => Status::Left,
        Exit::Revoked => Status::Revoked,
    })
}

async fn work(folder: &DataFolder, configuration: Configuration) -> Result<Exit, Failure> {
    let files = IdentityFiles::of(folder.path());
    let (identity, key) = (files.load()?, files.key()?);
    let plane = control_plane(&identity.server, &configuration)?;
    let (spool, found) = Spool::open(&folder.spool(), configuration.spool_bytes)?;
    let stops = signals()?;
    tracing::info!(name = identity.name, control_plane = plane.url(), version = env!("CARGO_PKG_VERSION"), "the runtime starts");
    let parts = Parts {
        clock: Clock::start(),
        plane,
        identity,
        key,
        workshop: workshop(configuration).await?,
        spool,
        health: HealthFile::of(folder.path()),
    };
    Ok(Engine::start(parts, found).await?.run(stops).await)
}

/// What jobs are done with.
pub(super) async fn workshop(configuration: Configuration) -> Result<Workshop, Failure> {
    let credentials = credentials(&configuration).await?;
    Ok(Workshop { configuration, aws: aws::Environment::read(), credentials })
}

/// The secret stores, set up and not asked.
pub(super) async fn credentials(configuration: &Configuration) -> Result<Credentials, Failure> {
    let mut context = Context::system();
    context.ca_bundle.clone_from(&configuration.ca_bundle);
    let credentials = Credentials::open(&configuration.secret_stores, configuration.default_secret_store.as_ref(), context);
    credentials.await.map_err(|error| Failure::new(Status::Usage, error))
}

/// A client of the control plane.
pub(super) fn control_plane(server: &str, configuration: &Configuration) -> Result<ControlPlane, Failure> {
    Ok(ControlPlane::new(Connection {
        server: server_url(server)?,
        ca_bundle: configuration.ca_bundle.clone(),
        https_proxy: configuration.https_proxy.clone(),
        no_proxy: configuration.no_proxy.clone(),
        log: outgoing_log(configuration)?,
    })?)
}

/// The log of what leaves, where one is wanted.
pub(super) fn outgoing_log(configuration: &Configuration) -> Result<Option<Arc<OutgoingLog>>, Failure> {
    let Some(path) = &configuration.outgoing_log else { return Ok(None) };
    let log = OutgoingLog::open(path, configuration.outgoing_log_bytes);
    let log = log
        .map_err(|error| Failure::new(Status::Usage, format!("the outgoing log {} cannot be written: {error}", path.display())))?;
    Ok(Some(Arc::new(log)))
}

/// The first signal drains, the second leaves at once.
fn signals() -> Result<mpsc::Receiver<Stop>, Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::failed)?;
    let (tell, stops) = mpsc::channel(SIGNALS_MAX);
    tokio::spawn(async move {
        for stop in [Stop::Drain, Stop::Now] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("asked to stop {}", if stop == Stop::Drain { "when what runs has ended" } else { "at once" });
            let _ = tell.send(stop).await;
        }
        std::future::pending::<()>().await;
    });
    Ok(stops)
}
