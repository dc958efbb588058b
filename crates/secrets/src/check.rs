//! "Is the secret store reachable?", for the preflight of a runtime.

use crate::error::SecretError;
use crate::fault::FaultKind;
use crate::open::Store;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// The store answers and knows the identity of the runtime. Whether a certain entry may be read, only reading it shows.
    Ready {
        /// What works and should be put right, for people.
        warnings: Vec<String>,
    },
    /// The store answers, and refuses the identity of the runtime.
    Denied(SecretError),
    /// The store does not answer.
    Unreachable(SecretError),
    /// The store's settings do not work, or what answers is no such store.
    Misconfigured(SecretError),
    /// There is no store.
    NothingConfigured,
}

/// Signs in to a store and asks it something, without reading an entry. Takes a store, or an `Option` of one as
/// [`crate::Stores::get`] gives it.
pub async fn check<'s>(store: impl Into<Option<&'s Store>>) -> CheckOutcome {
    let Some(store) = store.into() else { return CheckOutcome::NothingConfigured };
    let probed = match store.backend().sign_in().await {
        Ok(session) => session.probe().await,
        Err(fault) => Err(fault),
    };
    let outcome = match probed {
        Ok(warnings) => CheckOutcome::Ready { warnings },
        Err(fault) => {
            let kind = fault.kind.clone();
            let error = fault.at(store.place(None));
            match kind {
                FaultKind::Denied => CheckOutcome::Denied(error),
                FaultKind::Unreachable => CheckOutcome::Unreachable(error),
                FaultKind::Missing(_) | FaultKind::Malformed | FaultKind::Misconfigured => CheckOutcome::Misconfigured(error),
            }
        }
    };
    tracing::debug!(kind = store.kind(), store = store.name().as_str(), outcome = outcome.word(), "secret store checked");
    outcome
}

impl CheckOutcome {
    /// One word for reports and logs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Ready { .. } => "ready",
            Self::Denied(_) => "denied",
            Self::Unreachable(_) => "unreachable",
            Self::Misconfigured(_) => "misconfigured",
            Self::NothingConfigured => "nothing-configured",
        }
    }
}
