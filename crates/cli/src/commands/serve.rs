//! `serve`: the control plane, until it is told to stop.

use std::io::Write;
use std::sync::Arc;

use server::config::{self, Config, Environment, Overrides};
use server::shutdown::Drained;
use server::start::{self, FirstUser, Surroundings};
use server::state::App;
use server::telemetry;

use crate::arguments::ServeArguments;
use crate::crawl::destination::catalog_url;
use crate::failure::{Failure, Outcome, Status};

pub(crate) fn run(arguments: &ServeArguments) -> Outcome {
    let environment: Environment = std::env::vars().collect();
    let overrides = Overrides { others: arguments.flags.clone(), ..Overrides::default() };
    let loaded =
        config::load(arguments.config.as_deref(), &environment, &overrides).map_err(|error| Failure::usage_error(&error))?;
    for warning in &loaded.warnings {
        let _ = writeln!(std::io::stderr(), "warning: {warning}");
    }
    on_all_processors(serve(loaded.config, &environment))
}

/// As much as a main thread has: in an unoptimized build, a second crawl of a studio needs more than the 2 MiB that tokio gives.
const STACK_BYTES: usize = 8 << 20;

/// Runs something on a thread for each processor.
pub(crate) fn on_all_processors(work: impl Future<Output = Outcome>) -> Outcome {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.enable_all().thread_stack_size(STACK_BYTES).build().map_err(|error| Failure::from_error(&error))?;
    let outcome = runtime.block_on(work);
    // What still waits on a dead connection must not hold the exit.
    runtime.shutdown_background();
    outcome
}

/// The pages beside the API.
pub(crate) fn pages() -> axum::Router<App> {
    axum::Router::new()
}

async fn serve(config: Config, environment: &Environment) -> Outcome {
    let log = telemetry::install(&config).map_err(|error| Failure::usage_error(&error))?;
    let around = Surroundings {
        default_catalog: catalog_url(None)?,
        environment,
        tls: Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
        traces: log.traces(),
        pages: pages(),
        announce,
    };
    let drained = start::run(config, around).await.map_err(|error| Failure::from_error(&error))?;
    let _sent = tokio::task::spawn_blocking(|| log.finish()).await;
    match drained {
        Drained::Finished => Ok(Status::Complete),
        other => {
            tracing::warn!(?other, "not everything ended in time; what was interrupted is taken up again");
            Ok(Status::Complete)
        }
    }
}

/// On standard output, where it is seen and no log collects it.
fn announce(first: &FirstUser) {
    let text = match first {
        FirstUser::Token => "The user `admin` was created; its API token is the one of ISINGLASS_BOOTSTRAP_TOKEN.".to_owned(),
        FirstUser::Link(link) => {
            format!("Open this link to become the first administrator. It works once, for 24 hours:\n\n  {link}\n")
        }
    };
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
