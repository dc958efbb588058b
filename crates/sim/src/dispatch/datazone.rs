//! DataZone's way through a request.

use super::{Asked, delivered};
use crate::account::Thing;
use crate::auth::{Service, authenticate};
use crate::datazone::{Context, DataZoneError, Handler, Input, Reply, Route, handler_of};
use crate::faults::{FaultKind, FaultedCall, Fired, PageKind};
use crate::identity::Identity;
use crate::log::Call;
use crate::payload::{Answer, JSON};
use crate::world::World;

/// Whether a path is one of this service.
pub(super) fn is_path(path: &str) -> bool {
    path.starts_with("/v2/") || path.starts_with("/tags/")
}

pub(super) fn answer(world: &World, asked: Asked<'_>) -> Answer {
    let (method, path) = (asked.parts.method.as_str(), asked.parts.uri.path());
    let Some(route) = world.datazone.model.route(method, path) else {
        let call = Call { operation: "datazone:Unknown".to_owned(), parameters: format!("{method} {path}") };
        world.requests().called(call.clone());
        world.requests().refused(call);
        return DataZoneError::unknown_operation(method, path).answer();
    };
    let handler = handler_of(route.name);
    let (input, checked) = match handler {
        Some(_) => Input::parse(&world.datazone.model, &route, asked.parts, asked.body),
        None => (Input::of_path(&route), Ok(())),
    };
    let call = Call { operation: format!("datazone:{}", route.name), parameters: input.summary() };
    world.requests().called(call.clone());

    let mut fired = Fired::new();
    let request = Request { world, asked, route: &route, input: &input, call: &call };
    let answer = match request.outcome(handler, checked, &mut fired) {
        Ok(reply) => Answer { headers: reply.headers, ..Answer::new(200, JSON, reply.body) },
        Err(error) => {
            world.requests().failed(&call.operation, &error.code);
            error.answer()
        }
    };
    delivered(answer, &fired)
}

/// One request on its way.
struct Request<'r> {
    world: &'r World,
    asked: Asked<'r>,
    route: &'r Route<'r>,
    input: &'r Input,
    call: &'r Call,
}

impl Request<'_> {
    fn outcome(
        &self,
        handler: Option<Handler>,
        checked: Result<(), DataZoneError>,
        fired: &mut Fired,
    ) -> Result<Reply, DataZoneError> {
        let identity = authenticate(self.world, Service::DataZone, self.asked.parts, self.asked.body)
            .map_err(|failure| DataZoneError::from(&failure))?;
        let handler = self.permitted(handler, &identity)?;
        if self.world.exceeds_published_rate(self.route.name) {
            return Err(DataZoneError::throttled());
        }
        checked?;
        let project = self.project();
        *fired = self.world.fire(&self.faulted(project.as_deref()));
        if let Some(error) = self.fault(fired, &identity) {
            return Err(error);
        }
        let answered = self.handled(handler, fired, &identity.principal())?;
        for kind in fired.iter() {
            if let FaultKind::DropAssetAfterFirstPage { asset } = kind {
                self.drop_asset(asset.as_deref(), &identity.principal());
            }
        }
        Ok(answered)
    }

    fn handled(&self, handler: Handler, fired: &Fired, principal: &str) -> Result<Reply, DataZoneError> {
        let account = self.world.account();
        handler(&Context {
            service: &self.world.datazone,
            account: &account,
            operation: self.route.name,
            input: self.input,
            fired,
            principal,
            now_ms: self.world.clock.now_ms(),
        })
    }

    fn drop_asset(&self, asset: Option<&str>, principal: &str) {
        let mut account = self.world.account_mut();
        let domain = account.datazone.domains.get_mut(self.input.domain(self.route.name).unwrap_or_default());
        let Some(domain) = domain else { return };
        if let Some(asset) = asset.map(str::to_owned).or_else(|| domain.last_asset_of(principal)) {
            // Gone already is gone too.
            let _ = domain.remove_whole(Thing::Asset, &asset);
        }
    }

    // What is no simulated read is refused and recorded, whatever the credentials may do.
    fn permitted(&self, handler: Option<Handler>, identity: &Identity) -> Result<Handler, DataZoneError> {
        let action = &self.call.operation;
        let Some(handler) = handler else {
            self.world.requests().refused(self.call.clone());
            let reason = format!("because no identity-based policy allows the {action} action");
            return Err(self.iam_denied(identity, &reason));
        };
        let denial = self.world.account().identities.denial(identity, action);
        denial.map_or(Ok(handler), |reason| Err(self.iam_denied(identity, &reason)))
    }

    fn iam_denied(&self, identity: &Identity, reason: &str) -> DataZoneError {
        let account = self.world.account();
        let resource = match self.input.domain(self.route.name) {
            Some(domain) => format!("arn:aws:datazone:{}:{}:domain/{domain}", account.region, account.id),
            None => "*".to_owned(),
        };
        DataZoneError::access_denied(format!(
            "User: {} is not authorized to perform: {} on resource: {resource} {reason}",
            identity.arn, self.call.operation
        ))
    }

    /// The project that is asked about, or that owns what is asked for.
    fn project(&self) -> Option<String> {
        let thing = match self.route.name {
            "GetAsset" => (Thing::Asset, "identifier", "owningProjectId"),
            "ListAssetFilters" => (Thing::Asset, "assetIdentifier", "owningProjectId"),
            "GetListing" => (Thing::Listing, "identifier", "owningProjectId"),
            "GetDataProduct" => (Thing::DataProduct, "identifier", "owningProjectId"),
            "GetEnvironment" => (Thing::Environment, "identifier", "projectId"),
            _ => return self.input.project(self.route.name).map(str::to_owned),
        };
        let (thing, identifier, owner) = thing;
        let account = self.world.account();
        let domain = account.datazone.domains.get(self.input.domain(self.route.name)?)?;
        Some(domain.get(thing, self.input.text(identifier))?.text(owner).into_owned())
    }

    fn faulted<'c>(&'c self, project: Option<&'c str>) -> FaultedCall<'c> {
        let page = if self.input.peek("nextToken").is_some() { PageKind::Later } else { PageKind::First };
        FaultedCall {
            operation: self.route.name,
            domain: self.input.domain(self.route.name),
            project,
            scope: self.input.peek("searchScope"),
            page,
            ..FaultedCall::default()
        }
    }

    fn fault(&self, fired: &Fired, identity: &Identity) -> Option<DataZoneError> {
        fired.iter().find_map(|kind| match kind {
            FaultKind::DeniedByIam => {
                let action = &self.call.operation;
                Some(self.iam_denied(identity, &format!("because no identity-based policy allows the {action} action")))
            }
            FaultKind::DeniedByDataZone => Some(DataZoneError::not_permitted(self.route.name)),
            FaultKind::Throttle => Some(DataZoneError::throttled()),
            FaultKind::Internal => Some(DataZoneError::internal()),
            FaultKind::ExpiredToken => Some(DataZoneError::from(&crate::auth::AuthFailure::Expired)),
            FaultKind::Error { code, status, message } => Some(DataZoneError::with(code, *status, message)),
            FaultKind::DeniedByLakeFormation
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
        })
    }
}
