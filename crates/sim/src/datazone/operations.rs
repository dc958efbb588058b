//! The operations that are simulated: reads of structure, and no other.

use super::{Context, DataZoneError, Reply, assets, domains, lineage, search, subscriptions};

pub(crate) type Handler = fn(&Context<'_>) -> Result<Reply, DataZoneError>;

/// How an operation is answered; all others of the service are refused.
pub(crate) fn handler_of(operation: &str) -> Option<Handler> {
    Some(match operation {
        "ListDomains" => domains::list_domains,
        "GetDomain" => domains::get_domain,
        "ListDomainUnitsForParent" => domains::list_domain_units,
        "GetDomainUnit" => domains::get_domain_unit,
        "ListProjects" => domains::list_projects,
        "GetProject" => domains::get_project,
        "ListProjectProfiles" => domains::list_project_profiles,
        "ListProjectMemberships" => domains::list_project_memberships,
        "ListEnvironments" => domains::list_environments,
        "GetEnvironment" => domains::get_environment,
        "GetUserProfile" => domains::get_user_profile,
        "Search" => search::search,
        "SearchListings" => search::search_listings,
        "SearchTypes" => search::search_types,
        "GetAsset" => assets::get_asset,
        "GetListing" => assets::get_listing,
        "ListAssetFilters" => assets::list_asset_filters,
        "GetDataProduct" => assets::get_data_product,
        "ListSubscriptions" => subscriptions::list_subscriptions,
        "GetSubscription" => subscriptions::get_subscription,
        "ListSubscriptionRequests" => subscriptions::list_subscription_requests,
        "QueryGraph" => lineage::query_graph,
        "GetLineageNode" => lineage::get_lineage_node,
        "ListLineageEvents" => lineage::list_lineage_events,
        "GetLineageEvent" => lineage::get_lineage_event,
        _ => return None,
    })
}

/// The published requests a second for each account and Region; where none is published, what seems to hold.
pub(crate) fn published_per_second(operation: &str) -> f64 {
    match operation {
        "Search" | "SearchTypes" => 20.0,
        "SearchListings" => 16.0,
        "ListProjects"
        | "ListProjectMemberships"
        | "ListEnvironments"
        | "GetEnvironment"
        | "ListSubscriptions"
        | "GetSubscription"
        | "ListSubscriptionRequests" => 8.0,
        _ => 10.0,
    }
}
