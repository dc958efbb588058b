//! From a request's bytes to its answer: which service is asked, and what befalls the answer on its way.
//!
//! Each service has a module here that records, authenticates, refuses, authorises, fails on demand and answers.

mod datazone;
mod glue;
mod sts;

use http::request::Parts;

use crate::auth::AuthFailure;
use crate::faults::{FaultKind, Fired};
use crate::glue::GlueError;
use crate::payload::{Answer, Delivery, HTML};
use crate::sigv4::header;
use crate::world::World;

const GLUE_TARGET_PREFIX: &str = "AWSGlue.";
const HTML_ERROR: &str = "<!doctype html><title>500 Internal Server Error</title><h1>Internal Server Error</h1>";

/// One request as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'r> {
    pub(crate) parts: &'r Parts,
    pub(crate) body: &'r [u8],
    pub(crate) request_id: &'r str,
}

/// AWS JSON is known by its target, REST by its paths, the query protocol of STS by having neither.
pub(crate) fn answer(world: &World, asked: Asked<'_>) -> Answer {
    let target = header(&asked.parts.headers, "x-amz-target").unwrap_or_default();
    let mut answer = match target.strip_prefix(GLUE_TARGET_PREFIX) {
        Some(operation) => glue::answer(world, operation, asked),
        None if datazone::is_path(asked.parts.uri.path()) => datazone::answer(world, asked),
        None => sts::answer(world, asked),
    };
    answer.delay_ms += world.latency_ms();
    answer
}

// The errors that read the same whatever the operation; faults of paging and delivery are dealt with where those are.
fn modelled_error(kind: &FaultKind) -> Option<GlueError> {
    match kind {
        FaultKind::Throttle => Some(GlueError::throttled()),
        FaultKind::Internal => Some(GlueError::internal()),
        FaultKind::ExpiredToken => Some(glue::auth_error(&AuthFailure::Expired)),
        FaultKind::Error { code, status, message } => Some(GlueError::with(code, *status, message)),
        FaultKind::DeniedByIam
        | FaultKind::DeniedByLakeFormation
        | FaultKind::DeniedByDataZone
        | FaultKind::RateLimit { .. }
        | FaultKind::Slow { .. }
        | FaultKind::TruncatedBody
        | FaultKind::MalformedJson
        | FaultKind::HtmlError
        | FaultKind::ConnectionReset
        | FaultKind::DropTableAfterFirstPage { .. }
        | FaultKind::DropAssetAfterFirstPage { .. }
        | FaultKind::RepeatedItem
        | FaultKind::SkippedItem
        | FaultKind::DatabaseVanishes
        | FaultKind::RepeatToken
        | FaultKind::EmptyPage
        | FaultKind::ShortPage { .. }
        | FaultKind::PackedPolicyTooLarge => None,
    }
}

fn delivered(mut answer: Answer, fired: &Fired) -> Answer {
    for kind in fired {
        if let FaultKind::Slow { delay_ms } = kind {
            answer.delay_ms += delay_ms;
        }
        match kind {
            FaultKind::TruncatedBody => answer.delivery = Delivery::Truncated,
            FaultKind::ConnectionReset => answer.delivery = Delivery::Reset,
            FaultKind::MalformedJson => answer.body = b"{\"TableList\": [{\"Name\": \"cut o".to_vec(),
            FaultKind::HtmlError => {
                let delay_ms = answer.delay_ms;
                answer = Answer { delay_ms, ..Answer::new(500, HTML, HTML_ERROR.as_bytes().to_vec()) };
            }
            FaultKind::Slow { .. }
            | FaultKind::Throttle
            | FaultKind::RateLimit { .. }
            | FaultKind::Internal
            | FaultKind::DeniedByIam
            | FaultKind::DeniedByLakeFormation
            | FaultKind::DeniedByDataZone
            | FaultKind::ExpiredToken
            | FaultKind::Error { .. }
            | FaultKind::DropTableAfterFirstPage { .. }
            | FaultKind::DropAssetAfterFirstPage { .. }
            | FaultKind::RepeatedItem
            | FaultKind::SkippedItem
            | FaultKind::DatabaseVanishes
            | FaultKind::RepeatToken
            | FaultKind::EmptyPage
            | FaultKind::ShortPage { .. }
            | FaultKind::PackedPolicyTooLarge => {}
        }
    }
    answer
}
