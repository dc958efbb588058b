//! What a crawl has to say besides assets: scopes, failures, warnings.

use std::collections::BTreeMap;

use model::{KnownAsset, Scope, ScopeReport, Warning};

use super::CrawlResult;
use crate::port::{ApiError, Disposition};

/// The most warnings that one run keeps; the rest is counted. A catalog in which every table is odd must not fill the memory.
const WARNINGS_MAX: usize = 10_000;

/// A scope that could not be read, or not to its end.
#[derive(Debug)]
pub struct Failure {
    /// Which scope.
    pub scope: Scope,
    /// Why.
    pub error: ApiError,
}

#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) scopes: Vec<ScopeReport>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) warnings_left_out: u64,
}

impl Findings {
    pub(crate) fn warn(&mut self, warnings: Vec<Warning>) {
        let room = WARNINGS_MAX.saturating_sub(self.warnings.len());
        self.warnings_left_out += warnings.len().saturating_sub(room) as u64;
        self.warnings.extend(warnings.into_iter().take(room));
    }

    /// How the crawl went, with what is known beside the findings.
    pub(crate) fn into_result(self, gone: Vec<KnownAsset>, read_anything: bool, account: Option<String>) -> CrawlResult {
        CrawlResult {
            scopes: self.scopes,
            failures: self.failures,
            warnings: self.warnings,
            warnings_left_out: self.warnings_left_out,
            gone,
            read_anything,
            account,
        }
    }

    pub(crate) fn complete(&mut self, scope: &Scope) {
        self.scopes.push(ScopeReport { scope: scope.clone(), complete: true });
    }

    pub(crate) fn incomplete(&mut self, scope: &Scope) {
        self.scopes.push(ScopeReport { scope: scope.clone(), complete: false });
    }

    /// Makes one report of all that was said of a scope: it is complete only if nothing in it was not read.
    pub(crate) fn settle_scopes(&mut self) {
        let mut settled: BTreeMap<Scope, bool> = BTreeMap::new();
        for report in self.scopes.drain(..) {
            *settled.entry(report.scope).or_insert(true) &= report.complete;
        }
        self.scopes = settled.into_iter().map(|(scope, complete)| ScopeReport { scope, complete }).collect();
    }

    /// Records that a scope could not be read, unless the failure ends the run: then it is given back.
    pub(crate) fn fail(&mut self, scope: &Scope, error: ApiError) -> Result<(), ApiError> {
        if error.kind.disposition() == Disposition::FailRun {
            return Err(error);
        }
        self.incomplete(scope);
        self.failures.push(Failure { scope: scope.clone(), error });
        Ok(())
    }
}
