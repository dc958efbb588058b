//! The command line: one file a command, and the statuses that scripts rely on.

mod drain;
mod dry_run;
mod enroll;
mod health;
mod preflight;
mod run;

use std::fmt;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::configuration::{Configuration, ConfigurationError, LogFormat};

/// Runs crawls of Isinglass in your own network: it only dials out, AWS credentials stay where they are, and only metadata leaves.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_STATUSES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUSES: &str = "Exit status: 0 done or drained; 1 failed; 2 wrong usage or configuration; 3 stopped, and what is left waits in the \
data folder for the next start (a dry run: some of it could not be read); 4 revoked by the control plane; 5 the data folder is in use.
Every setting of the configuration file (`a-b`) is also a variable (`ISINGLASS_RUNTIME_A_B`).";

#[derive(Debug, Subcommand)]
enum Command {
    /// Make this runtime known to a control plane, once, with a token that an administrator made.
    Enroll(enroll::Arguments),
    /// Take work until SIGTERM; or, with --dry-run, crawl once and send nothing.
    Run(run::Arguments),
    /// Check what a runtime needs: the control plane, sign-in, secret stores, the hosts of AWS. A line each.
    Preflight(preflight::Arguments),
    /// Let the running process finish what it has, and wait until it has ended.
    Drain(drain::Arguments),
    /// Say whether the running process is well (for probes of containers).
    Health(health::Arguments),
}

/// The exit status. Scripts and restart policies rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Left = 3,
    Revoked = 4,
    InUse = 5,
}

/// Why a command ends before its time.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Failure {
    #[expect(clippy::needless_pass_by_value, reason = "`map_err` hands errors over")]
    fn new(status: Status, message: impl ToString) -> Self {
        Self { status, message: message.to_string() }
    }

    fn failed(message: impl ToString) -> Self {
        Self::new(Status::Failed, message)
    }
}

impl From<ConfigurationError> for Failure {
    fn from(error: ConfigurationError) -> Self {
        Self::new(Status::Usage, error)
    }
}

impl From<crate::control_plane::SetupError> for Failure {
    fn from(error: crate::control_plane::SetupError) -> Self {
        Self::new(Status::Usage, error)
    }
}

impl From<crate::identity::IdentityError> for Failure {
    fn from(error: crate::identity::IdentityError) -> Self {
        Self::failed(error)
    }
}

impl From<crate::spool::SpoolError> for Failure {
    fn from(error: crate::spool::SpoolError) -> Self {
        Self::failed(error)
    }
}

impl From<crate::data_folder::DataFolderError> for Failure {
    fn from(error: crate::data_folder::DataFolderError) -> Self {
        let status = match &error {
            crate::data_folder::DataFolderError::InUse { .. } => Status::InUse,
            crate::data_folder::DataFolderError::Io { .. } => Status::Failed,
        };
        Self::new(status, error)
    }
}

/// What every command that works in a data folder is told.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Data {
    /// The folder with identity, spool and state of this runtime.
    #[arg(long, value_name = "DIR", env = "ISINGLASS_RUNTIME_DATA")]
    data: PathBuf,
    /// The configuration; without it DIR/runtime.toml, if that is there.
    #[arg(long, value_name = "FILE", env = "ISINGLASS_RUNTIME_CONFIG")]
    config: Option<PathBuf>,
}

/// Runs what was asked for.
pub(crate) fn run(arguments: Arguments) -> Result<Status, Failure> {
    match arguments.command {
        Command::Enroll(arguments) => enroll::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Preflight(arguments) => preflight::run(&arguments),
        Command::Drain(arguments) => drain::run(&arguments),
        Command::Health(arguments) => health::run(&arguments),
    }
}

/// Threads for crawls and requests: both mostly wait.
const THREADS: usize = 2;
/// Threads that wait for the disk.
const DISK_THREADS: usize = 8;

/// As much as a main thread has: in an unoptimized build, a second crawl of a studio needs more than the 2 MiB that tokio gives. What is not
/// used of it takes no memory.
const STACK_BYTES: usize = 8 << 20;

/// What futures run on.
fn executor() -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let built =
        builder.worker_threads(THREADS).max_blocking_threads(DISK_THREADS).thread_stack_size(STACK_BYTES).enable_all().build();
    built.map_err(Failure::failed)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Logs go to standard error. No body, no header and no secret is logged at any level.
fn start_logging(configuration: &Configuration) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::try_new(&configuration.log)
        .map_err(|error| Failure::new(Status::Usage, format!("log: {error}")))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second subscriber cannot be set; there is none before this line.
    let _ = match configuration.log_format {
        LogFormat::Text => tracing::subscriber::set_global_default(subscriber.with_ansi(false).finish()),
        LogFormat::Json => tracing::subscriber::set_global_default(subscriber.json().finish()),
    };
    Ok(())
}

/// A line of results.
fn print(line: &str) {
    use std::io::Write;
    // Whoever reads may have gone.
    let _ = writeln!(std::io::stdout(), "{line}");
}
