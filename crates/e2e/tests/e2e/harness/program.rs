//! The program as a child process: nothing of the tester's own environment reaches it, and no run is waited for without end.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sim::Keys;

/// How long any run may take: far longer than the slowest does on a loaded machine.
const RUN_SECONDS_MAX: u64 = 150;
const POLL: Duration = Duration::from_millis(10);

/// Where `cargo build --bins` puts the program of the profile that this test was built with.
pub(crate) fn binary() -> PathBuf {
    binary_of("isinglass")
}

fn binary_of(name: &str) -> PathBuf {
    let folder = std::env::current_exe().unwrap();
    let path = folder.parent().and_then(Path::parent).unwrap().join(name);
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

    /// The program that runs in another network.
    pub(crate) fn runtime(arguments: &[&str]) -> Self {
        Self::through(Command::new(binary_of("isinglass-runtime")), arguments)
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
        let stdout = Collected::of(child.stdout.take().unwrap());
        let stderr = Collected::of(child.stderr.take().unwrap());
        Started { child, stdout, stderr }
    }

    pub(crate) fn run(self) -> Ended {
        self.start().wait()
    }
}

/// What a program has written so far.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Collected {
    fn of(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 8192];
            loop {
                match stream.read(&mut buffer).unwrap() {
                    0 => return,
                    read => into.lock().unwrap().extend_from_slice(&buffer[..read]),
                }
            }
        });
        Self { bytes, reader }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    /// All of it, once the program has ended.
    fn whole(self) -> String {
        self.reader.join().unwrap();
        String::from_utf8(self.bytes.lock().unwrap().clone()).unwrap()
    }
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
    stdout: Collected,
    stderr: Collected,
}

impl Started {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    pub(crate) fn printed(&self) -> String {
        self.stdout.text()
    }

    /// Waits until it has printed something; all that it has printed by then. One that ends before fails the test.
    #[track_caller]
    pub(crate) fn wait_for_print(&mut self, text: &str) -> String {
        for _ in 0..RUN_SECONDS_MAX * 100 {
            if self.printed().contains(text) {
                return self.printed();
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended before \"{text}\": {ended:?}\n{}\n{}", self.printed(), self.stderr.text());
            thread::sleep(POLL);
        }
        self.kill();
        panic!("waited {RUN_SECONDS_MAX} s in vain for \"{text}\":\n{}\n{}", self.printed(), self.stderr.text());
    }

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
        let code = status.and_then(|status| status.code());
        let ended = Ended { status: code, stdout: self.stdout.whole(), stderr: self.stderr.whole() };
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
