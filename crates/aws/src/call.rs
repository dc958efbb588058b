//! One call from its request to its answer: gate, permit, signature, exchange, classification, and what follows from a failure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bytes::Bytes;
use connector::port::{ApiError, ErrorKind, ReadOperation, Service};
use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use crate::classify::{Remedy, classify};
use crate::clock::{Clock, Random};
use crate::credentials::IdentitySource;
use crate::credentials::cache::{Held, Need};
use crate::endpoint::region::Region;
use crate::endpoint::{AwsService, Target};
use crate::evidence::Evidence;
use crate::gate;
use crate::limiter::{Limiter, Outcome};
use crate::network::fault::{FaultKind, NetworkFault};
use crate::retry::{Attempts, Decision, RetryClass};
use crate::sign::Outgoing;
use crate::wire::{Answer, Wire};

/// A difference between the clocks that no signature minds (AWS allows five minutes).
const SKEW_SECONDS_MIN: u64 = 30;

/// Makes calls, signed with whatever credentials it is given.
#[derive(Debug)]
pub(crate) struct Calls {
    pub(crate) wire: Wire,
    pub(crate) limiter: Limiter,
    pub(crate) targets: BTreeMap<AwsService, Target>,
    pub(crate) region: Region,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) evidence: Evidence,
    /// How far the services' clocks are ahead of this machine's, in seconds; zero until a service complains.
    pub(crate) skew_seconds: AtomicI64,
    /// Whether STS has answered: then the credentials are not what is wrong.
    pub(crate) has_signed_in: AtomicBool,
}

/// An attempt that failed.
struct Failure {
    kind: ErrorKind,
    retry: RetryClass,
    remedy: Remedy,
    code: Option<String>,
    message: String,
    suggested_action: String,
    retry_after: Option<Duration>,
    server_time: Option<SystemTime>,
    fault: Option<NetworkFault>,
}

/// What has been tried besides waiting; each once for a call.
#[derive(Default)]
struct Tried {
    renewal: bool,
    clock: bool,
}

impl Calls {
    /// Makes a call and returns the body of a successful answer.
    pub(crate) async fn call(&self, outgoing: &Outgoing, identities: &impl IdentitySource) -> Result<Bytes, ApiError> {
        let operation = outgoing.operation;
        let target = self.admit(outgoing)?;
        let mut attempts = Attempts::default();
        let mut tried = Tried::default();
        let mut held = identities.held(Need::Lasting, operation).await?;
        loop {
            let failure = match self.attempt(outgoing, target, &held).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            if let Some(other) = self.try_remedy(&failure, &mut tried, identities, &held, operation).await? {
                held = other;
                continue;
            }
            match attempts.next(failure.retry, failure.retry_after, self.random.next()) {
                Decision::GiveUp => return Err(self.give_up(operation, failure, attempts.made())),
                Decision::RetryAfter(wait) => {
                    tracing::debug!(%operation, attempt = attempts.made(), wait_ms = wait.as_millis(), reason = failure.message, "trying again");
                    tokio::time::sleep(wait).await;
                }
            }
            held = identities.held(Need::Lasting, operation).await?;
        }
    }

    /// The second wall: the request as it would be on the wire must be the read that is meant.
    fn admit(&self, outgoing: &Outgoing) -> Result<&Target, ApiError> {
        let service = AwsService::from(outgoing.operation.service());
        let target = self.targets.get(&service);
        let request = target.and_then(|target| outgoing.unsigned(target).ok());
        let (Some(target), Some(request)) = (target, request) else {
            return Err(self.refuse(outgoing.operation, format!("{} is no request", outgoing.operation)));
        };
        match gate::admit(&request, &outgoing.body, outgoing.operation) {
            Ok(()) => Ok(target),
            Err(refusal) => {
                self.evidence.refused(refusal.what.clone());
                Err(self.refuse(outgoing.operation, refusal.to_string()))
            }
        }
    }

    fn refuse(&self, operation: ReadOperation, message: String) -> ApiError {
        tracing::error!(%operation, message, "refused");
        ApiError {
            operation,
            kind: ErrorKind::Refused,
            code: None,
            message,
            suggested_action: "nothing was sent; report this, for no sound build asks for it".to_owned(),
            source: None,
        }
    }

    async fn attempt(&self, outgoing: &Outgoing, target: &Target, held: &Held) -> Result<Bytes, Box<Failure>> {
        let permit = self.limiter.permit(outgoing.operation).await;
        let result = self.exchange(outgoing, target, held).await;
        let outcome = match &result {
            Ok(_) => Outcome::Succeeded,
            Err(failure) if failure.kind == ErrorKind::Throttled => Outcome::Throttled,
            Err(_) => Outcome::Other,
        };
        self.limiter.finish(permit, outcome);
        result
    }

