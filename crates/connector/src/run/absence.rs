//! Proof of absence, the same in every crawl: what a complete list does not have any more is asked for by name, and only what is
//! proven to be gone counts as gone.

use std::sync::{Mutex, PoisonError};

use futures::StreamExt;
use model::{KnownAsset, MissingAsset, Warning};

use super::CrawlError;
use super::findings::Findings;
use crate::port::Baseline;

/// The most missing assets that one run asks for; the rest waits for the next run.
const PROOFS_MAX: usize = 2_000;

/// What asking for a missing asset showed.
pub(crate) enum Verdict {
    /// It is proven that it is not there.
    Gone(KnownAsset),
    /// It is there, or it cannot be told.
    Unproven {
        /// How reports name it.
        name: String,
        /// Why it cannot be told.
        reason: String,
    },
    /// It is outside of what this run was asked to read.
    NotAsked,
}

/// The missing assets that are proven to be gone, so many asked for at once; `lists` names where they are missing from.
pub(crate) async fn prove_missing<B: Baseline, J: Future<Output = Result<Verdict, CrawlError>>>(
    baseline: &B,
    findings: &Mutex<Findings>,
    (lists, at_once): (&str, usize),
    judge: impl Fn(MissingAsset) -> J,
) -> Result<Vec<KnownAsset>, CrawlError> {
    let warn = |scope: String, code, message| {
        findings.lock().unwrap_or_else(PoisonError::into_inner).warn(vec![Warning { scope, code, message }]);
    };
    let scopes = findings.lock().unwrap_or_else(PoisonError::into_inner).scopes.clone();
    let missing = baseline.missing(scopes, PROOFS_MAX).await?;
    if missing.len() == PROOFS_MAX {
        let message = format!("more than {PROOFS_MAX} assets are missing; the absence of the rest is checked in the next run");
        warn(lists.to_owned(), "missing-unchecked", message);
    }
    let mut gone = Vec::new();
    let mut verdicts = futures::stream::iter(missing.into_iter().map(judge)).buffer_unordered(at_once);
    while let Some(verdict) = verdicts.next().await {
        match verdict? {
            Verdict::Gone(known) => gone.push(known),
            Verdict::NotAsked => {}
            Verdict::Unproven { name, reason } => {
                warn(
                    name,
                    "absence-unproven",
                    format!("no longer listed, but not proven to be gone ({reason}); it is kept as it was"),
                );
            }
        }
    }
    gone.sort_unstable();
    Ok(gone)
}
