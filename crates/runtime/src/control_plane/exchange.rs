//! The requests of the protocol with what they carry, and what their answers mean.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use model::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::assertion::{ASSERTION_TYPE, GRANT_TYPE};
use wire::{
    BATCH_MEDIA_TYPE, BatchAnswer, DIGEST_HEADER, Finish, Heartbeat, HeartbeatAnswer, LEASE_HEADER, LeaseAnswer, LeaseId,
    LeaseRequest, LogLines, PreflightReport, QuestionAnswer, QuestionRequest, Sequence, TaskId, TaskResult, TokenAnswer,
};

use super::refusal::{not_understood, refusal, token_refusal};
use super::{Answer, ControlPlane, Limits, USUAL};
use crate::outgoing::{Body, Method, Outgoing, Signed};
use crate::session::{Outcome, Reply};
use crate::spool::StoredBatch;

/// What an answer takes besides the time that the control plane may hold it back.
const LONG_POLL_MARGIN: Duration = Duration::from_secs(20);
/// A batch of some megabytes over a slow line.
const UPLOAD_TIME: Duration = Duration::from_secs(120);
/// Answers to questions hold assets.
const QUESTION_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A request with what it carries.
#[derive(Debug)]
pub(crate) enum Exchange {
    Token { assertion: String },
    Lease(LeaseRequest),
    Heartbeat(Heartbeat),
    Upload { lease: LeaseId, run: i64, sequence: Sequence, batch: StoredBatch },
    Question { run: i64, number: u64, request: QuestionRequest },
    Checks(PreflightReport),
    Logs(LogLines),
    Finish(Box<Finish>),
    Task { task: TaskId, result: Box<TaskResult> },
}

/// Which answer is understood.
#[derive(Clone, Copy, Debug)]
enum Expected {
    Token,
    Lease,
    Heartbeat,
    Stored,
    Answer,
    Nothing,
}

impl Exchange {
    /// Makes the request. A token that is got is kept in `token`, which the others carry.
    pub(crate) async fn perform(self, plane: &ControlPlane, token: &Mutex<Option<Secret>>) -> Outcome {
        let (limits, expected) = (self.limits(), self.expected());
        let carried = token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match plane.send(self.outgoing(), carried.as_ref(), limits).await {
            Ok(answer) if (200..300).contains(&answer.status) => understood(expected, &answer, token),
            Ok(answer) if matches!(expected, Expected::Token) => token_refusal(&answer),
            Ok(answer) => refusal(&answer),
            Err(error) => error.into(),
        }
    }

    const fn expected(&self) -> Expected {
        match self {
            Self::Token { .. } => Expected::Token,
            Self::Lease(_) => Expected::Lease,
            Self::Heartbeat(_) => Expected::Heartbeat,
            Self::Upload { .. } => Expected::Stored,
            Self::Question { .. } => Expected::Answer,
            Self::Checks(_) | Self::Logs(_) | Self::Finish(_) | Self::Task { .. } => Expected::Nothing,
        }
    }

    fn limits(&self) -> Limits {
        let held = |seconds: u64| Duration::from_secs(seconds) + LONG_POLL_MARGIN;
        match self {
            Self::Lease(request) => Limits { time: held(request.wait_seconds), ..USUAL },
            Self::Question { request, .. } => Limits { time: held(request.wait_seconds), bytes: QUESTION_BYTES_MAX },
            Self::Upload { .. } | Self::Finish(_) => Limits { time: UPLOAD_TIME, ..USUAL },
            Self::Token { .. } | Self::Heartbeat(_) | Self::Checks(_) | Self::Logs(_) | Self::Task { .. } => USUAL,
        }
    }

    fn outgoing(self) -> Outgoing {
        match self {
            Self::Token { assertion } => token_request(&assertion),
            Self::Lease(request) => json("/runtime/v1/lease".to_owned(), &request),
            Self::Heartbeat(request) => json("/runtime/v1/heartbeat".to_owned(), &request),
            Self::Upload { lease, run, sequence, batch } => batch_request(&lease, run, sequence, batch),
            Self::Question { run, number, request } => json(format!("/runtime/v1/questions/{run}/{number}"), &request),
            Self::Checks(report) => preflight_request(&report),
            Self::Logs(lines) => json("/runtime/v1/logs".to_owned(), &lines),
            Self::Finish(finish) => finish_request(&finish),
            Self::Task { task, result } => json(format!("/runtime/v1/tasks/{}", segment(&task.0)), &result),
        }
    }
}

