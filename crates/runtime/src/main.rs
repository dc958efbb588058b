//! `isinglass-runtime`: takes work over an outbound connection, crawls in its own network, sends metadata back.
//!
//! It has no listening socket: all connections are its own. What it is about is in `health.json` of its data folder.

mod clock;
mod command;
mod configuration;
mod control_plane;
mod data_folder;
mod engine;
mod health;
mod identity;
mod outgoing;
mod session;
mod spool;
mod work;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    aws::install_default_provider();
    let status = command::run(command::Arguments::parse()).unwrap_or_else(|failure| {
        let _ = writeln!(std::io::stderr(), "isinglass-runtime: {failure}");
        failure.status
    });
    ExitCode::from(status as u8)
}
