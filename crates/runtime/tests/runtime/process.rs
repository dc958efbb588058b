//! The real program in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sim::{Account, Running, Simulation};
use tempfile::TempDir;

use crate::control_plane::{ControlPlane, ENROLMENT_TOKEN};

const CONFIGURATION: &str =
    "default-secret-store = \"shell\"\n\n[secret-stores.shell]\nkind = \"environment\"\nprefix = \"SECRET_\"\n";

/// A data folder and what its processes see.
pub(crate) struct Home {
    folder: TempDir,
    endpoint: String,
    access_key_id: String,
    secret_access_key: String,
}

/// A process that is killed when the test is done with it.
pub(crate) struct Process(Child);

impl Home {
    /// A folder with a configuration, not enrolled, beside a simulated AWS.
    pub(crate) fn new(simulation: &Running) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = simulation.keys();
        std::fs::write(folder.path().join("given.toml"), CONFIGURATION).unwrap();
        Self {
            folder,
            endpoint: simulation.endpoint(),
            access_key_id: keys.access_key_id,
            secret_access_key: keys.secret_access_key,
        }
    }

    /// The same, enrolled.
    pub(crate) fn enrolled(simulation: &Running, plane: &ControlPlane) -> Self {
        let home = Self::new(simulation);
        let output = home.enroll(plane, &[]);
        assert!(output.status.success(), "{output:?}");
        home
    }

    pub(crate) fn enroll(&self, plane: &ControlPlane, more: &[&str]) -> Output {
        let config = self.folder.path().join("given.toml");
        let arguments = ["enroll", "--server", &plane.url, "--token", ENROLMENT_TOKEN, "--name", "vpc-a"];
        self.command(&arguments).arg("--config").arg(config).args(more).output().unwrap()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret_access_key
    }

    /// A command in this home. Nothing of the test's own environment reaches it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isinglass-runtime"));
        command
            .env_clear()
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("SECRET_ID", &self.access_key_id)
            .env("SECRET_KEY", &self.secret_access_key)
            .args(&arguments[..1])
            .arg("--data")
            .arg(self.data())
            .args(&arguments[1..]);
        command
    }

    /// Starts `run`; what it says goes to a file.
    pub(crate) fn run(&self, more: &[&str]) -> Process {
        let stderr = std::fs::OpenOptions::new().create(true).append(true).open(self.path("stderr")).unwrap();
        let child = self.command(&["run"]).args(more).stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
        Process(child)
    }

    /// What processes said so far.
    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(self.path("stderr")).unwrap_or_default()
    }
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn terminate(&self) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Its end by itself.
    pub(crate) async fn status(&mut self) -> i32 {
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code().unwrap();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// No word of goodbye.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) async fn aws() -> Running {
    Simulation::builder().account(Account::realistic()).start().await.unwrap()
}

/// A Glue job under a lease.
pub(crate) fn job(lease: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut job = json!({
        "kind": "crawl",
        "lease": { "id": lease, "run": 17, "attempt": 1, "heartbeatSeconds": 1, "leaseSeconds": 60 },
        "job": {
            "connector": "glue", "connection": "Sales EU", "region": "eu-west-1", "connectionNumber": 1_700_000_000_u64,
            "credential": {
                "authType": "iam", "keyType": "single-key",
                "values": { "username": { "secret": "ID" }, "password": { "secret": "KEY" } }
            },
            "settings": {}, "preflight": "soft", "isFirst": true
        }
    });
    change(&mut job["job"]);
    job
}

/// Every file below a folder, which a process may be making or removing.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}