/// A batch on its way.
pub(crate) fn batch_request(lease: &LeaseId, run: i64, sequence: Sequence, batch: StoredBatch) -> Outgoing {
    let StoredBatch { bytes, text, digest } = batch;
    Outgoing {
        method: Method::Put,
        path: format!("/runtime/v1/batches/{run}/{sequence}"),
        headers: vec![
            ("content-type", BATCH_MEDIA_TYPE.to_owned()),
            ("content-encoding", "zstd".to_owned()),
            (LEASE_HEADER, lease.0.clone()),
            (DIGEST_HEADER, digest.to_header()),
        ],
        signed: Signed::WithToken,
        body: Body::Compressed { sent: bytes, text: Bytes::from(text) },
    }
}

/// What was checked before a crawl.
pub(crate) fn preflight_request(report: &PreflightReport) -> Outgoing {
    json("/runtime/v1/preflight".to_owned(), report)
}

/// The end of a run.
pub(crate) fn finish_request(finish: &Finish) -> Outgoing {
    json("/runtime/v1/finish".to_owned(), finish)
}

/// The form of RFC 7523 section 2.2. What is in an assertion needs no escaping.
fn token_request(assertion: &str) -> Outgoing {
    let form = |assertion: &str| {
        let kind = segment(ASSERTION_TYPE);
        format!("grant_type={GRANT_TYPE}&client_assertion_type={kind}&client_assertion={assertion}")
    };
    Outgoing {
        method: Method::Post,
        path: "/runtime/v1/token".to_owned(),
        headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
        signed: Signed::Not,
        body: Body::Masked { sent: Bytes::from(form(assertion)), shown: form("***") },
    }
}

fn json<T: Serialize>(path: String, value: &T) -> Outgoing {
    let sent = Bytes::from(serde_json::to_vec(value).unwrap_or_default());
    let headers = vec![("content-type", "application/json".to_owned())];
    Outgoing { method: Method::Post, path, headers, signed: Signed::WithToken, body: Body::Plain(sent) }
}

fn segment(text: &str) -> String {
    let mut encoded = String::new();
    connector::port::push_percent_encoded(text, &mut encoded);
    encoded
}

fn understood(expected: Expected, answer: &Answer, token: &Mutex<Option<Secret>>) -> Outcome {
    let reply = match expected {
        Expected::Token => read::<TokenAnswer>(answer).map(|answer| {
            let lasts_ms = i64::try_from(answer.expires_in).unwrap_or(i64::MAX).saturating_mul(1000);
            *token.lock().unwrap_or_else(PoisonError::into_inner) = Some(Secret::new(answer.access_token));
            Reply::Token { lasts_ms }
        }),
        Expected::Lease if answer.body.is_empty() => Ok(Reply::Lease(Box::new(LeaseAnswer { work: None }))),
        Expected::Lease => read(answer).map(|answer| Reply::Lease(Box::new(answer))),
        Expected::Heartbeat => read(answer).map(|answer: HeartbeatAnswer| Reply::Heartbeat(answer.command)),
        Expected::Stored => read(answer).map(|answer: BatchAnswer| Reply::Stored(answer.stored)),
        Expected::Answer => read(answer).map(|answer: QuestionAnswer| Reply::Answer(answer.answer)),
        Expected::Nothing => Ok(Reply::Accepted),
    };
    match reply {
        Ok(reply) => Outcome::Answered(reply),
        Err(error) => not_understood(&error),
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, serde_json::Error> {
    serde_json::from_slice(&answer.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assertion_is_sent_and_not_shown() {
        let outgoing = Exchange::Token { assertion: "a.b.c".to_owned() }.outgoing();
        let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        let form = format!("grant_type=client_credentials&client_assertion_type={kind}&client_assertion=");
        let Body::Masked { sent, shown } = outgoing.body else { panic!("{outgoing:?}") };
        assert_eq!((sent, shown), (Bytes::from(format!("{form}a.b.c")), format!("{form}***")));
        assert_eq!(outgoing.signed, Signed::Not);
    }

    #[test]
    fn the_name_of_a_task_cannot_lead_elsewhere() {
        let result = Box::new(TaskResult { outcome: wire::TaskOutcome::Checks { checks: Vec::new() } });
        let outgoing = Exchange::Task { task: TaskId("../finish?".to_owned()), result }.outgoing();
        assert_eq!(outgoing.path, "/runtime/v1/tasks/..%2Ffinish%3F");
    }
}
