//! The record of what was asked of the simulation: the judge of "it only reads".

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

const CALLS_KEPT: usize = 20_000;
const REFUSED_KEPT: usize = 10_000;

/// One call: `glue:GetTables` and its parameters in short (`DatabaseName=sales MaxResults=100 NextToken`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    pub operation: String,
    pub parameters: String,
}

/// Everything asked so far; `calls` and `refused` keep the newest only, `counts` and `errors` count all.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Requests {
    /// Calls by operation (`glue:GetTables`), failed ones included.
    pub counts: BTreeMap<String, u64>,
    /// Error answers by operation and code (`glue:GetTables ThrottlingException`).
    pub errors: BTreeMap<String, u64>,
    /// Whatever is not a permitted read.
    pub refused: VecDeque<Call>,
    pub calls: VecDeque<Call>,
}

impl Requests {
    /// How often `operation` (`glue:GetTables`) was called.
    #[must_use]
    pub fn count(&self, operation: &str) -> u64 {
        self.counts.get(operation).copied().unwrap_or(0)
    }

    pub(crate) fn called(&mut self, call: Call) {
        match self.counts.get_mut(&call.operation) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(call.operation.clone(), 1);
            }
        }
        push_bounded(&mut self.calls, call, CALLS_KEPT);
    }

    pub(crate) fn refused(&mut self, call: Call) {
        push_bounded(&mut self.refused, call, REFUSED_KEPT);
    }

    pub(crate) fn failed(&mut self, operation: &str, code: &str) {
        *self.errors.entry(format!("{operation} {code}")).or_default() += 1;
    }
}

fn push_bounded(calls: &mut VecDeque<Call>, call: Call, kept_max: usize) {
    if calls.len() >= kept_max {
        calls.pop_front();
    }
    calls.push_back(call);
}
