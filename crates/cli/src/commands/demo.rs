//! `demo`: a simulated AWS account on loopback, a crawl of it, and a tour of the commands. No AWS account, no network.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sim::{Account, Running, Simulation};
use tokio::process::Command;

use crate::arguments::DemoArguments;
use crate::failure::{Failure, Outcome, Status};
use crate::output::{bold, dim, print};

/// The commands of the tour: what they show, and their arguments.
const TOUR: &[(&str, &[&str])] = &[
    ("Search finds names, columns and descriptions.", &["search", "customer", "--limit", "8"]),
    (
        "One table, with nested columns, the assets of the studio that are made from it, where it comes from and where it goes.",
        &["show", "sales/orders"],
    ),
    ("Lineage follows jobs, views, links, S3 locations and the studio.", &["lineage", "sales/orders", "--depth", "3"]),
    ("A term of a business glossary, and what it is assigned to.", &["show", "term_revenue"]),
    ("Evidence: what the run called, where it connected, what it masked.", &["evidence", "latest"]),
    ("A security engineer gets the exact IAM policy …", &["policy", "smus", "--region", "eu-west-1"]),
    ("… and the exact hosts.", &["egress", "--region", "eu-west-1"]),
];

/// The crawls: what is said before, and their arguments. The second one cannot see everything, and says so.
const CRAWLS: &[(&str, &[&str])] = &[
    (
        "A simulated AWS account runs on loopback. This crawls its Glue Data Catalog, read-only, the way a real account is crawled:",
        &["crawl", "glue", "--region", "eu-west-1", "--connection", "demo"],
    ),
    (
        "And SageMaker Unified Studio into the same catalog. The role is no member of one project, so this run is partial, and says so:",
        &["crawl", "smus", "--region", "eu-west-1", "--connection", "demo-studio"],
    ),
];

pub(crate) async fn run(arguments: &DemoArguments) -> Outcome {
    let simulation = Simulation::builder().account(Account::realistic()).start().await?;
    let folder = arguments.data.clone().unwrap_or_else(temporary_folder);
    std::fs::create_dir_all(&folder)?;
    let catalog = format!("sqlite:{}", folder.join("catalog.db").display());
    let stage = Stage { simulation: &simulation, catalog: &catalog };
    for (text, crawl) in CRAWLS {
        say(text)?;
        let status = stage.run(crawl).await?;
        if status == Status::Failed || status == Status::Usage {
            return Ok(status);
        }
    }
    if !arguments.once {
        for (text, command) in TOUR {
            say(text)?;
            stage.run(command).await?;
        }
        say(&format!("The catalog stays in {}; ask it more:", folder.display()))?;
        print(format!("  isinglass search order --catalog {catalog}\n").as_bytes())?;
    }
    Ok(Status::Complete)
}

fn temporary_folder() -> PathBuf {
    std::env::temp_dir().join(format!("isinglass-demo-{}", std::process::id()))
}

fn say(text: &str) -> Result<(), Failure> {
    print(format!("\n{}\n", bold(text)).as_bytes())
}

/// Runs the program itself, so that the tour shows what a user gets, with the simulated account in its environment only.
struct Stage<'a> {
    simulation: &'a Running,
    catalog: &'a str,
}

impl Stage<'_> {
    async fn run(&self, arguments: &[&str]) -> Result<Status, Failure> {
        print(format!("{}\n", dim(&format!("$ isinglass {}", arguments.join(" ")))).as_bytes())?;
        let program = std::env::current_exe()?;
        let status = self.command(&program, arguments).status().await?;
        Ok(match status.code() {
            Some(0) => Status::Complete,
            Some(3) => Status::Partial,
            Some(2) => Status::Usage,
            _ => Status::Failed,
        })
    }

    fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let endpoint = self.simulation.endpoint();
        let keys = self.simulation.keys();
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).env("ISINGLASS_CATALOG", self.catalog);
        // Whatever AWS settings the user has stay out of the demo.
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_aws(name)) {
            command.env_remove(name);
        }
        for service in ["GLUE", "DATAZONE", "STS"] {
            command.env(format!("AWS_ENDPOINT_URL_{service}"), &endpoint);
        }
        command.env("AWS_ACCESS_KEY_ID", &keys.access_key_id).env("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key);
        command
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command
    }
}

fn is_aws(name: &OsString) -> bool {
    name.to_string_lossy().starts_with("AWS_")
}
