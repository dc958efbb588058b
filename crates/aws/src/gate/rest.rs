//! What a read of the REST protocol looks like on the wire: method, path, query and body, each checked for itself.
//!
//! Source of routes and parameter names: the public service model of Amazon DataZone. `withSecret` of its `GetConnection` is why
//! parameters are listed one by one: a parameter can turn a harmless read into one that hands out credentials.

use connector::port::{ReadOperation, RestMethod, Service};
use http::{Method, Request, Uri};

/// The method of a route, as HTTP has it.
pub(crate) const fn http_method(method: RestMethod) -> Method {
    match method {
        RestMethod::Get => Method::GET,
        RestMethod::Post => Method::POST,
    }
}

/// The only read whose route a request takes; none if there is no such route.
pub(super) fn routed<B>(request: &Request<B>) -> Option<ReadOperation> {
    let takes = |operation: &ReadOperation| {
        let route = operation.route();
        route.is_some_and(|route| http_method(route.method) == *request.method() && route.matches(request.uri().path()))
    };
    let mut operations = ReadOperation::of(Service::DataZone).filter(takes);
    let operation = operations.next()?;
    operations.next().is_none().then_some(operation)
}

/// Whether a request that takes the route of `operation` has nothing on it that does not belong there.
pub(super) fn is_sound<B>(request: &Request<B>, body: &[u8], operation: ReadOperation) -> bool {
    has_sound_path(request.uri(), operation)
        && has_known_query(request.uri(), operation)
        && has_fitting_body(body, request.method())
}

/// Every segment is what it seems, also to a server that decodes it before it looks for the route.
fn has_sound_path(uri: &Uri, operation: ReadOperation) -> bool {
    let segments: Vec<_> = uri.path().split('/').skip(1).collect();
    let Some((last, rest)) = segments.split_last() else { return false };
    let is_last_sound = if may_hold_slashes(operation) { is_encoded(last) && !is_dots(last) } else { is_plain(last) };
    is_last_sound && rest.iter().all(|segment| is_plain(segment))
}

/// The operations whose last segment is an identifier of other systems: an ARN, a lineage node's source identifier, an asset's external
/// one. All other identifiers are made by the service, of letters, digits, `-` and `_`.
fn may_hold_slashes(operation: ReadOperation) -> bool {
    matches!(operation, ReadOperation::GetLineageNode | ReadOperation::GetUserProfile | ReadOperation::GetAsset)
}

/// Whether a segment has no character that could end it or climb out of it once decoded.
fn is_plain(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)) && !is_dots(segment)
}

/// `.` and `..`, encoded or not.
fn is_dots(segment: &str) -> bool {
    matches!(segment.replace("%2e", ".").replace("%2E", ".").as_str(), "." | "..")
}

/// Whether a text is of unreserved characters (RFC 3986) and whole percent-encodings.
fn is_encoded(text: &str) -> bool {
    let mut parts = text.split('%');
    let is_unreserved = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
    let begins_with_hex = |part: &str| part.get(..2).is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
    parts.next().is_some_and(is_unreserved) && parts.all(|part| begins_with_hex(part) && is_unreserved(part))
}

fn has_known_query(uri: &Uri, operation: ReadOperation) -> bool {
    let Some(query) = uri.query() else { return true };
    let is_known = |name: &str| !name.is_empty() && parameters(operation).split(' ').any(|known| known == name);
    query.split('&').all(|pair| pair.split_once('=').is_some_and(|(name, value)| is_known(name) && is_encoded(value)))
}

/// A `GET` has no body; a search has a JSON object.
fn has_fitting_body(body: &[u8], method: &Method) -> bool {
    if *method == Method::GET { body.is_empty() } else { body.first() == Some(&b'{') && body.last() == Some(&b'}') }
}

/// The names of the query parameters that an operation takes, with a space between each two.
const fn parameters(operation: ReadOperation) -> &'static str {
    match operation {
        ReadOperation::ListDomains => "status maxResults nextToken",
        ReadOperation::ListDomainUnitsForParent => "parentDomainUnitIdentifier maxResults nextToken",
        ReadOperation::ListProjects => "userIdentifier groupIdentifier name projectCategory maxResults nextToken",
        ReadOperation::ListProjectProfiles => "name sortBy sortOrder maxResults nextToken",
        ReadOperation::ListProjectMemberships => "sortBy sortOrder maxResults nextToken",
        ReadOperation::ListEnvironments => {
            "awsAccountId awsAccountRegion status projectIdentifier \
             environmentProfileIdentifier environmentBlueprintIdentifier provider name maxResults nextToken"
        }
        ReadOperation::GetAsset | ReadOperation::GetDataProduct => "revision",
        ReadOperation::GetListing => "listingRevision",
        ReadOperation::ListAssetFilters => "status maxResults nextToken",
        ReadOperation::ListSubscriptions => {
            "subscriptionRequestIdentifier status subscribedListingId \
             owningProjectId owningIamPrincipalArn owningUserId owningGroupId approverProjectId sortBy sortOrder maxResults nextToken"
        }
        ReadOperation::ListSubscriptionRequests => {
            "status subscribedListingId owningProjectId \
             owningIamPrincipalArn owningUserId owningGroupId approverProjectId sortBy sortOrder maxResults nextToken"
        }
        ReadOperation::QueryGraph => "maxResults nextToken",
        ReadOperation::GetLineageNode => "timestamp",
        ReadOperation::ListLineageEvents => "timestampAfter timestampBefore processingStatus sortOrder maxResults nextToken",
        ReadOperation::GetUserProfile => "type sessionName",
        ReadOperation::AssumeRole
        | ReadOperation::GetCallerIdentity
        | ReadOperation::GetSecretValue
        | ReadOperation::GetCatalogs
        | ReadOperation::GetCatalog
        | ReadOperation::GetDatabases
        | ReadOperation::GetDatabase
        | ReadOperation::GetTables
        | ReadOperation::GetTable
        | ReadOperation::GetJobs
        | ReadOperation::ListWorkflows
        | ReadOperation::BatchGetWorkflows
        | ReadOperation::GetTriggers
        | ReadOperation::GetCrawlers
        | ReadOperation::GetConnections
        | ReadOperation::GetDomain
        | ReadOperation::GetDomainUnit
        | ReadOperation::GetProject
        | ReadOperation::GetEnvironment
        | ReadOperation::Search
        | ReadOperation::SearchListings
        | ReadOperation::SearchTypes
        | ReadOperation::GetSubscription
        | ReadOperation::GetLineageEvent => "",
    }
}
