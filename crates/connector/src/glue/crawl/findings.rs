//! What a crawl has to say besides assets: scopes, failures, warnings.

use model::{Scope, ScopeReport, Warning};

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
pub(super) struct Findings {
    pub(super) scopes: Vec<ScopeReport>,
    pub(super) failures: Vec<Failure>,
    pub(super) warnings: Vec<Warning>,
    pub(super) warnings_left_out: u64,
}

impl Findings {
    pub(super) fn warn(&mut self, warnings: Vec<Warning>) {
        let room = WARNINGS_MAX.saturating_sub(self.warnings.len());
        self.warnings_left_out += warnings.len().saturating_sub(room) as u64;
        self.warnings.extend(warnings.into_iter().take(room));
    }

    pub(super) fn complete(&mut self, scope: &Scope) {
        self.scopes.push(ScopeReport { scope: scope.clone(), complete: true });
    }

    pub(super) fn incomplete(&mut self, scope: &Scope) {
        self.scopes.push(ScopeReport { scope: scope.clone(), complete: false });
    }

    /// Records that a scope could not be read, unless the failure ends the run: then it is given back.
    pub(super) fn fail(&mut self, scope: &Scope, error: ApiError) -> Result<(), ApiError> {
        if error.kind.disposition() == Disposition::FailRun {
            return Err(error);
        }
        self.incomplete(scope);
        self.failures.push(Failure { scope: scope.clone(), error });
        Ok(())
    }
}
