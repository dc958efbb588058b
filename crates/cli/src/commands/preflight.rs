//! `preflight glue`, `preflight smus`: a line a check.

use aws::{Client, Evidence};
use connector::port::ReadOperation;
use connector::{Check, CheckState, glue, smus};

use crate::arguments::{ConnectArguments, PreflightGlueArguments, PreflightSmusArguments};
use crate::clock::now_ms;
use crate::crawl::{connect, connect_failure, identity, settings};
use crate::failure::{Failure, Outcome, Status};
use crate::output::{Page, judged};

/// The name that a session has in CloudTrail when a preflight signs in.
const CONNECTION: &str = "preflight";

pub(crate) async fn run_glue(arguments: &PreflightGlueArguments) -> Outcome {
    let settings = settings::glue_settings(&arguments.glue, CONNECTION, arguments.connect.concurrency.get())?;
    let operations = settings::operations(&settings, arguments.connect.role_arn.is_some());
    let client = client(&arguments.connect, operations).await?;
    check(&client, &arguments.connect, async || Ok(glue::preflight(&client, &settings).await)).await
}

pub(crate) async fn run_smus(arguments: &PreflightSmusArguments) -> Outcome {
    let settings = settings::smus_settings(&arguments.smus, CONNECTION, arguments.connect.concurrency.get(), now_ms())?;
    let role_arn = arguments.connect.role_arn.as_deref();
    let client = client(&arguments.connect, settings::smus_operations(&settings, role_arn.is_some())).await?;
    check(&client, &arguments.connect, async || {
        let sign_in = client.sign_in().await?;
        let identity_arn = identity(&client, &sign_in, role_arn).await?;
        Ok(smus::preflight(&client, &smus::Settings { identity_arn, ..settings }).await)
    })
    .await
}

async fn client(arguments: &ConnectArguments, mut operations: Vec<ReadOperation>) -> Result<Client, Failure> {
    if arguments.role_arn.is_none() && !operations.contains(&ReadOperation::GetCallerIdentity) {
        operations.push(ReadOperation::GetCallerIdentity);
    }
    let aws_settings = connect::settings(arguments, CONNECTION).await?;
    Client::connect(aws_settings, &operations, Evidence::new()).await.map_err(|error| connect_failure(&error))
}

/// Sign-in first; without it no other check can pass.
async fn check(
    client: &Client,
    arguments: &ConnectArguments,
    others: impl AsyncFnOnce() -> Result<Vec<Check>, Failure>,
) -> Outcome {
    let sign_in = check_sign_in(client, arguments.role_arn.is_some()).await;
    let can_go_on = sign_in.state != CheckState::Failed;
    let mut checks = vec![sign_in];
    if can_go_on {
        checks.extend(others().await?);
    }
    print(&checks)?;
    let failed = checks.iter().any(|check| check.state == CheckState::Failed);
    Ok(if failed { Status::Failed } else { Status::Complete })
}

/// With a role, assuming it is the proof. With plain keys STS is asked who they are; where STS cannot be reached (a crawl with
/// plain keys does not need it), the service's own answer is the proof.
async fn check_sign_in(client: &Client, has_role: bool) -> Check {
    match client.sign_in().await {
        Err(error) => Check::failed("sign-in", &error),
        Ok(sign_in) if has_role => {
            Check::passed("sign-in", format!("signed in as {}", sign_in.arn.unwrap_or_else(|| "the role".to_owned())))
        }
        Ok(_) => match client.caller_identity().await {
            Ok(identity) => Check::passed("sign-in", format!("signed in as {}", identity.arn)),
            Err(error) if error.kind == connector::port::ErrorKind::Credentials => Check::failed("sign-in", &error),
            Err(error) => Check { state: CheckState::Warning, ..Check::failed("sign-in", &error) },
        },
    }
}

fn print(checks: &[Check]) -> Result<(), Failure> {
    let mut page = Page::default();
    for check in checks {
        let state = match check.state {
            CheckState::Passed => "passed",
            CheckState::Warning => "warning",
            CheckState::Failed => "failed",
        };
        page.line(format!("{} {:12} {}", judged(state), check.name, check.message));
        if !check.remedy.is_empty() {
            page.line(format!("       what to do: {}", check.remedy));
        }
    }
    page.print()
}
