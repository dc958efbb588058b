//! Refusals of the control plane: RFC 9457 problem documents with a code that programs decide by.

use serde::{Deserialize, Serialize};

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// For programs; [`Code::Other`] where it is one of a newer version.
    #[serde(default)]
    pub code: Code,
    /// What happened and what to do next.
    #[serde(default)]
    pub detail: String,
}

/// What a refusal means for the runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The access token is unknown or has expired: sign in again.
    Unauthenticated,
    /// The runtime was revoked: stop, and do not come back.
    Revoked,
    /// The enrolment token is unknown, used or too old.
    EnrolmentRefused,
    /// The lease is not, or no longer, this runtime's: forget the run.
    LeaseLost,
    /// Another content was stored under this number: the runtime's spool is not what it sent before.
    BatchDiffers,
    /// A batch before this one is missing.
    BatchOutOfOrder,
    /// The content is not what its digest says.
    DigestMismatch,
    /// The content cannot be read.
    Malformed,
    /// More than is taken at once.
    TooLarge,
    /// This version of the protocol is not spoken here.
    UnsupportedProtocol,
    /// Too many requests, or no room: later.
    Busy,
    /// Anything else.
    #[default]
    #[serde(other)]
    Other,
}

impl Code {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Revoked => "revoked",
            Self::EnrolmentRefused => "enrolment-refused",
            Self::LeaseLost => "lease-lost",
            Self::BatchDiffers => "batch-differs",
            Self::BatchOutOfOrder => "batch-out-of-order",
            Self::DigestMismatch => "digest-mismatch",
            Self::Malformed => "malformed",
            Self::TooLarge => "too-large",
            Self::UnsupportedProtocol => "unsupported-protocol",
            Self::Busy => "busy",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_a_newer_version_is_any_other_one() {
        let problem: Problem =
            serde_json::from_str(r#"{"code":"too-green","detail":"x","type":"about:blank","status":409}"#).unwrap();
        assert_eq!(problem, Problem { code: Code::Other, detail: "x".to_owned() });
        assert_eq!(serde_json::from_str::<Problem>("{}").unwrap().code, Code::Other);
    }

    #[test]
    fn every_code_is_written_as_it_is_read() {
        for code in [Code::Unauthenticated, Code::Revoked, Code::EnrolmentRefused, Code::LeaseLost, Code::BatchDiffers, Code::Busy]
        {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
