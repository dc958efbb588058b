//! `demo`: a simulated AWS account and the control plane on loopback, both crawls, and a sign-in. No AWS account, no network.

mod account;
mod place;
mod tour;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use server::config::{self, Config, Environment, Overrides};
use server::listener::ListenError;
use server::shutdown::Shutdown;
use server::start::{self, BOOTSTRAP_VARIABLE, StartError, Surroundings};
use server::telemetry;
use sim::{Account, Running, Simulation};
use store::CatalogUrl;

use crate::arguments::DemoArguments;
use crate::client::Client;
use crate::commands::serve::{on_all_processors, pages};
use crate::failure::{Failure, Outcome, Status};
use place::{Place, SignIn};

/// The variables by which the service finds the simulated account: what a request says cannot lead it there.
const ENDPOINT_VARIABLES: [&str; 3] = ["AWS_ENDPOINT_URL_GLUE", "AWS_ENDPOINT_URL_DATAZONE", "AWS_ENDPOINT_URL_STS"];

/// Warnings, but for the one that the new master key needs a copy: a demo's needs none.
const LOG: &str = "warn,server::start=error";

pub(crate) fn run(arguments: &DemoArguments) -> Outcome {
    on_all_processors(async {
        let place = Place::open(arguments.data.as_deref())?;
        let shown = demonstrate(arguments, &place).await;
        place.close()?;
        shown
    })
}

async fn demonstrate(arguments: &DemoArguments, place: &Place) -> Outcome {
    let sign_in = place.sign_in()?;
    let simulation = Simulation::builder().account(Account::realistic()).start().await?;
    let config = configuration(arguments.port, place)?;
    let log = telemetry::install(&config).map_err(|error| Failure::usage_error(&error))?;
    let environment = environment(&simulation, &sign_in);
    let around = Surroundings {
        default_catalog: CatalogUrl::parse(&place.catalog())?,
        environment: &environment,
        tls: Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
        traces: log.traces(),
        pages: pages(),
        announce: |_| {},
    };
    let service = start::prepare(config, around).await.map_err(|error| not_started(arguments.port, &error))?;
    let (url, shutdown) = (format!("http://{}", service.address()), service.shutdown());
    let (served, shown) = tokio::join!(service.serve(), async {
        let shown = show(arguments, place, &sign_in, &url, &simulation, &shutdown).await;
        if arguments.once || shown.is_err() {
            shutdown.soft().cancel();
        }
        shown
    });
    served.map_err(|error| Failure::from_error(&error))?;
    shown
}

/// Fills the catalog and says how to use it, unless somebody ends the demo meanwhile.
async fn show(
    arguments: &DemoArguments,
    place: &Place,
    sign_in: &SignIn,
    url: &str,
    simulation: &Running,
    shutdown: &Shutdown,
) -> Outcome {
    let showing = async {
        let client = Client::new(url, sign_in.token.clone(), None)?;
        account::fill(&client, sign_in, &simulation.keys()).await?;
        if !arguments.once {
            tour::tell(url, sign_in, place)?;
        }
        Ok(Status::Complete)
    };
    tokio::select! {
        shown = showing => shown,
        () = shutdown.soft().cancelled() => Ok(Status::Complete),
    }
}

/// Nothing of the user's own configuration: a demo is the same everywhere.
fn configuration(port: u16, place: &Place) -> Result<Config, Failure> {
    let settings = [
        ("listen", SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string()),
        ("catalog", place.catalog()),
        ("log.level", LOG.to_owned()),
    ];
    let others = settings.map(|(key, value)| (key.to_owned(), value)).to_vec();
    let overrides = Overrides { others, ..Overrides::default() };
    let loaded = config::load(None, &Environment::default(), &overrides).map_err(|error| Failure::usage_error(&error))?;
    Ok(loaded.config)
}

/// What the service finds in its environment: the simulated account instead of AWS, and nothing of the user's own settings.
fn environment(simulation: &Running, sign_in: &SignIn) -> Environment {
    let endpoints = ENDPOINT_VARIABLES.map(|name| (name.to_owned(), simulation.endpoint()));
    let token = (BOOTSTRAP_VARIABLE.to_owned(), sign_in.token.expose().to_owned());
    endpoints.into_iter().chain([token]).collect()
}

fn not_started(port: u16, error: &StartError) -> Failure {
    let mut failure = Failure::from_error(error);
    if matches!(error, StartError::Listen(ListenError::Bind { .. })) {
        failure.told.message = format!("port {port} of 127.0.0.1 cannot be had");
        failure.told.remedy = "Choose another one: `isinglass demo --port N`; 0 takes any that is free.".to_owned();
    }
    failure
}
