//! The secret scanner: finds what looks like a credential in free text and replaces it.
//!
//! It errs on the side of replacing. Nearly all comments hold nothing suspicious, so one cheap pass decides whether the
//! patterns need to look at all.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands in place of a secret.
const STARS: &str = "***";

/// Key-like characters without a break that no word of a description reaches.
const RUN_LENGTH_MIN: usize = 16;

/// Patterns of named secrets. Each keeps its group `keep` and replaces the rest.
const NAMED_PATTERNS: &[&str] = &[
    // A private key or certificate block, also when it is cut off.
    r"(?s)-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\z)",
    // User info in a URL.
    r"(?P<keep>[a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/@:]*:[^\s/@]*@",
    // A named secret: password=…, "api_key": "…", Token: …
    r#"(?i)(?P<keep>[a-z0-9_.-]{0,40}(?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|auth[_-]?key|account[_-]?key|signature|sig|connection[_-]?string|dsn)[a-z0-9_.-]{0,40}["']?\s*(?:=>|[=:]|\bis\b)\s*)(?:"[^"]*"?|'[^']*'?|[^\s,;]+)"#,
    // Authorization headers.
    r"(?i)(?P<keep>\b(?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{8,}",
];

/// How tokens of well-known makers begin.
const TOKEN_BEGINNINGS: &[&str] = &[
    "AKIA",
    "ASIA",
    "AROA",
    "AIDA",
    "ABIA",
    "ACCA",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xoxr-",
    "xoxs-",
    "sk-",
    "sk_",
    "pk_live_",
    "rk_live_",
    "AIza",
    "ya29.",
    "npm_",
    "pypi-",
    "hvs.",
    "dop_v1_",
    "shpat_",
    "SG.",
    "eyJ",
];

/// Words beside which a value is a secret.
const SECRET_WORDS: &[&str] =
    &["pass", "pwd", "secret", "token", "key", "credential", "sig", "connection", "dsn", "bearer", "basic", "begin"];

static NAMED: LazyLock<Vec<Regex>> =
    LazyLock::new(|| NAMED_PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect());

/// The text with what looks like a secret replaced by `***`, and how many replacements there were.
pub(crate) fn scrub(text: &str) -> (Cow<'_, str>, u64) {
    let signs = Signs::of(text);
    let mut count = 0;
    let mut clean = Cow::Borrowed(text);
    if signs.has_at_sign || signs.has_secret_word {
        for pattern in NAMED.iter().filter(|pattern| pattern.is_match(text)) {
            let replaced = pattern.replace_all(&clean, |found: &Captures<'_>| {
                count += 1;
                format!("{}{STARS}", found.name("keep").map_or("", |keep| keep.as_str()))
            });
            if let Cow::Owned(replaced) = replaced {
                clean = Cow::Owned(replaced);
            }
        }
    }
    if signs.has_long_run
        && let Some(replaced) = replace_keys(&clean, &mut count)
    {
        clean = Cow::Owned(replaced);
    }
    (clean, count)
}

/// What one cheap pass over a text shows: nearly all comments have none of it.
struct Signs {
    has_at_sign: bool,
    has_long_run: bool,
    has_secret_word: bool,
}

impl Signs {
    fn of(text: &str) -> Self {
        let mut signs = Self { has_at_sign: false, has_long_run: false, has_secret_word: false };
        let bytes = text.as_bytes();
        let mut run = 0_usize;
        for (at, &byte) in bytes.iter().enumerate() {
            let class = BYTE_CLASSES[usize::from(byte)];
            run = if class & KEY == 0 { 0 } else { run + 1 };
            signs.has_long_run |= run >= RUN_LENGTH_MIN;
            if class & (SIGN | BEGINNING) != 0 {
                signs.has_at_sign |= class & SIGN != 0;
                signs.has_secret_word = signs.has_secret_word || begins_secret_word(&bytes[at..]);
            }
        }
        signs
    }
}

/// A byte that keys are made of.
const KEY: u8 = 1;
/// The at sign.
const SIGN: u8 = 2;
/// A letter that one of [`SECRET_WORDS`] begins with.
const BEGINNING: u8 = 4;

