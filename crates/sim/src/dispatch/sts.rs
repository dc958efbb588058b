//! STS's way through a request.

use super::{Asked, delivered, modelled_error};
use crate::auth::{AuthFailure, Service, authenticate};
use crate::faults::{FaultKind, FaultedCall, Fired};
use crate::log::Call;
use crate::payload::{Answer, XML};
use crate::sts::{Form, StsCall, StsError};
use crate::world::World;

pub(super) fn answer(world: &World, asked: Asked<'_>) -> Answer {
    let Asked { parts, body, request_id } = asked;
    let form = Form::parse(body);
    let operation = form.get("Action").unwrap_or("(none)").to_owned();
    let call = Call { operation: format!("sts:{operation}"), parameters: form.summary() };
    world.requests().called(call.clone());

    let faulted = FaultedCall { operation: &operation, ..FaultedCall::default() };
    let mut fired = Fired::new();
    let outcome = authenticate(world, Service::Sts, parts, body).map_err(|failure| auth_error(&failure)).and_then(|caller| {
        fired = world.fire(&faulted);
        outcome(world, &call, &StsCall { caller: &caller, form: &form, fired: &fired, request_id, now_ms: world.clock.now_ms() })
    });
    let answer = match outcome {
        Ok(body) => Answer::new(200, XML, body),
        Err(error) => {
            world.requests().failed(&call.operation, &error.code);
            Answer::new(error.status, XML, error.body(request_id))
        }
    };
    delivered(answer, &fired)
}

fn outcome(world: &World, call: &Call, asked: &StsCall<'_>) -> Result<Vec<u8>, StsError> {
    if let Some(error) = asked.fired.iter().find_map(fault) {
        return Err(error);
    }
    match call.operation.as_str() {
        "sts:GetCallerIdentity" => Ok(asked.caller_identity(&world.account())),
        "sts:AssumeRole" => asked.assume_role(&mut world.account_mut()),
        operation => {
            world.requests().refused(call.clone());
            Err(StsError::new("InvalidAction", 400, format!("Could not find operation {operation} for version 2011-06-15")))
        }
    }
}

// STS words the same failures in its own codes.
fn fault(kind: &FaultKind) -> Option<StsError> {
    if matches!(kind, FaultKind::DeniedByIam | FaultKind::DeniedByLakeFormation) {
        return Some(StsError::new("AccessDenied", 403, "User is not authorized to perform this operation"));
    }
    let error = modelled_error(kind)?;
    let code = match error.code.as_ref() {
        "ThrottlingException" => "Throttling",
        "InternalServiceException" => "InternalFailure",
        "ExpiredTokenException" => "ExpiredToken",
        other => other,
    };
    Some(StsError::new(code, error.status, error.message))
}

fn auth_error(failure: &AuthFailure) -> StsError {
    let code = match failure {
        AuthFailure::NotSigned => "MissingAuthenticationToken",
        AuthFailure::Incomplete => "IncompleteSignature",
        AuthFailure::UnknownKey => "InvalidClientTokenId",
        AuthFailure::BadSignature(_) => "SignatureDoesNotMatch",
        AuthFailure::Expired => "ExpiredToken",
    };
    StsError::new(code, 403, failure.message())
}
