//! A service without a network in front of it, over a fresh catalog, and the account that it crawls.

use std::time::Duration;

use model::RunId;
use serde_json::json;
use sim::{Account, Running, Simulation};
use store::{
    ConnectionProfile, Lease, NewCredential, PreflightGate, RunEvent, RunRef, RunState, RunSummary, RunsOn, SealedSecret,
    WorkflowId, WorkflowSpec,
};

use super::super::{Pace, executor};
use crate::api::testing::{state, system};
use crate::config::Config;
use crate::sealing::{SealingContext, SecretBytes};
use crate::state::App;

/// As the service does it, with less patience.
pub(super) const FAST: Pace = Pace {
    poll: Duration::from_millis(100),
    heartbeat: Duration::from_millis(200),
    lease: Duration::from_secs(5),
    retry: Duration::from_millis(50),
    report: Duration::from_millis(20),
};

/// How long anything may take: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which secret access key a connection has.
#[derive(Clone, Copy)]
pub(super) enum Keys {
    Right,
    Wrong,
}

const WRONG: &str = "canary/wrong+secret";

pub(super) struct World {
    pub(super) app: App,
    pub(super) simulation: Running,
    pub(super) _folder: tempfile::TempDir,
}

pub(super) fn spec() -> WorkflowSpec {
    WorkflowSpec {
        name: "nightly".to_owned(),
        settings: "{}".to_owned(),
        schedule: None,
        next_run_ms: None,
        preflight: PreflightGate::Off,
        retries_max: 3,
        removal_share_percent: 20,
        alerts: "[]".to_owned(),
    }
}

/// A workflow whose time has come.
pub(super) fn schedule(now_ms: i64) -> WorkflowSpec {
    let schedule = store::Schedule { cron: "30 2 * * *".to_owned(), time_zone: "UTC".to_owned() };
    WorkflowSpec { schedule: Some(schedule), next_run_ms: Some(now_ms - 5), ..spec() }
}

impl World {
    pub(super) async fn start() -> Self {
        Self::start_with("crawl.allowed_endpoint_urls = ['ENDPOINT']").await
    }

    /// With a configuration in which `ENDPOINT` is where the account is.
    pub(super) async fn start_with(config: &str) -> Self {
        let simulation = Simulation::builder().account(Account::realistic()).start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config: Config = toml::from_str(&config.replace("ENDPOINT", &simulation.endpoint())).unwrap();
        let app = App::new(state(config, &folder).await);
        Self { app, simulation, _folder: folder }
    }

    /// Has an executor run.
    pub(super) fn work(&self, pace: Pace) {
        self.app.shutdown.tasks().spawn(executor::execute(self.app.clone(), pace));
    }

    pub(super) async fn workflow(&self, keys: Keys, preflight: PreflightGate, spec: WorkflowSpec) -> WorkflowId {
        let (store, now_ms) = (&self.app.store, self.app.clock.now_ms());
        let number = store.managed_connections(None, 100).await.unwrap().len();
        let given = self.simulation.keys();
        let secret = match keys {
            Keys::Right => given.secret_access_key,
            Keys::Wrong => WRONG.to_owned(),
        };
        let extra = json!({ "region": "eu-west-1", "endpoint_url": self.simulation.endpoint() });
        let public_part = json!({ "username": given.access_key_id, "extra": extra }).to_string();
        let new = NewCredential { name: format!("keys {number}"), auth_type: "iam".to_owned(), public_part };
        let seal = |id: store::CredentialId, version: i64| {
            let context = SealingContext { credential_id: &id.to_string(), version: version.try_into().unwrap() };
            let sealed = self.app.keys.seal(&SecretBytes::new(secret.into_bytes()), context, &*self.app.random)?;
            Ok::<_, crate::sealing::SealingError>(Some(SealedSecret {
                bytes: sealed.to_bytes(),
                key_id: sealed.key_id.to_string(),
            }))
        };
        let credential = store.create_credential(&new, seal, &system(), now_ms).await.unwrap();
        let profile = ConnectionProfile {
            name: format!("sales {number}"),
            region: Some("eu-west-1".to_owned()),
            description: None,
            runs_on: RunsOn::Direct,
            credential: Some(credential.id),
            settings: "{}".to_owned(),
        };
        let connection = store.create_connection("glue", &profile, &[], &system(), now_ms).await.unwrap();
        let spec = WorkflowSpec { name: format!("{} {number}", spec.name), preflight, ..spec };
        store.create_workflow(connection, &spec, &system(), now_ms).await.unwrap()
    }

    /// A run of a workflow of its own, which waits.
    pub(super) async fn enqueue(&self, keys: Keys, preflight: PreflightGate) -> RunId {
        let workflow = self.workflow(keys, preflight, spec()).await;
        let run = self.app.store.enqueue(workflow, &system(), self.app.clock.now_ms()).await.unwrap().run;
        self.app.nudge.wake();
        run
    }

    pub(super) async fn run(&self, run: RunId) -> RunSummary {
        self.app.store.run(RunRef::Id(run)).await.unwrap()
    }

    pub(super) async fn events(&self, run: RunId) -> Vec<RunEvent> {
        self.app.store.events(run, 0, 2000).await.unwrap()
    }

    /// The run when it has ended and all is told of it.
    pub(super) async fn end_of(&self, run: RunId) -> RunSummary {
        self.until("the run has ended", async || matches!(self.run(run).await.state, RunState::Ended(_))).await;
        self.until("its end is told", async || self.events(run).await.last().is_some_and(|event| event.kind == "ended")).await;
        self.run(run).await
    }

    /// Until some of the account was read, and not all.
    pub(super) async fn until_crawling(&self, run: RunId) {
        let reads = async || self.simulation.requests().count("glue:GetDatabases") > 0;
        self.until("the account is read", reads).await;
        assert_eq!(self.run(run).await.state, RunState::Running);
    }

    pub(super) async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let waiting = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited in vain: {what}");
    }

    pub(super) async fn claim(&self) -> Lease {
        self.app.store.claim(&RunsOn::Direct, "test", 30_000, self.app.clock.now_ms()).await.unwrap().unwrap()
    }

    /// No secret is in what is kept of a run for people.
    pub(super) async fn assert_no_secret(&self, run: RunId) {
        let report = self.app.store.report(RunRef::Id(run)).await.unwrap();
        let kept = format!("{:?} {:?} {report:?}", self.run(run).await, self.events(run).await);
        for secret in [WRONG, self.simulation.keys().secret_access_key.as_str()] {
            assert!(!kept.contains(secret), "{kept}");
        }
    }
}
