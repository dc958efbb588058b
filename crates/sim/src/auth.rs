//! Who is calling: the signature, its scope, its age, and whether the credentials still hold.

use std::sync::Arc;

use http::request::Parts;

use crate::clock::{amz_date, parse_amz_date};
use crate::identity::Identity;
use crate::sigv4::{Claim, header};
use crate::world::World;

const SKEW_SECONDS_MAX: i64 = 15 * 60;

/// The services that there are, by their signing names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Glue,
    DataZone,
    Sts,
}

impl Service {
    pub(crate) fn signing_name(self) -> &'static str {
        match self {
            Self::Glue => "glue",
            Self::DataZone => "datazone",
            Self::Sts => "sts",
        }
    }
}

/// Why a caller is turned away; each service words it differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AuthFailure {
    NotSigned,
    Incomplete,
    UnknownKey,
    BadSignature(String),
    Expired,
}

impl AuthFailure {
    pub(crate) fn message(&self) -> String {
        match self {
            Self::NotSigned => "Missing Authentication Token".to_owned(),
            Self::Incomplete => "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters, and a signed 'X-Amz-Date' header.".to_owned(),
            Self::UnknownKey => "The security token included in the request is invalid.".to_owned(),
            Self::BadSignature(message) => message.clone(),
            Self::Expired => "The security token included in the request is expired".to_owned(),
        }
    }
}

/// The identity that signed this request for `service`.
pub(crate) fn authenticate(world: &World, service: Service, parts: &Parts, body: &[u8]) -> Result<Arc<Identity>, AuthFailure> {
    let authorization = header(&parts.headers, "authorization").ok_or(AuthFailure::NotSigned)?;
    let claim = Claim::parse(authorization).ok_or(AuthFailure::Incomplete)?;
    let date = header(&parts.headers, "x-amz-date").ok_or(AuthFailure::Incomplete)?;
    if !claim.signs("host") || !claim.signs("x-amz-date") {
        return Err(AuthFailure::Incomplete);
    }
    let (region, identity) = {
        let account = world.account();
        (account.region.clone(), account.identities.find(claim.access_key))
    };
    check_scope(&claim, service, &region, date)?;
    let identity = identity.ok_or(AuthFailure::UnknownKey)?;
    if header(&parts.headers, "x-amz-security-token") != identity.keys.session_token.as_deref() {
        return Err(AuthFailure::UnknownKey);
    }
    if identity.is_session() && !claim.signs("x-amz-security-token") {
        return Err(AuthFailure::BadSignature("'X-Amz-Security-Token' must be a signed header.".to_owned()));
    }
    let now_ms = world.clock.now_ms();
    if identity.is_expired(now_ms) {
        return Err(AuthFailure::Expired);
    }
    check_age(date, now_ms / 1_000)?;
    if !world.verifier.holds(parts, body, &claim, &identity.keys.secret_access_key, date) {
        return Err(AuthFailure::BadSignature(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."
                .to_owned(),
        ));
    }
    Ok(identity)
}

fn check_scope(claim: &Claim<'_>, service: Service, region: &str, date: &str) -> Result<(), AuthFailure> {
    let name = service.signing_name();
    if claim.region != region {
        return Err(AuthFailure::BadSignature(format!("Credential should be scoped to a valid region, not '{}'.", claim.region)));
    }
    if claim.service != name {
        return Err(AuthFailure::BadSignature(format!("Credential should be scoped to correct service: '{name}'.")));
    }
    if !date.starts_with(claim.day) {
        return Err(AuthFailure::BadSignature(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP".to_owned(),
        ));
    }
    Ok(())
}

fn check_age(date: &str, now_seconds: i64) -> Result<(), AuthFailure> {
    let signed_seconds = parse_amz_date(date).ok_or(AuthFailure::Incomplete)?;
    let now = amz_date(now_seconds);
    if signed_seconds < now_seconds - SKEW_SECONDS_MAX {
        return Err(AuthFailure::BadSignature(format!(
            "Signature expired: {date} is now earlier than {} ({now} - 15 min.)",
            amz_date(now_seconds - SKEW_SECONDS_MAX)
        )));
    }
    if signed_seconds > now_seconds + SKEW_SECONDS_MAX {
        return Err(AuthFailure::BadSignature(format!(
            "Signature not yet current: {date} is still later than {} ({now} + 15 min.)",
            amz_date(now_seconds + SKEW_SECONDS_MAX)
        )));
    }
    Ok(())
}
