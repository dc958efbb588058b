//! Signature Version 4 as the service checks it (AWS General Reference, "Signing AWS API requests"), so that a client that
//! signs wrongly fails here as it would in production.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{PoisonError, RwLock};

use aws_lc_rs::{digest, hmac};
use http::HeaderMap;
use http::request::Parts;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SIGNING_KEYS_MAX: usize = 256;

/// What an `Authorization` header claims, before anything is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim<'r> {
    pub(crate) access_key: &'r str,
    pub(crate) day: &'r str,
    pub(crate) region: &'r str,
    pub(crate) service: &'r str,
    signed_headers: &'r str,
    signature: &'r str,
}

impl<'r> Claim<'r> {
    pub(crate) fn parse(header: &'r str) -> Option<Self> {
        let mut credential = None;
        let mut signed_headers = None;
        let mut signature = None;
        for part in header.strip_prefix(ALGORITHM)?.split(',') {
            match part.trim().split_once('=')? {
                ("Credential", value) => credential = Some(value),
                ("SignedHeaders", value) => signed_headers = Some(value),
                ("Signature", value) => signature = Some(value),
                _ => return None,
            }
        }
        let mut scope = credential?.split('/');
        let claim = Self {
            access_key: scope.next()?,
            day: scope.next()?,
            region: scope.next()?,
            service: scope.next()?,
            signed_headers: signed_headers?,
            signature: signature?,
        };
        (scope.next() == Some("aws4_request") && scope.next().is_none()).then_some(claim)
    }

    pub(crate) fn signs(&self, header: &str) -> bool {
        self.signed_headers.split(';').any(|name| name == header)
    }
}

/// Checks signatures; keeps derived signing keys, which stay the same for a day.
#[derive(Debug, Default)]
pub(crate) struct Verifier {
    signing_keys: RwLock<HashMap<String, hmac::Key>>,
}

impl Verifier {
    /// Whether `claim` signs exactly this request with `secret`. `amz_date` is the request's `x-amz-date`.
    pub(crate) fn holds(&self, parts: &Parts, body: &[u8], claim: &Claim<'_>, secret: &str, amz_date: &str) -> bool {
        let body_hash = hex(digest::digest(&digest::SHA256, body).as_ref());
        if header(&parts.headers, "x-amz-content-sha256").is_some_and(|declared| declared != body_hash) {
            return false;
        }
        let Some(canonical) = canonical_request(parts, claim, &body_hash) else { return false };
        let canonical_hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let Claim { day, region, service, .. } = claim;
        let text = format!("{ALGORITHM}\n{amz_date}\n{day}/{region}/{service}/aws4_request\n{canonical_hash}");
        let Some(signature) = unhex(claim.signature) else { return false };
        hmac::verify(&self.signing_key(claim, secret), text.as_bytes(), &signature).is_ok()
    }

    fn signing_key(&self, claim: &Claim<'_>, secret: &str) -> hmac::Key {
        // The secret is part of the name: a test that rotates it must not meet the old key.
        let name = [claim.access_key, claim.day, claim.region, claim.service, secret].join("/");
        if let Some(key) = self.signing_keys.read().unwrap_or_else(PoisonError::into_inner).get(&name) {
            return key.clone();
        }
        let key = derive(claim, secret);
        let mut keys = self.signing_keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= SIGNING_KEYS_MAX {
            keys.clear();
        }
        keys.insert(name, key.clone());
        key
    }
}

fn derive(claim: &Claim<'_>, secret: &str) -> hmac::Key {
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    for part in [claim.day, claim.region, claim.service, "aws4_request"] {
        let tag = hmac::sign(&key, part.as_bytes());
        key = hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref());
    }
    key
}

fn canonical_request(parts: &Parts, claim: &Claim<'_>, body_hash: &str) -> Option<String> {
    let mut text = String::with_capacity(512);
    let method = parts.method.as_str();
    let path = canonical_path(parts.uri.path());
    let query = canonical_query(parts.uri.query().unwrap_or_default());
    writeln!(text, "{method}\n{path}\n{query}").ok()?;
    for name in claim.signed_headers.split(';') {
        let value = canonical_header(&parts.headers, name)?;
        writeln!(text, "{name}:{value}").ok()?;
    }
    write!(text, "\n{}\n{body_hash}", claim.signed_headers).ok()?;
    Some(text)
}

fn canonical_header(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut joined = String::new();
    for value in headers.get_all(name) {
        if !joined.is_empty() {
            joined.push(',');
        }
        let words: Vec<&str> = value.to_str().ok()?.split(' ').filter(|word| !word.is_empty()).collect();
        joined.push_str(&words.join(" "));
    }
    headers.contains_key(name).then_some(joined)
}

// Every service but S3 signs the path encoded once more than it is sent.
fn canonical_path(path: &str) -> String {
    path.split('/').map(|segment| percent_encode(segment.as_bytes())).collect::<Vec<_>>().join("/")
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            format!("{}={}", percent_encode(&percent_decode(name)), percent_encode(&percent_decode(value)))
        })
        .collect();
    pairs.sort_unstable();
    pairs.join("&")
}

pub(crate) fn percent_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

fn percent_encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push('%');
            out.push(char::from(HEX_UPPER[usize::from(byte >> 4)]));
            out.push(char::from(HEX_UPPER[usize::from(byte & 15)]));
        }
    }
    out
}

const HEX_UPPER: &[u8; 16] = b"0123456789ABCDEF";
const HEX_LOWER: &[u8; 16] = b"0123456789abcdef";

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(HEX_LOWER[usize::from(byte >> 4)]));
        out.push(char::from(HEX_LOWER[usize::from(byte & 15)]));
    }
    out
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

pub(crate) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claim_needs_every_part_of_the_scope() {
        let good =
            "AWS4-HMAC-SHA256 Credential=AK/20240101/eu-west-1/glue/aws4_request, SignedHeaders=host;x-amz-date, Signature=00";
        let claim = Claim::parse(good).expect("well formed");
        assert_eq!((claim.access_key, claim.region, claim.service), ("AK", "eu-west-1", "glue"));
        assert!(claim.signs("host") && !claim.signs("date"));
        for bad in [good.replace("/aws4_request", ""), good.replace("Signature=00", ""), good.replace("HMAC", "XMAC")] {
            assert_eq!(Claim::parse(&bad), None, "{bad}");
        }
    }

    // Signature of AWS's published example (General Reference, "GET ListUsers" of IAM, 2015-08-30).
    #[test]
    fn published_example_verifies_and_any_change_does_not() {
        let (parts, ()) = http::Request::builder()
            .uri("/?Action=ListUsers&Version=2010-05-08")
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .header("host", "iam.amazonaws.com")
            .header("x-amz-date", "20150830T123600Z")
            .body(())
            .expect("request")
            .into_parts();
        let authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
            SignedHeaders=content-type;host;x-amz-date, \
            Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        let claim = Claim::parse(authorization).expect("claim");
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let verifier = Verifier::default();
        assert!(verifier.holds(&parts, b"", &claim, secret, "20150830T123600Z"));
        assert!(!verifier.holds(&parts, b"x", &claim, secret, "20150830T123600Z"));
        assert!(!verifier.holds(&parts, b"", &claim, "another", "20150830T123600Z"));
    }
}
