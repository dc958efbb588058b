//! The program as a child process: nothing of the tester's own environment reaches it, and no run is waited for without end.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sim::Keys;

/// How long any run may take: far longer than the slowest does on a loaded machine.
const RUN_SECONDS_MAX: u64 = 150;
const POLL: Duration = Duration::from_millis(10);

/// Where `cargo build --bins` puts the program of the profile that this test was built with.
pub(crate) fn binary() -> PathBuf {
    let folder = std::env::current_exe().unwrap();
    let path = folder.parent().and_then(Path::parent).unwrap().join("isinglass");
    assert!(path.exists(), "{} does not exist: run `cargo build --bins` first", path.display());
    path
}

/// A command line, not yet started.
pub(crate) struct Program {
    command: Command,
}

impl Program {
    pub(crate) fn new(arguments: &[&str]) -> Self {
        Self::through(Command::new(binary()), arguments)
    }

    /// The program started by another one (`ip netns exec …`).
    pub(crate) fn by(launcher: &[&str], arguments: &[&str]) -> Self {
        let mut command = Command::new(launcher[0]);
        command.args(&launcher[1..]).arg(binary());
        Self::through(command, arguments)
    }

    fn through(mut command: Command, arguments: &[&str]) -> Self {
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command }
    }

    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn home(mut self, folder: &Path) -> Self {
        self.command.env("HOME", folder).current_dir(folder);
        self
    }

    pub(crate) fn keys(mut self, keys: &Keys) -> Self {
        self.command.env("AWS_ACCESS_KEY_ID", &keys.access_key_id).env("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key);
        if let Some(token) = &keys.session_token {
            self.command.env("AWS_SESSION_TOKEN", token);
        }
        self
    }

    pub(crate) fn start(mut self) -> Started {
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        Started { child, stdout, stderr }
    }

    pub(crate) fn run(self) -> Ended {
        self.start().wait()
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Checks `condition` until it holds, or panics.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..RUN_SECONDS_MAX * 100 {
        if condition() {
            return;
        }
        thread::sleep(POLL);
    }
    panic!("waited {RUN_SECONDS_MAX} s in vain until {what}");
}

/// A moment, to measure from: what a user waits for is part of what is promised.
#[expect(clippy::disallowed_methods, reason = "tests measure how long the program keeps somebody waiting")]
pub(crate) fn moment() -> std::time::Instant {
    std::time::Instant::now()
}

/// A run that goes on.
pub(crate) struct Started {
    child: Child,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
}

impl Started {
    /// Ctrl-C.
    pub(crate) fn interrupt(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
    }

    /// What the system asks of a service that is to stop.
    pub(crate) fn terminate(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Waits for the end; a run that has none is killed, and the test fails.
    pub(crate) fn wait(mut self) -> Ended {
        let mut polls = RUN_SECONDS_MAX * 100;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break Some(status);
            }
            if polls == 0 {
                self.child.kill().unwrap();
                break None;
            }
            polls -= 1;
            thread::sleep(POLL);
        };
        let text = |collected: JoinHandle<Vec<u8>>| String::from_utf8(collected.join().unwrap()).unwrap();
        let ended = Ended { status: status.and_then(|status| status.code()), stdout: text(self.stdout), stderr: text(self.stderr) };
        assert!(status.is_some(), "the run did not end within {RUN_SECONDS_MAX} s: {ended:?}");
        ended
    }
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` where a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn expect(&self, status: i32) {
        assert_eq!(self.status, Some(status), "stderr:\n{}\nstdout:\n{}", self.stderr, self.stdout);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }

    /// Asserts the exit status and that standard error says all of this (letter case aside).
    #[track_caller]
    pub(crate) fn says(&self, status: i32, parts: &[&str]) {
        self.expect(status);
        let said = self.stderr.to_lowercase();
        assert!(said.contains("error: "), "no error is shown: {}", self.stderr);
        for part in parts {
            assert!(said.contains(&part.to_lowercase()), "standard error does not say \"{part}\":\n{}", self.stderr);
        }
    }
}
