//! The simulation as a process of its own, for benchmarks and for trying things by hand.

use std::io::Write as _;
use std::process::ExitCode;

use sim::{Account, Fault, Simulation};

const USAGE: &str =
    "sim [--port N] [--account realistic|bulk] [--databases N] [--tables N] [--columns N] [--latency-ms N] [--fault SPEC]…
  --port N        port on 127.0.0.1, 0 (the default) for any free one
  --account KIND  realistic (the default), or bulk: generated tables, which --databases, --tables and --columns also choose
  --databases N   bulk: databases (1)
  --tables N      bulk: tables per database (1000)
  --columns N     bulk: columns per table (20)
  --latency-ms N  every answer comes this much later
  --fault SPEC    e.g. throttle:operation=GetTables,every=10; may be repeated";

#[derive(Debug, Default)]
struct Options {
    port: u16,
    latency_ms: u64,
    is_bulk: bool,
    databases: Option<u32>,
    tables: Option<u64>,
    columns: Option<usize>,
    faults: Vec<Fault>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => return failed(&message),
    };
    let account = if options.is_bulk {
        Account::bulk(options.databases.unwrap_or(1), options.tables.unwrap_or(1_000), options.columns.unwrap_or(20))
    } else {
        Account::realistic()
    };
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
            "--account" if value == "realistic" => options.is_bulk = false,
            "--account" if value == "bulk" => options.is_bulk = true,
            "--fault" => options.faults.push(value.parse().map_err(|error| format!("{error}\n{USAGE}"))?),
            _ => return Err(format!("{flag} {value} is not understood\n{USAGE}")),
        }
    }
    options.is_bulk |= options.databases.is_some() || options.tables.is_some() || options.columns.is_some();
    Ok(options)
}

fn number<N: std::str::FromStr>(flag: &str, value: &str) -> Result<N, String> {
    value.parse().map_err(|_| format!("{flag} {value} is not a number in range\n{USAGE}"))
}
