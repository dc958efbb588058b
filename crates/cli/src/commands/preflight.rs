//! `preflight glue`: a line a check.

use aws::{Client, Evidence};
use connector::glue;
use connector::port::ReadOperation;
use connector::{Check, CheckState};

use crate::arguments::PreflightGlueArguments;
use crate::crawl::{connect, connect_failure, settings};
use crate::failure::{Outcome, Status};
use crate::output::{Page, judged};

/// The name that a session has in CloudTrail when a preflight signs in.
const CONNECTION: &str = "preflight";

pub(crate) async fn run(arguments: &PreflightGlueArguments) -> Outcome {
    let glue_settings = settings::glue_settings(&arguments.glue, CONNECTION, arguments.connect.concurrency.get())?;
    let has_role = arguments.connect.role_arn.is_some();
    let mut operations = settings::operations(&glue_settings, has_role);
    if !has_role {
        operations.push(ReadOperation::GetCallerIdentity);
    }
    let aws_settings = connect::settings(&arguments.connect, CONNECTION).await?;
    let client = Client::connect(aws_settings, &operations, Evidence::new()).await.map_err(|error| connect_failure(&error))?;
    let sign_in = check_sign_in(&client, has_role).await;
    let can_go_on = sign_in.state != CheckState::Failed;
    let mut checks = vec![sign_in];
    if can_go_on {
        checks.extend(glue::preflight(&client, &glue_settings).await);
    }
    print(&checks)?;
    let failed = checks.iter().any(|check| check.state == CheckState::Failed);
    Ok(if failed { Status::Failed } else { Status::Complete })
}

/// With a role, assuming it is the proof. With plain keys STS is asked who they are; where STS cannot be reached (a crawl with
/// plain keys does not need it), Glue's own answer is the proof.
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

fn print(checks: &[Check]) -> Result<(), crate::failure::Failure> {
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