    async fn exchange(&self, outgoing: &Outgoing, target: &Target, held: &Held) -> Result<Bytes, Box<Failure>> {
        let operation = outgoing.operation;
        let request = outgoing.signed(target, self.region.name(), &held.identity, self.now()).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            Failure::of(ErrorKind::Credentials, format!("{error}: {cause}"), "check that keys and token were copied whole")
        })?;
        let Some(pool) = self.wire.pool(target.service) else {
            return Err(Failure::of(ErrorKind::Refused, format!("{operation} has no connections"), "report this"));
        };
        self.evidence.sent(operation);
        let answer = pool.exchange(request).await.map_err(|fault| {
            if fault.kind.is_before_sending() {
                self.evidence.unsent(operation);
            }
            Failure::network(fault)
        })?;
        let body = accept(operation.service(), answer)?;
        if operation.service() == Service::Sts {
            self.has_signed_in.store(true, Ordering::Relaxed);
        }
        Ok(body)
    }

    /// Does what may help besides waiting; other credentials or the same ones if the call should be made again at once.
    async fn try_remedy(
        &self,
        failure: &Failure,
        tried: &mut Tried,
        identities: &impl IdentitySource,
        held: &Arc<Held>,
        operation: ReadOperation,
    ) -> Result<Option<Arc<Held>>, ApiError> {
        match failure.remedy {
            Remedy::None => Ok(None),
            Remedy::CorrectClock => {
                let corrected = !tried.clock && self.correct_clock(failure.server_time);
                tried.clock = true;
                Ok(corrected.then(|| Arc::clone(held)))
            }
            Remedy::Renew => {
                if tried.renewal || !identities.is_renewable() {
                    return Ok(None);
                }
                tried.renewal = true;
                let other = identities.held(Need::NewerThan(held.generation), operation).await?;
                Ok((!other.is_same(held)).then_some(other))
            }
        }
    }

    /// Takes over the server's time if it differs from what was signed with.
    fn correct_clock(&self, server_time: Option<SystemTime>) -> bool {
        let Some(theirs) = server_time else { return false };
        let signed_with = self.now();
        let distance = theirs.duration_since(signed_with).or_else(|_| signed_with.duration_since(theirs)).unwrap_or_default();
        if distance.as_secs() < SKEW_SECONDS_MIN {
            return false;
        }
        let ours = self.clock.now();
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let skew = theirs.duration_since(ours).map_or_else(|behind| -seconds(behind.duration()), seconds);
        self.skew_seconds.store(skew, Ordering::Relaxed);
        tracing::warn!(skew_seconds = skew, "this machine's clock is wrong; signatures use the service's time");
        let message = format!("this machine's clock differs from AWS's by {skew} s; requests were signed with AWS's time");
        self.evidence.warn("clock", "clock-skew", message);
        true
    }

    /// The time to sign with.
    fn now(&self) -> SystemTime {
        let skew = self.skew_seconds.load(Ordering::Relaxed);
        let distance = Duration::from_secs(skew.unsigned_abs());
        let now = self.clock.now();
        let corrected = if skew < 0 { now.checked_sub(distance) } else { now.checked_add(distance) };
        corrected.unwrap_or(now)
    }

    fn give_up(&self, operation: ReadOperation, failure: Box<Failure>, attempts: u32) -> ApiError {
        let suggested_action = self.diagnose(operation, &failure);
        let message = if attempts > 1 { format!("{} (after {attempts} attempts)", failure.message) } else { failure.message };
        ApiError {
            operation,
            kind: failure.kind,
            code: failure.code,
            message,
            suggested_action,
            source: failure.fault.map(|fault| Box::new(fault) as Box<dyn std::error::Error + Send + Sync>),
        }
    }

    fn diagnose(&self, operation: ReadOperation, failure: &Failure) -> String {
        let action = &failure.suggested_action;
        match failure.fault.as_ref().map(|fault| fault.kind) {
            Some(FaultKind::ConnectTimeout | FaultKind::Connect)
                if operation.service() != Service::Sts && self.has_signed_in.load(Ordering::Relaxed) =>
            {
                format!(
                    "sign-in worked, so the credentials are right: look at the security group, subnet and route of the {} endpoint; {action}",
                    AwsService::from(operation.service()).title()
                )
            }
            Some(FaultKind::Resolve) => match self.region.doubt() {
                Some(close) => {
                    format!("{action}; this version does not know the region {} (close ones: {})", self.region, close.join(", "))
                }
                None => action.clone(),
            },
            _ => action.clone(),
        }
    }
}

/// The body of a success, or what the answer means.
fn accept(service: Service, answer: Answer) -> Result<Bytes, Box<Failure>> {
    if !answer.status.is_success() {
        let fault = classify(service, answer.status, &answer.headers, &answer.body);
        return Err(Box::new(Failure {
            kind: fault.kind,
            retry: fault.retry,
            remedy: fault.remedy,
            code: fault.code,
            message: fault.message,
            suggested_action: fault.suggested_action,
            retry_after: retry_after(&answer.headers),
            server_time: server_time(&answer.headers),
            fault: None,
        }));
    }
    let is_whole = match service {
        Service::Glue | Service::DataZone | Service::SecretsManager => is_json_object(&answer.body),
        Service::Sts => true,
    };
    if is_whole {
        return Ok(answer.body);
    }
    let mut failure = Failure::of(
        ErrorKind::Malformed,
        format!("the answer ({} bytes) is no whole JSON object", answer.body.len()),
        "look for a proxy or firewall on the way that answers in the service's place or cuts answers",
    );
    failure.retry = RetryClass::Malformed;
    Err(failure)
}

/// Whether a body begins and ends like a JSON object: enough to tell a cut or foreign answer, and nearly free.
fn is_json_object(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    body.len() >= 2 && body.first() == Some(&b'{') && body.last() == Some(&b'}')
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn server_time(headers: &HeaderMap) -> Option<SystemTime> {
    let text = headers.get(DATE)?.to_str().ok()?;
    SystemTime::try_from(DateTime::from_str(text, Format::HttpDate).ok()?).ok()
}

impl Failure {
    fn of(kind: ErrorKind, message: String, action: &str) -> Box<Self> {
        Box::new(Self {
            kind,
            retry: RetryClass::Never,
            remedy: Remedy::None,
            code: None,
            message,
            suggested_action: action.to_owned(),
            retry_after: None,
            server_time: None,
            fault: None,
        })
    }

    fn network(fault: NetworkFault) -> Box<Self> {
        let mut failure = Self::of(fault.kind.error_kind(), fault.message.clone(), &fault.suggested_action);
        failure.retry = fault.kind.retry_class();
        failure.fault = Some(fault);
        failure
    }
}
