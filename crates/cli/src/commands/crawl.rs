//! `crawl glue`, `crawl smus`.

use std::path::Path;

use model::document::report::Report;

use crate::arguments::{CrawlGlueArguments, CrawlSmusArguments, DestinationArguments};
use crate::crawl::{Crawled, crawl_glue, crawl_smus};
use crate::failure::Outcome;
use crate::output::{Page, grouped, judged};

/// Warnings and errors that are shown; the report has them all.
const FINDINGS_SHOWN_MAX: usize = 10;

pub(crate) async fn run_glue(arguments: &CrawlGlueArguments) -> Outcome {
    tell(crawl_glue(arguments).await?, &arguments.to)
}

pub(crate) async fn run_smus(arguments: &CrawlSmusArguments) -> Outcome {
    tell(crawl_smus(arguments).await?, &arguments.to)
}

/// Says how a run went, where its results do not go themselves.
fn tell(crawled: Crawled, to: &DestinationArguments) -> Outcome {
    let status = crawled.status();
    if let Some(failure) = crawled.failure {
        return Err(failure);
    }
    let page = summary(&crawled.report);
    if to.output.as_deref() == Some(Path::new("-")) {
        page.print_to_standard_error();
    } else {
        page.print()?;
    }
    Ok(status)
}

/// What a run did, for people.
pub(crate) fn summary(report: &Report) -> Page {
    let mut page = Page::default();
    let seconds = (report.finished_at - report.started_at).max(0) / 100;
    let run = report.run.map(|run| format!("run {run} ")).unwrap_or_default();
    page.line(format!("{run}{} in {}.{} s", judged(&report.outcome), seconds / 10, seconds % 10));
    let counts: Vec<_> = report.counts.iter().map(|(kind, count)| (kind.clone(), grouped(*count))).collect();
    page.facts(&counts);
    if report.run.is_some() {
        page.line(changes(report));
    }
    findings(report, &mut page);
    page
}

fn changes(report: &Report) -> String {
    let changes = report.changes;
    let named = [
        ("created", changes.created),
        ("updated", changes.updated),
        ("unchanged", changes.unchanged),
        ("archived", changes.archived),
        ("restored", changes.restored),
        ("protected", changes.protected),
    ];
    let said: Vec<_> =
        named.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{} {name}", grouped(*count))).collect();
    if said.is_empty() { "nothing changed".to_owned() } else { said.join(", ") }
}

/// Errors and warnings, the first few of each.
pub(crate) fn findings(report: &Report, page: &mut Page) {
    let errors: Vec<_> = report
        .errors
        .iter()
        .map(|error| (error.scope.as_str(), format!("{}\n{}", error.message, error.suggested_action)))
        .collect();
    let warnings: Vec<_> = report.warnings.iter().map(|warning| (warning.scope.as_str(), warning.message.clone())).collect();
    for (what, found) in [("could not be read", errors), ("warnings", warnings)] {
        if found.is_empty() {
            continue;
        }
        page.heading(&format!("{} {what}", grouped(found.len() as u64)));
        let shown: Vec<_> =
            found.iter().take(FINDINGS_SHOWN_MAX).map(|(scope, text)| ((*scope).to_owned(), text.clone())).collect();
        page.facts(&shown);
        if found.len() > FINDINGS_SHOWN_MAX {
            page.line(format!(
                "  … and {} more: --report FILE or `isinglass evidence` has them all",
                found.len() - FINDINGS_SHOWN_MAX
            ));
        }
    }
}
