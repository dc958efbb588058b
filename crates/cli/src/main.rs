//! `isinglass`: parses the command line, runs the command, exits with the status that scripts rely on.

mod arguments;
mod catalog;
mod changes;
mod client;
mod clock;
mod commands;
mod crawl;
mod failure;
mod output;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command, CrawlCommand, PolicyCommand, PreflightCommand};
use failure::{Failure, Outcome, Status};

/// Pages come and go by the hundred kilobytes, and every table is dozens of small pieces. Together with the single thread below, this
/// allocator took a crawl to `/dev/null` from 49 to 39 µs of processor time a table.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    aws::install_default_provider();
    let arguments = Arguments::parse();
    if let Command::Serve(arguments) = arguments.command {
        return told(commands::serve::run(&arguments));
    }
    if let Command::Demo(arguments) = arguments.command {
        return told(commands::demo::run(&arguments));
    }
    start_logging();
    // One thread for network and mapping: what it saves in wake-ups is more than a second one gains, for the writers of NDJSON and
    // SQLite have threads of their own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(run(arguments.command));
            // Whatever still waits on a dead connection must not hold the exit.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(Failure::from_error(&error)),
    };
    told(outcome)
}

/// The exit status, after a failure was told.
fn told(outcome: Outcome) -> ExitCode {
    let status = outcome.unwrap_or_else(|failure| {
        let _ = writeln!(std::io::stderr(), "{failure}");
        failure.status
    });
    ExitCode::from(status as u8)
}

async fn run(command: Command) -> Outcome {
    match command {
        Command::Serve(arguments) => commands::serve::run(&arguments),
        Command::Keys(command) => commands::keys::run(&command).await,
        Command::Backup(arguments) => commands::backup::run(&arguments).await,
        Command::Demo(arguments) => commands::demo::run(&arguments),
        Command::Crawl(CrawlCommand::Glue(arguments)) => commands::crawl::run_glue(&arguments).await,
        Command::Crawl(CrawlCommand::Smus(arguments)) => commands::crawl::run_smus(&arguments).await,
        Command::Preflight(PreflightCommand::Glue(arguments)) => commands::preflight::run_glue(&arguments).await,
        Command::Preflight(PreflightCommand::Smus(arguments)) => commands::preflight::run_smus(&arguments).await,
        Command::Search(arguments) => commands::search::run(&arguments).await,
        Command::Show(arguments) => commands::show::run(&arguments).await,
        Command::Lineage(arguments) => commands::lineage::run(&arguments).await,
        Command::History(arguments) => commands::history::run(&arguments).await,
        Command::Diff(arguments) => commands::diff::run(&arguments).await,
        Command::Runs(arguments) => commands::runs::run(&arguments).await,
        Command::Evidence(arguments) => commands::evidence::run(&arguments).await,
        Command::Policy(PolicyCommand::Glue(arguments)) => commands::policy::run_glue(&arguments),
        Command::Policy(PolicyCommand::Smus(arguments)) => commands::policy::run_smus(&arguments),
        Command::Policy(PolicyCommand::Secrets(arguments)) => commands::policy::run_secrets(&arguments),
        Command::Egress(arguments) => commands::egress::run(&arguments).await,
        Command::Export(arguments) => commands::export::run(&arguments).await,
    }
}

/// Logs go to standard error, only warnings unless `ISINGLASS_LOG` says otherwise. Bodies are never logged at any level.
fn start_logging() {
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("ISINGLASS_LOG").unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).finish();
    // A second subscriber cannot be set; there is none before this line.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}
