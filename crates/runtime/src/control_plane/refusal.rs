//! What an answer means that is not the one that was hoped for.

use wire::{Code, Problem, TokenError};

use super::{Answer, SendError};
use crate::session::Outcome;

/// The longest text of a refusal that is shown, characters.
const DETAIL_CHARACTERS_MAX: usize = 500;

impl From<SendError> for Outcome {
    fn from(error: SendError) -> Self {
        Self::Unreachable { detail: error.to_string(), retry_after_ms: 0 }
    }
}

/// A refusal of the control plane, or of something on the way there: that is as if nobody had answered.
pub(super) fn refusal(answer: &Answer) -> Outcome {
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or(Problem { code: Code::Other, detail: String::new() });
    let code = match (problem.code, answer.status) {
        (Code::Other, 401) => Code::Unauthenticated,
        (Code::Other, 413) => Code::TooLarge,
        (Code::Other, 429 | 503) => Code::Busy,
        (code, _) => code,
    };
    let detail = if problem.detail.is_empty() { format!("HTTP status {}", answer.status) } else { shortened(&problem.detail) };
    let retry_after_ms = answer.retry_after_ms;
    match (code, answer.status) {
        (Code::Other, 400..=406 | 409..=499) => Outcome::Refused { code, detail, retry_after_ms },
        (Code::Other, _) => {
            Outcome::Unreachable { detail: format!("the control plane answers with an error ({detail})"), retry_after_ms }
        }
        _ => Outcome::Refused { code, detail, retry_after_ms },
    }
}

/// A refusal to sign in.
pub(super) fn token_refusal(answer: &Answer) -> Outcome {
    match serde_json::from_slice::<TokenError>(&answer.body) {
        Ok(error) => {
            let detail = shortened(&format!("{}: {}", error.error, error.error_description));
            Outcome::TokenRefused { detail, server_seconds: error.server_time }
        }
        Err(_) => {
            let refusal = refusal(answer);
            if let Outcome::Refused { code: Code::Unauthenticated | Code::Other, detail, .. } = refusal {
                return Outcome::TokenRefused { detail, server_seconds: None };
            }
            refusal
        }
    }
}

/// An answer that should have been another one.
pub(super) fn not_understood(error: &serde_json::Error) -> Outcome {
    let detail = format!("the answer is not of this protocol ({error}): is this the control plane of Isinglass?");
    Outcome::Unreachable { detail, retry_after_ms: 0 }
}

/// What others write is shown without control characters and not for ever.
fn shortened(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(DETAIL_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after_ms: 0, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_code_decides_and_without_one_the_status() {
        for (status, body, expected) in [
            (403, r#"{"code":"revoked","detail":"x"}"#, Some(Code::Revoked)),
            (404, r#"{"code":"lease-lost"}"#, Some(Code::LeaseLost)),
            (401, "", Some(Code::Unauthenticated)),
            (413, "<html>", Some(Code::TooLarge)),
            (503, "", Some(Code::Busy)),
            (400, "{}", Some(Code::Other)),
            (500, r#"{"code":"green"}"#, None),
            (502, "<html>", None),
            (407, "", None),
            (302, "", None),
        ] {
            let code = match refusal(&answer(status, body)) {
                Outcome::Refused { code, .. } => Some(code),
                Outcome::Unreachable { .. } => None,
                other @ (Outcome::Answered(_) | Outcome::TokenRefused { .. } | Outcome::Unreadable { .. }) => panic!("{other:?}"),
            };
            assert_eq!(code, expected, "{status} {body}");
        }
    }

    #[test]
    fn a_refused_sign_in_tells_the_time_of_the_control_plane() {
        let body = r#"{"error":"invalid_client","error_description":"time","server_time":17}"#;
        assert!(matches!(token_refusal(&answer(400, body)), Outcome::TokenRefused { server_seconds: Some(17), .. }));
        assert!(matches!(token_refusal(&answer(403, r#"{"code":"revoked"}"#)), Outcome::Refused { code: Code::Revoked, .. }));
        assert!(matches!(token_refusal(&answer(502, "")), Outcome::Unreachable { .. }));
    }
}
