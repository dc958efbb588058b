//! Fills the catalog of a demo through the API, the way a person would: a user, a connection and a workflow for each source, a run of
//! each. What is there from an earlier demo is taken up again.

use std::time::Duration;

use model::document::report::Report;
use serde::Deserialize;
use serde_json::{Value, json};
use sim::Keys;

use super::place::SignIn;
use crate::client::{Client, ClientError};
use crate::commands::crawl::summary;
use crate::failure::Failure;
use crate::output::{bold, print};

/// The user with a password.
pub(super) const USER: &str = "demo";
const REGION: &str = "eu-west-1";
/// Items of one list that are looked at: far more than a demo has.
const LIST_ITEMS: &str = "200";
/// How often a run is looked at, and how often at most: ten minutes.
const POLL: Duration = Duration::from_millis(200);
const POLLS_MAX: u32 = 3_000;

/// One source of the simulated account.
struct Source {
    /// What is said before its crawl.
    about: &'static str,
    connector: &'static str,
    connection: &'static str,
    description: &'static str,
    workflow: &'static str,
    /// When the workflow runs, besides now.
    cron: &'static str,
    /// How a crawl of the simulated account ends.
    expected: &'static str,
}

const SOURCES: [Source; 2] = [
    Source {
        about: "A simulated AWS account runs on loopback. The control plane crawls its Glue Data Catalog, read-only, as it would a real one:",
        connector: "glue",
        connection: "demo lake",
        description: "The Glue Data Catalog of the simulated account",
        workflow: "demo lake, nightly",
        cron: "30 2 * * *",
        expected: "complete",
    },
    Source {
        about: "And SageMaker Unified Studio into the same catalog. The credential is no member of one project, so this run is partial, and says so:",
        connector: "aws-smus",
        connection: "demo studio",
        description: "SageMaker Unified Studio of the simulated account",
        workflow: "demo studio, nightly",
        cron: "45 2 * * *",
        expected: "partial",
    },
];

#[derive(Deserialize)]
struct List {
    items: Vec<Named>,
}

/// A user, connection, workflow or run, as far as it matters.
#[derive(Deserialize)]
struct Named {
    id: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Run {
    state: String,
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    failure: Option<Value>,
}

/// Sees to it that everything is there, and crawls both sources.
pub(super) async fn fill(client: &Client, sign_in: &SignIn, keys: &Keys) -> Result<(), Failure> {
    let user = json!({"name": USER, "displayName": "Demo", "role": "administrator", "password": sign_in.password.expose()});
    ensure(client, "users", &[], &user).await?;
    for source in &SOURCES {
        print(format!("\n{}\n\n", bold(source.about)).as_bytes())?;
        let connection = ensure(client, "connections", &[], &connection(source, keys)).await?;
        let schedule = json!({"cron": source.cron, "timeZone": "UTC"});
        let workflow = json!({"name": source.workflow, "connectionId": connection, "schedule": schedule});
        let workflow = ensure(client, "workflows", &[("connectionId", &connection)], &workflow).await?;
        let run = start(client, &workflow).await?;
        let ended = wait(client, &run).await?;
        judge(source, &run, &ended)?;
        let report: Report = client.get(&format!("runs/{run}/evidence"), &[]).await?;
        summary(&report).print()?;
    }
    Ok(())
}

/// The connection to a source, with the keys of the account, which the service seals.
fn connection(source: &Source, keys: &Keys) -> Value {
    json!({
        "name": source.connection, "connector": source.connector, "region": REGION, "description": source.description,
        "credential": {
            "name": format!("{} keys", source.connection), "authType": "iam", "username": keys.access_key_id,
            "password": keys.secret_access_key, "extra": {"region": REGION},
        },
    })
}

/// The number of the thing of this name in a list; it is made if there is none.
async fn ensure(client: &Client, list: &str, narrowed: &[(&str, &str)], wanted: &Value) -> Result<String, ClientError> {
    let query: Vec<_> = narrowed.iter().copied().chain([("limit", LIST_ITEMS)]).collect();
    let known: List = client.get(list, &query).await?;
    match known.items.into_iter().find(|item| wanted["name"] == item.name.as_str()) {
        Some(known) => Ok(known.id),
        None => Ok(client.post::<Named>(list, wanted).await?.id),
    }
}

/// Starts a run of a workflow; or finds the one that an earlier demo could not finish, and that goes on by itself.
async fn start(client: &Client, workflow: &str) -> Result<String, ClientError> {
    for state in ["running", "queued"] {
        let query = [("workflowId", workflow), ("state", state), ("limit", "1")];
        if let Some(run) = client.get::<List>("runs", &query).await?.items.pop() {
            return Ok(run.id);
        }
    }
    Ok(client.post::<Named>(&format!("workflows/{workflow}/runs"), &json!({})).await?.id)
}

async fn wait(client: &Client, run: &str) -> Result<Run, Failure> {
    for _ in 0..POLLS_MAX {
        let now: Run = client.get(&format!("runs/{run}"), &[]).await?;
        if now.state == "ended" {
            return Ok(now);
        }
        tokio::time::sleep(POLL).await;
    }
    Err(Failure::failed(format!("run {run} does not end"), "Start the demo again; the warnings above may say why."))
}

fn judge(source: &Source, run: &str, ended: &Run) -> Result<(), Failure> {
    let outcome = ended.outcome.as_deref().unwrap_or_default();
    if outcome == source.expected {
        return Ok(());
    }
    let why = ended.failure.as_ref().and_then(|failure| failure["message"].as_str()).unwrap_or("nothing more is known");
    Err(Failure::failed(
        format!("run {run} of \"{}\" is {outcome} where {} is expected: {why}", source.workflow, source.expected),
        "Start the demo with another --data directory; if it happens again, this is a fault of the program.",
    ))
}
