//! `preflight glue`, `preflight smus`: a line a check.

use connector::CheckState;
use crawl::CrawlSpec;
use crawl::preflight::{CheckReport, preflight};

use crate::arguments::{ConnectArguments, PreflightGlueArguments, PreflightSmusArguments};
use crate::clock::now_ms;
use crate::crawl::{connect, settings};
use crate::failure::{Failure, Outcome, Status};
use crate::output::{Page, judged};

/// The name that a session has in CloudTrail when a preflight signs in.
const CONNECTION: &str = "preflight";

pub(crate) async fn run_glue(arguments: &PreflightGlueArguments) -> Outcome {
    run(&settings::glue_spec(&arguments.glue), &arguments.connect).await
}

pub(crate) async fn run_smus(arguments: &PreflightSmusArguments) -> Outcome {
    run(&settings::smus_spec(&arguments.smus), &arguments.connect).await
}

async fn run(spec: &CrawlSpec, connect: &ConnectArguments) -> Outcome {
    let settings = settings::settings(spec, CONNECTION, connect)?;
    let checks = preflight(&connect::access(connect).await?, &settings, &now_ms).await?;
    print(&checks)?;
    let failed = checks.iter().any(|check| check.state == CheckState::Failed);
    Ok(if failed { Status::Failed } else { Status::Complete })
}

fn print(checks: &[CheckReport]) -> Result<(), Failure> {
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
