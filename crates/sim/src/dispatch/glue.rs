//! Glue's way through a request.

use super::{Asked, delivered, modelled_error};
use crate::auth::{AuthFailure, Service, authenticate};
use crate::faults::{FaultKind, FaultedCall, Fired, PageKind};
use crate::glue::{Context, GlueError, Handler, Input, OperationKind, kind_of};
use crate::identity::Identity;
use crate::log::Call;
use crate::payload::{Answer, JSON_1_1};
use crate::world::World;

pub(super) fn answer(world: &World, operation: &str, asked: Asked<'_>) -> Answer {
    let named = format!("glue:{operation}");
    let parsed = Input::parse(asked.body);
    let summary = parsed.as_ref().map(Input::summary).unwrap_or_default();
    let call = Call { operation: named.clone(), parameters: summary };
    world.requests().called(call.clone());

    let mut fired = Fired::new();
    let outcome = outcome(world, operation, (asked, parsed), (&call, &mut fired));
    let answer = match outcome {
        Ok(body) => Answer::new(200, JSON_1_1, body),
        Err(error) => {
            world.requests().failed(&named, &error.code);
            Answer::new(error.status, JSON_1_1, error.body())
        }
    };
    delivered(answer, &fired)
}

fn outcome(
    world: &World,
    operation: &str,
    (asked, parsed): (Asked<'_>, Result<Input, GlueError>),
    (call, fired): (&Call, &mut Fired),
) -> Result<Vec<u8>, GlueError> {
    let identity = authenticate(world, Service::Glue, asked.parts, asked.body).map_err(|failure| auth_error(&failure))?;
    let handler = permitted(world, operation, call, &identity)?;
    let input = parsed?;
    *fired = world.fire(&faulted(operation, &input));
    if let Some(error) = fault(world, fired, &faulted(operation, &input), &identity) {
        return Err(error);
    }
    if fired.contains(&FaultKind::DatabaseVanishes) {
        drop_database(world, &input);
    }
    let answered = {
        let account = world.account();
        handler(&Context { glue: &world.glue, account: &account, operation, input: &input, fired, now_ms: world.clock.now_ms() })?
    };
    for kind in fired.iter() {
        if let FaultKind::DropTableAfterFirstPage { table } = kind {
            drop_table(world, &input, table.as_deref());
        }
    }
    Ok(answered)
}

// The handler of a read that this identity may use; all else is refused, and what is no permitted read recorded as well.
fn permitted(world: &World, operation: &str, call: &Call, identity: &Identity) -> Result<Handler, GlueError> {
    let action = &call.operation;
    match kind_of(operation) {
        OperationKind::Read(handler) => {
            let denial = world.account().identities.denial(identity, action);
            denial.map_or(Ok(handler), |reason| Err(iam_denied(world, identity, action, &reason)))
        }
        OperationKind::Refused => {
            world.requests().refused(call.clone());
            let reason = format!("because no identity-based policy allows the {action} action");
            Err(iam_denied(world, identity, action, &reason))
        }
        OperationKind::Unknown => {
            world.requests().refused(call.clone());
            Err(GlueError::new("UnknownOperationException", format!("Unknown operation {operation}")))
        }
    }
}

fn iam_denied(world: &World, identity: &Identity, action: &str, reason: &str) -> GlueError {
    let account = world.account();
    let message = format!(
        "User: {} is not authorized to perform: {action} on resource: arn:aws:glue:{}:{}:catalog {reason}",
        identity.arn, account.region, account.id
    );
    GlueError::new("AccessDeniedException", message)
}

fn faulted<'c>(operation: &'c str, input: &'c Input) -> FaultedCall<'c> {
    let database = if operation == "GetDatabase" { input.peek("Name") } else { input.peek("DatabaseName") };
    let page = if input.peek("NextToken").is_some() { PageKind::Later } else { PageKind::First };
    FaultedCall { operation, catalog: input.peek("CatalogId"), database, page, ..FaultedCall::default() }
}

fn fault(world: &World, fired: &Fired, call: &FaultedCall<'_>, identity: &Identity) -> Option<GlueError> {
    fired.iter().find_map(|kind| {
        if *kind == FaultKind::DeniedByIam {
            let action = format!("glue:{}", call.operation);
            let reason = format!("because no identity-based policy allows the {action} action");
            return Some(iam_denied(world, identity, &action, &reason));
        }
        if *kind == FaultKind::DeniedByLakeFormation {
            return Some(GlueError::lake_formation(call.database.unwrap_or(call.operation)));
        }
        modelled_error(kind)
    })
}

pub(super) fn auth_error(failure: &AuthFailure) -> GlueError {
    let code = match failure {
        AuthFailure::NotSigned => "MissingAuthenticationTokenException",
        AuthFailure::Incomplete => "IncompleteSignatureException",
        AuthFailure::UnknownKey => "UnrecognizedClientException",
        AuthFailure::BadSignature(_) => "InvalidSignatureException",
        AuthFailure::Expired => "ExpiredTokenException",
    };
    GlueError::new(code, failure.message())
}

fn drop_database(world: &World, input: &Input) {
    if let Some(database) = input.peek("DatabaseName") {
        // Gone already is gone too.
        let _ = world.account_mut().drop_database(input.peek("CatalogId").map(str::to_owned), database);
    }
}

fn drop_table(world: &World, input: &Input, table: Option<&str>) {
    let mut account = world.account_mut();
    let catalog = input.peek("CatalogId").unwrap_or(&account.id).to_owned();
    let Some(database) = account.database_mut(&catalog, input.peek("DatabaseName").unwrap_or_default()) else { return };
    if let Some(table) = table.map(str::to_owned).or_else(|| database.tables.last_name()) {
        database.tables.remove(&table);
    }
}
