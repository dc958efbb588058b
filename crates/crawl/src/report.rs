//! The report of a run, put together from what the crawl, the gate, the guard and the store say.

use std::collections::BTreeMap;

use aws::Evidence;
use connector::{CrawlResult, MaskedCounts};
use model::document::report::{Changes, Report, ReportError, ReportWarning};
use model::{ChangeCounts, Outcome, RunId};

use crate::failure::{Failure, FailureKind};

/// What a run left where its results are kept.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// Its number there.
    pub run: Option<RunId>,
    /// How it ended in the store's view: what was protected makes it partial.
    pub outcome: Option<Outcome>,
    /// Assets found, by type name.
    pub counts: BTreeMap<String, u64>,
    /// What changed.
    pub changes: ChangeCounts,
}

/// Who can say something about a run.
#[derive(Clone, Copy, Debug)]
pub struct RunFacts<'a> {
    /// What was called, and where it went.
    pub evidence: &'a Evidence,
    /// What was masked.
    pub masked: &'a MaskedCounts,
    /// Milliseconds since 1970 UTC.
    pub started_at: i64,
    /// How removals that were held back are let through, as the end of "If that is right, …".
    pub how_to_confirm: &'a str,
}

/// How a crawl ended, before the store has its say.
#[must_use]
pub fn outcome(result: &CrawlResult) -> Outcome {
    match (result.failures.is_empty(), result.read_anything) {
        (true, _) => Outcome::Complete,
        (false, true) => Outcome::Partial,
        (false, false) => Outcome::Failed,
    }
}

/// The failure of a crawl that could not read one page: its first one, which the others follow from.
#[must_use]
pub fn nothing_read(result: &CrawlResult) -> Failure {
    match result.failures.first() {
        Some(failure) => Failure::from_api(&failure.error),
        None => Failure::new(FailureKind::Internal, "nothing could be read", "Run a preflight to find out why."),
    }
}

/// The report of a crawl that went through. `finished_at` is in milliseconds since 1970 UTC.
#[must_use]
pub fn complete(result: &CrawlResult, outcome: Outcome, stored: &Stored, facts: &RunFacts<'_>, finished_at: i64) -> Report {
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
    warn_of_protection(&mut report, stored, facts.how_to_confirm);
    report
}

/// The report of a crawl that ran elsewhere, completed by what came of it where its results are kept.
#[must_use]
pub fn settled(report: Report, stored: &Stored, how_to_confirm: &str) -> Report {
    let outcome = stored.outcome.map_or_else(|| report.outcome.clone(), |outcome| outcome.as_str().to_owned());
    let (run, counts, changes) = (stored.run.map(|run| run.0), stored.counts.clone(), Changes::from(stored.changes));
    let mut settled = Report { outcome, run, counts, changes, ..report };
    warn_of_protection(&mut settled, stored, how_to_confirm);
    settled
}

/// The report of a run that failed. `finished_at` is in milliseconds since 1970 UTC.
#[must_use]
pub fn failed(failure: &Failure, stored: &Stored, facts: &RunFacts<'_>, finished_at: i64) -> Report {
    let mut report = base(stored, facts, finished_at);
    Outcome::Failed.as_str().clone_into(&mut report.outcome);
    report.errors.push(ReportError {
        scope: "run".to_owned(),
        operation: failure.operation.map(|operation| operation.to_string()).unwrap_or_default(),
        category: failure.category().to_owned(),
        retryable: failure.is_retryable(),
        message: failure.message.clone(),
        suggested_action: failure.remedy.clone(),
    });
    report
}

/// What could not be read.
#[must_use]
pub fn errors(result: &CrawlResult) -> Vec<ReportError> {
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

fn warn_of_protection(report: &mut Report, stored: &Stored, how_to_confirm: &str) {
    if stored.changes.protected > 0 {
        report.warnings.push(ReportWarning {
            scope: "run".to_owned(),
            code: "removal-protected".to_owned(),
            message: format!(
                "{} assets are gone from the source, which is a large part of the catalog; nothing was archived. If that is right, {}",
                stored.changes.protected, how_to_confirm
            ),
        });
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removals_that_were_held_back_are_told_with_the_way_to_confirm_them() {
        let (evidence, masked) = (Evidence::new(), MaskedCounts::default());
        let facts = RunFacts { evidence: &evidence, masked: &masked, started_at: 1, how_to_confirm: "confirm it" };
        let changes = ChangeCounts { protected: 7, ..ChangeCounts::default() };
        let stored = Stored { outcome: Some(Outcome::Partial), changes, ..Stored::default() };
        let report = complete(&CrawlResult::default(), Outcome::Complete, &stored, &facts, 2);
        assert_eq!((report.outcome.as_str(), report.started_at, report.finished_at), ("partial", 1, 2));
        assert!(report.warnings[0].message.starts_with("7 assets") && report.warnings[0].message.ends_with("confirm it"));
    }
}