/// What each byte can be part of.
static BYTE_CLASSES: [u8; 256] = byte_classes();

const fn byte_classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    loop {
        let key = if is_key_byte(byte) { KEY } else { 0 };
        let sign = if byte == b'@' { SIGN } else { 0 };
        let beginning = if matches!(byte | 0x20, b'p' | b's' | b't' | b'k' | b'c' | b'd' | b'b') { BEGINNING } else { 0 };
        classes[byte as usize] = key | sign | beginning;
        if byte == u8::MAX {
            return classes;
        }
        byte += 1;
    }
}

/// Whether one of [`SECRET_WORDS`] stands at the beginning, case aside. Two letters rule nearly every place out.
fn begins_secret_word(text: &[u8]) -> bool {
    let [first, second, ..] = text else { return false };
    let can_begin = matches!(
        (first | 0x20, second | 0x20),
        (b'p', b'a' | b'w')
            | (b's', b'e' | b'i')
            | (b't', b'o')
            | (b'k', b'e')
            | (b'c', b'r' | b'o')
            | (b'd', b's')
            | (b'b', b'e' | b'a')
    );
    can_begin
        && SECRET_WORDS.iter().any(|word| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes())))
}

const fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'=' | b'-' | b'.')
}

/// Replaces runs of key-like characters that look random or begin as the tokens of well-known makers do.
fn replace_keys(text: &str, count: &mut u64) -> Option<String> {
    let mut clean = String::new();
    let mut copied_to = 0;
    let mut at = 0;
    while at < text.len() {
        let length = text.as_bytes()[at..].iter().position(|byte| !is_key_byte(*byte)).unwrap_or(text.len() - at);
        let run = &text[at..at + length];
        if length >= RUN_LENGTH_MIN && (is_random(run) || TOKEN_BEGINNINGS.iter().any(|beginning| begins_token(run, beginning))) {
            clean.push_str(&text[copied_to..at]);
            clean.push_str(STARS);
            copied_to = at + length;
            *count += 1;
        }
        at += length;
        at += text[at..].chars().next().map_or(0, char::len_utf8);
    }
    (copied_to > 0).then(|| {
        clean.push_str(&text[copied_to..]);
        clean
    })
}

/// Whether a run is a beginning and then a token without the separators of words.
fn begins_token(run: &str, beginning: &str) -> bool {
    run.find(beginning).is_some_and(|at| {
        let is_start = at == 0 || matches!(run.as_bytes()[at - 1], b'=' | b'/' | b'.' | b'-');
        let token = &run[at + beginning.len()..];
        is_start && token.len() >= 12 && token.bytes().take(12).all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// How long the secret access keys of AWS are.
const AWS_SECRET_LENGTH: usize = 40;

/// The shortest part between separators that is judged by its mix of characters.
const RANDOM_PART_LENGTH_MIN: usize = 20;

/// Whether a run of characters looks made by a random source: digits and letters of both cases mixed, or long hex. Snake-case
/// names and paths are made of words and are left alone.
fn is_random(run: &str) -> bool {
    let longest = run.split(['_', '-', '/', '.']).max_by_key(|part| part.len()).unwrap_or_default();
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
    let mixed = core.len() >= RANDOM_PART_LENGTH_MIN && digits >= 2 && upper >= 2 && lower >= 2;
    let mixed_whole = run.len() >= 32 && !run.contains('_') && whole_digits >= 4 && whole_upper >= 6 && whole_lower >= 6;
    let is_aws_secret =
        run.len() == AWS_SECRET_LENGTH && !run.contains('_') && whole_digits >= 1 && whole_upper >= 6 && whole_lower >= 6;
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
    fn every_secret_word_is_found_by_its_first_two_letters() {
        for word in SECRET_WORDS {
            assert!(begins_secret_word(word.to_uppercase().as_bytes()), "{word}");
            assert!(Signs::of(&format!("x {word}")).has_secret_word, "{word}");
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
