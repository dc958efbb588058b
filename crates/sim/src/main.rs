//! The simulation as a process of its own, for benchmarks and for trying things by hand.

use std::io::Write as _;
use std::process::ExitCode;

use sim::{Account, Fault, Simulation};

const USAGE: &str =
    "sim [--port N] [--account realistic|bulk|datazone] [--databases N] [--tables N] [--projects N] [--assets N] [--columns N]
    [--latency-ms N] [--published-rates on|off] [--fault SPEC]…
  --port N        port on 127.0.0.1, 0 (the default) for any free one
  --account KIND  realistic (the default); bulk: generated tables, which --databases, --tables and --columns also choose;
                  datazone: a generated domain, which --projects and --assets also choose
  --databases N   bulk: databases (1)
  --tables N      bulk: tables per database (1000)
  --projects N    datazone: projects (1)
  --assets N      datazone: published assets per project (1000)
  --columns N     columns per table or asset (20)
  --latency-ms N  every answer comes this much later
  --published-rates on
                  DataZone throttles what exceeds its published rates
  --fault SPEC    e.g. throttle:operation=GetTables,every=10; may be repeated";

#[derive(Debug, Default)]
struct Options {
    port: u16,
    latency_ms: u64,
    kind: Kind,
    published_rates: bool,
    databases: Option<u32>,
    tables: Option<u64>,
    projects: Option<u32>,
    assets: Option<u64>,
    columns: Option<usize>,
    faults: Vec<Fault>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Realistic,
    Bulk,
    DataZone,
}

impl Options {
    // Sizes make sense for generated accounts only.
    fn implied_kind(&self) -> Kind {
        if self.projects.is_some() || self.assets.is_some() {
            Kind::DataZone
        } else if self.databases.is_some() || self.tables.is_some() || self.columns.is_some() {
            Kind::Bulk
        } else {
            Kind::Realistic
        }
    }

    fn account(&self) -> Account {
        let columns = self.columns.unwrap_or(20);
        let mut account = match self.kind {
            Kind::Realistic => Account::realistic(),
            Kind::Bulk => Account::bulk(self.databases.unwrap_or(1), self.tables.unwrap_or(1_000), columns),
            Kind::DataZone => Account::bulk_datazone(self.projects.unwrap_or(1), self.assets.unwrap_or(1_000), columns),
        };
        account.settings_mut().published_rates = self.published_rates;
        account
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => return failed(&message),
    };
    let account = options.account();
    let builder = Simulation::builder().account(account).faults(options.faults).port(options.port).latency_ms(options.latency_ms);
    let running = match builder.start().await {
        Ok(running) => running,
        Err(error) => return failed(&format!("cannot listen on port {}: {error}", options.port)),
    };
    let mut output = std::io::stdout();
    // Whoever started this waits for the line; without a reader there is no one to tell.
    let _ = writeln!(output, "listening on {}", running.endpoint()).and_then(|()| output.flush());
    // Where no handler can be set, only a kill ends the process, and that is well.
    let _ = tokio::signal::ctrl_c().await;
    ExitCode::SUCCESS
}

fn failed(message: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{message}");
    ExitCode::from(2)
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    let mut kind = None;
    while let Some(flag) = arguments.next() {
        if flag == "--help" {
            return Err(USAGE.to_owned());
        }
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
        match flag.as_str() {
            "--port" => options.port = number(&flag, &value)?,
            "--latency-ms" => options.latency_ms = number(&flag, &value)?,
            "--databases" => options.databases = Some(number(&flag, &value)?),
            "--tables" => options.tables = Some(number(&flag, &value)?),
            "--columns" => options.columns = Some(number(&flag, &value)?),
            "--projects" => options.projects = Some(number(&flag, &value)?),
            "--assets" => options.assets = Some(number(&flag, &value)?),
            "--published-rates" if ["on", "off"].contains(&value.as_str()) => options.published_rates = value == "on",
            "--account" => kind = Some(kind_of(&value)?),
            "--fault" => options.faults.push(value.parse().map_err(|error| format!("{error}\n{USAGE}"))?),
            _ => return Err(format!("{flag} {value} is not understood\n{USAGE}")),
        }
    }
    options.kind = kind.unwrap_or_else(|| options.implied_kind());
    Ok(options)
}

fn kind_of(name: &str) -> Result<Kind, String> {
    match name {
        "realistic" => Ok(Kind::Realistic),
        "bulk" => Ok(Kind::Bulk),
        "datazone" => Ok(Kind::DataZone),
        _ => Err(format!("--account {name} is not understood\n{USAGE}")),
    }
}

fn number<N: std::str::FromStr>(flag: &str, value: &str) -> Result<N, String> {
    value.parse().map_err(|_| format!("{flag} {value} is not a number in range\n{USAGE}"))
}
