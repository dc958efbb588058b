//! Tasks: sign in, check, list databases, while somebody waits.

use std::time::Duration;

use crawl::preflight::{list_databases, preflight, test_sign_in};
use crawl::spec::Occasion;
use crawl::{Connector, CrawlSpec, Failure, FailureKind};
use serde_json::json;
use wire::{Blame, CatalogDatabases, TaskAction, TaskJob, TaskOutcome, TaskResult};

use super::Workshop;
use super::access::{Opened, open};
use super::gate::as_json;
use super::trouble::Trouble;
use crate::clock;

/// What is left of the time for the way of the answer.
const ON_THE_WAY: Duration = Duration::from_secs(2);

/// Does what is asked, within the time that somebody waits.
pub(crate) async fn perform(workshop: &Workshop, job: &TaskJob) -> TaskResult {
    let within = Duration::from_secs(job.within_seconds).saturating_sub(ON_THE_WAY).max(ON_THE_WAY);
    let outcome = match tokio::time::timeout(within, ask(workshop, job)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(trouble)) => TaskOutcome::Failed { failure: trouble.told() },
        Err(_elapsed) => TaskOutcome::Failed { failure: too_late() },
    };
    TaskResult { outcome }
}

async fn ask(workshop: &Workshop, job: &TaskJob) -> Result<TaskOutcome, Trouble> {
    let connection = &job.source.connection;
    let Opened { access, connector } = open(workshop, &job.source).await?;
    match job.action {
        TaskAction::TestSignIn => {
            let test = test_sign_in(&access, connection, &clock::wall_ms).await?;
            Ok(TaskOutcome::SignIn { check: as_json(&test.check), arn: test.arn, account: test.account })
        }
        TaskAction::Preflight => {
            let spec = CrawlSpec::parse(connector, json!({})).map_err(Failure::from)?;
            let occasion = Occasion { connection, concurrency: access.concurrency, now_ms: clock::wall_ms() };
            let settings = spec.settings(&occasion).map_err(Failure::from)?;
            let checks = preflight(&access, &settings, &clock::wall_ms).await?;
            Ok(TaskOutcome::Checks { checks: checks.iter().map(as_json).collect() })
        }
        TaskAction::ListDatabases if connector == Connector::Glue => {
            let list = list_databases(&access, connection).await?;
            let catalogs = list.catalogs.into_iter();
            let catalogs = catalogs.map(|found| CatalogDatabases { catalog: found.catalog, databases: found.databases }).collect();
            Ok(TaskOutcome::Databases { catalogs, is_whole: list.is_whole })
        }
        TaskAction::ListDatabases => {
            Err(Failure::new(FailureKind::Input, "only connections of the connector `glue` have databases", "").into())
        }
    }
}

fn too_late() -> wire::Failure {
    wire::Failure {
        category: "network".to_owned(),
        blame: Blame::Plumbing,
        message: "the source did not answer in time".to_owned(),
        suggested_action: "Check the network between the runtime and AWS, then try again.".to_owned(),
        operation: None,
        causes: Vec::new(),
    }
}
