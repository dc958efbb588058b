//! The secret scanner: finds what looks like a credential in free text and replaces it.
//!
//! It errs on the side of replacing. Nearly all comments hold nothing suspicious, so one cheap pass decides whether the
//! patterns need to look at all.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands in place of a secret.
const STARS: &str = "***";

/// Letters and digits without a break that no word of a description reaches.
const SUSPICIOUS_RUN_LENGTH: usize = 20;

/// The shortest token that a pattern below knows without a word or sign beside it.
const TOKEN_LENGTH_MIN: usize = 16;

/// How long the secret access keys of AWS are.
const AWS_SECRET_LENGTH: usize = 40;

/// Each pattern keeps its group `keep` and replaces the rest.
const PATTERNS: &[&str] = &[
    // A private key or certificate block, also when it is cut off.
    r"(?s)-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\z)",
    // User info in a URL.
    r"(?P<keep>[a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/@:]*:[^\s/@]*@",
    // A named secret: password=…, "api_key": "…", Token: …
    r#"(?i)(?P<keep>\b[\w.-]{0,40}(?:passw(?:or)?d|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|auth[_-]?key|account[_-]?key|signature|sig|connection[_-]?string|dsn)[\w.-]{0,40}["']?\s*(?::=|=>|[=:]|\bis\b)\s*)(?:"[^"]*"?|'[^']*'?|[^\s,;]+)"#,
    // Authorization headers.
    r"(?i)(?P<keep>\b(?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{8,}",
    // AWS access key ids, and tokens with well-known beginnings.
    r"\b(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{12,}\b",
    r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk[-_]|pk_live_|rk_live_|AIza|ya29\.|npm_|pypi-|hvs\.|dop_v1_|shpat_|SG\.)[A-Za-z0-9_.-]{10,}",
    // JSON web tokens.
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?",
];

/// Runs of key-like characters, judged by [`is_random`].
const RUN: &str = r"[A-Za-z0-9+/_=-]{20,}";

static NAMED: LazyLock<Vec<Regex>> = LazyLock::new(|| PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect());
static RUNS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(RUN).ok());

/// The text with what looks like a secret replaced by `***`, and how many replacements there were.
pub(crate) fn scrub(text: &str) -> (Cow<'_, str>, u64) {
    if !is_suspicious(text) {
        return (Cow::Borrowed(text), 0);
    }
    let mut count = 0;
    let mut clean = Cow::Borrowed(text);
    for pattern in NAMED.iter() {
        let replaced = pattern.replace_all(&clean, |found: &Captures<'_>| {
            count += 1;
            format!("{}{STARS}", found.name("keep").map_or("", |keep| keep.as_str()))
        });
        if let Cow::Owned(replaced) = replaced {
            clean = Cow::Owned(replaced);
        }
    }
    if let Some(runs) = RUNS.as_ref() {
        let replaced = runs.replace_all(&clean, |found: &Captures<'_>| {
            if is_random(&found[0]) {
                count += 1;
                STARS.to_owned()
            } else {
                found[0].to_owned()
            }
        });
        if let Cow::Owned(replaced) = replaced {
            clean = Cow::Owned(replaced);
        }
    }
    (clean, count)
}

/// Whether any pattern can match: a separator that named secrets need, or a long run of key-like characters.
fn is_suspicious(text: &str) -> bool {
    let mut run = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'=' | b':' | b'@' => return true,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'/' | b'_' | b'-' | b'.' => {
                run += 1;
                if run >= TOKEN_LENGTH_MIN {
                    return true;
                }
            }
            _ => run = 0,
        }
    }
    contains_word_is(text)
}

/// `the password is hunter2`: the one named form without a separator sign.
fn contains_word_is(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains(" is ") && ["passw", "pwd", "secret", "token", "key"].iter().any(|word| lower.contains(word))
        || lower.contains("bearer ")
        || lower.contains("basic ")
}

/// Whether a run of characters looks made by a random source: digits and letters of both cases mixed, or long hex. Snake-case
/// names and paths are made of words and are left alone.
fn is_random(run: &str) -> bool {
    let longest = run.split(['_', '-', '/']).max_by_key(|part| part.len()).unwrap_or_default();
    let core = longest.trim_end_matches('=');
    let digits = core.bytes().filter(u8::is_ascii_digit).count();
    let upper = core.bytes().filter(u8::is_ascii_uppercase).count();
    let lower = core.bytes().filter(u8::is_ascii_lowercase).count();
    let is_hex = core.bytes().all(|byte| byte.is_ascii_hexdigit());
    if core.len() >= 32 && is_hex && digits >= 4 && upper + lower >= 2 {
        return true;
    }
    // A base64-like secret keeps its character when `/` and `+` cut it into parts.
    let whole_digits = run.bytes().filter(u8::is_ascii_digit).count();
    let whole_upper = run.bytes().filter(u8::is_ascii_uppercase).count();
    let whole_lower = run.bytes().filter(u8::is_ascii_lowercase).count();
    let mixed = core.len() >= SUSPICIOUS_RUN_LENGTH && digits >= 2 && upper >= 2 && lower >= 2;
    let mixed_whole = run.len() >= 32 && !run.contains('_') && whole_digits >= 4 && whole_upper >= 6 && whole_lower >= 6;
    let is_aws_secret = run.len() == AWS_SECRET_LENGTH && !run.contains('_') && whole_digits >= 1 && whole_upper >= 6 && whole_lower >= 6;
    mixed || mixed_whole || is_aws_secret
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_secrets_are_replaced_wherever_they_stand() {
        for (text, secret) in [
            ("connect with password=hunter2 please", "hunter2"),
            ("the password is hunter2", "hunter2"),
            ("db_password: 'p w d'", "p w d"),
            ("{\"apiKey\": \"abc123\"}", "abc123"),
            ("jdbc:postgresql://bob:s3cr3t@db/x", "s3cr3t"),
            ("key AKIAIOSFODNN7EXAMPLE in use", "AKIAIOSFODNN7EXAMPLE"),
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
            ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
            ("bearer abcdef0123456789", "abcdef0123456789"),
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "eyJhbGci"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
            ("-----BEGIN PRIVATE KEY----- MIIEowcut", "MIIEowcut"),
            ("token ghp_abcdefghijklmnopqrstuvwxyz", "ghp_abc"),
            ("hash 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "9f86d081"),
            ("AccountKey=abc==;EndpointSuffix=x", "abc=="),
        ] {
            let (clean, count) = scrub(text);
            assert!(!clean.contains(secret) && count > 0, "{text} -> {clean}");
        }
    }

    #[test]
    fn ordinary_descriptions_stay_as_they_are() {
        for text in [
            "Unique identifier of the order",
            "Joined from sales.orders and web_analytics_page_views_daily_aggregated_v2",
            "Owner: data-platform team; refreshed daily at 04:00 UTC",
            "s3://company-data-lake-prod/raw/orders/year=*/",
            "Ratio of returns: returns / orders. Tokens are counted per prompt",
            "See https://wiki.example.com/display/DATA/Orders+table",
            "Schlüssel für Bestellungen — 注文の識別子",
        ] {
            assert_eq!(scrub(text), (Cow::Borrowed(text), 0));
        }
    }
}
