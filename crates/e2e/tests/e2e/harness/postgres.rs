//! A PostgreSQL server of a test's own, which it may kill.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// The server; it ends when this is dropped.
pub(crate) struct Postgres {
    script: Child,
    first: Option<Child>,
    address: String,
    process: i32,
    port: String,
    data: String,
}

impl Postgres {
    /// A durable server: what it has committed survives its death.
    pub(crate) fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres.sh");
        let mut script = Command::new(script).env("FSYNC", "on").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(script.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut words = line.split_whitespace();
        let address = words.next().expect("the server did not start").to_owned();
        let mut value = |name: &str| words.next().and_then(|word| word.strip_prefix(name)).unwrap().to_owned();
        let (process, data) = (value("process=").parse().unwrap(), value("data="));
        let port = address.split(':').nth(2).unwrap().split('/').next().unwrap().to_owned();
        Self { script, first: None, address, process, port, data }
    }

    /// The address of its database, as `--catalog` takes it.
    pub(crate) fn catalog(&self) -> String {
        self.address.clone()
    }

    /// kill -9 of the server and all its sessions, as a crash is, and a new start.
    pub(crate) fn crash_and_restart(&mut self) {
        kill_process(Pid::from_raw(self.process).unwrap(), Signal::QUIT).unwrap();
        let gone = |process: i32| rustix::process::test_kill_process(Pid::from_raw(process).unwrap()).is_err();
        super::program::wait_until("the database is dead", || gone(self.process));
        self.restart();
    }

    fn restart(&mut self) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres.sh");
        let mut command = Command::new(script);
        command.env("FSYNC", "on").env("PORT", &self.port).env("DATA", &self.data).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut started = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(started.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.process = line.split_whitespace().find_map(|word| word.strip_prefix("process=")).unwrap().parse().unwrap();
        let before = std::mem::replace(&mut self.script, started);
        // The first script goes on waiting for its input: it removes the data when the test ends.
        self.first.get_or_insert(before);
    }
}
