//! Session policies: which actions temporary credentials may still use.
//!
//! Actions are matched as IAM matches them (`*`, `?`, no case); resources and conditions are not evaluated, because a
//! read-only crawler's session policy restricts what may be done, not where.

use serde::Deserialize;

/// A parsed inline session policy.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SessionPolicy {
    #[serde(rename = "Statement")]
    statements: OneOrMany<Statement>,
}

#[derive(Clone, Debug, Deserialize)]
struct Statement {
    #[serde(rename = "Effect")]
    effect: Effect,
    #[serde(rename = "Action")]
    actions: OneOrMany<String>,
    // Read so that a statement without a resource is refused as malformed, as IAM does.
    #[serde(rename = "Resource")]
    _resources: OneOrMany<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::One(item) => std::slice::from_ref(item),
            Self::Many(items) => items,
        }
    }
}

/// What a policy says about one action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    NotMentioned,
    ExplicitlyDenied,
}

impl SessionPolicy {
    /// Parses the JSON text, or says why it is not a policy.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub(crate) fn verdict(&self, action: &str) -> Verdict {
        let mut verdict = Verdict::NotMentioned;
        for statement in self.statements.as_slice() {
            if !statement.actions.as_slice().iter().any(|pattern| matches_pattern(pattern, action)) {
                continue;
            }
            match statement.effect {
                Effect::Deny => return Verdict::ExplicitlyDenied,
                Effect::Allow => verdict = Verdict::Allowed,
            }
        }
        verdict
    }
}

/// Whether `action` matches an IAM pattern (`glue:Get*`), ignoring case.
pub(crate) fn matches_pattern(pattern: &str, action: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase().into_bytes();
    let action = action.to_ascii_lowercase().into_bytes();
    let (mut at, mut seen) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while seen < action.len() {
        if at < pattern.len() && pattern[at] == b'*' {
            retry = Some((at + 1, seen));
            at += 1;
        } else if at < pattern.len() && (pattern[at] == b'?' || pattern[at] == action[seen]) {
            at += 1;
            seen += 1;
        } else if let Some((after_star, from)) = retry {
            retry = Some((after_star, from + 1));
            at = after_star;
            seen = from + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_iam_does() {
        for (pattern, action, expected) in [
            ("glue:Get*", "glue:GetTables", true),
            ("GLUE:gettables", "glue:GetTables", true),
            ("glue:GetTable", "glue:GetTables", false),
            ("glue:*Table?", "glue:GetTables", true),
            ("*", "sts:GetCallerIdentity", true),
            ("glue:Get*", "sts:GetCallerIdentity", false),
        ] {
            assert_eq!(matches_pattern(pattern, action), expected, "{pattern} {action}");
        }
    }

    #[test]
    fn deny_wins_and_silence_is_not_consent() {
        let policy = SessionPolicy::parse(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"glue:Get*","Resource":"*"},
               {"Effect":"Deny","Action":["glue:GetJob"],"Resource":"*"}]}"#,
        )
        .expect("policy");
        assert_eq!(policy.verdict("glue:GetTables"), Verdict::Allowed);
        assert_eq!(policy.verdict("glue:GetJob"), Verdict::ExplicitlyDenied);
        assert_eq!(policy.verdict("glue:ListWorkflows"), Verdict::NotMentioned);
        assert!(SessionPolicy::parse(r#"{"Statement":[{"Effect":"Allow","Action":"*"}]}"#).is_err());
    }
}
