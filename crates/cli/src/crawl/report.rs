//! The report of a run, put together from what the crawl, the gate, the guard and the store say.

use aws::Evidence;
use connector::CrawlResult;
use connector::MaskedCounts;
use model::Outcome;
use model::document::report::{Changes, Report, ReportError, ReportWarning};

use super::destination::Stored;
use crate::failure::Failure;

/// Who can say something about a run.
pub(crate) struct RunFacts<'a> {
    pub(crate) evidence: &'a Evidence,
    pub(crate) masked: &'a MaskedCounts,
    pub(crate) started_at: i64,
}

/// How a crawl ended, before the store has its say.
pub(crate) fn outcome(result: &CrawlResult) -> Outcome {
    match (result.failures.is_empty(), result.read_anything) {
        (true, _) => Outcome::Complete,
        (false, true) => Outcome::Partial,
        (false, false) => Outcome::Failed,
    }
}

/// The failure of a crawl that could not read one page: its first one, which the others follow from.
pub(crate) fn nothing_read(result: &CrawlResult) -> Failure {
    match result.failures.first() {
        Some(failure) => Failure::from_api(&failure.error),
        None => Failure::failed("nothing could be read", "Run `isinglass preflight glue` to find out why."),
    }
}

/// The report of a crawl that went through.
pub(crate) fn complete(result: &CrawlResult, outcome: Outcome, stored: &Stored, facts: &RunFacts<'_>, finished_at: i64) -> Report {
    let mut report = base(stored, facts, finished_at);
    report.outcome = stored.outcome.unwrap_or(outcome).as_str().to_owned();
    report.errors = errors(result);
    report.warnings.extend(result.warnings.iter().map(ReportWarning::from));
    if result.warnings_left_out > 0 {
        report.warnings.push(ReportWarning {
            scope: "run".to_owned(),
            code: "warnings-left-out".to_owned(),
            message: format!("{} further warnings are left out of this report", result.warnings_left_out),
        });
    }
    if stored.changes.protected > 0 {
        report.warnings.push(ReportWarning {
            scope: "run".to_owned(),
            code: "removal-protected".to_owned(),
            message: format!(
                "{} assets are gone from the source, which is a large part of the catalog; nothing was archived. \
                 If that is right, run again with --confirm-removals",
                stored.changes.protected
            ),
        });
    }
    report
}

/// The report of a run that failed.
pub(crate) fn failed(failure: &Failure, stored: &Stored, facts: &RunFacts<'_>, finished_at: i64) -> Report {
    let mut report = base(stored, facts, finished_at);
    Outcome::Failed.as_str().clone_into(&mut report.outcome);
    report.errors.push(ReportError {
        scope: "run".to_owned(),
        operation: failure.operation.clone(),
        category: failure.category.to_owned(),
        retryable: failure.is_retryable,
        message: failure.message.clone(),
        suggested_action: failure.remedy.clone(),
    });
    report
}

/// What could not be read.
pub(crate) fn errors(result: &CrawlResult) -> Vec<ReportError> {
    let error = |failure: &connector::Failure| ReportError {
        scope: failure.scope.to_string(),
        operation: failure.error.operation.to_string(),
        category: failure.error.kind.category().to_owned(),
        retryable: failure.error.kind.is_retryable(),
        message: failure.error.message.clone(),
        suggested_action: failure.error.suggested_action.clone(),
    };
    result.failures.iter().map(error).collect()
}

fn base(stored: &Stored, facts: &RunFacts<'_>, finished_at: i64) -> Report {
    let evidence = facts.evidence.snapshot();
    Report {
        run: stored.run.map(|run| run.0),
        counts: stored.counts.clone(),
        changes: Changes::from(stored.changes),
        operations: evidence.operations,
        refused_operations: evidence.refused_operations,
        endpoints: evidence.endpoints,
        warnings: evidence.warnings,
        masked: facts.masked.to_map(),
        started_at: facts.started_at,
        finished_at,
        ..Report::default()
    }
}
