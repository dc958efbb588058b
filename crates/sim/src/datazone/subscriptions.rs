//! Subscriptions and requests for them: those where one of the caller's projects is the owner or the subscriber.

use std::collections::BTreeSet;

use serde_json::Value;

use super::listing::{ITEMS_MAX, list, matches};
use super::{Context, DataZoneError, Reply, shown};
use crate::account::{Thing, text};

pub(crate) fn list_subscriptions(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    list_of_status(context, Thing::Subscription, "APPROVED")
}

pub(crate) fn list_subscription_requests(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    list_of_status(context, Thing::SubscriptionRequest, "PENDING")
}

/// Without a status only those of the default are listed.
fn list_of_status(context: &Context<'_>, thing: Thing, default: &str) -> Result<Reply, DataZoneError> {
    let own = context.own_projects(context.domain()?);
    let status = context.input.peek("status").unwrap_or(default);
    let wanted = |document: &Value| {
        text(document, "status") == status
            && is_visible(document, &own)
            && matches(context, document, "subscriptionRequestIdentifier", "subscriptionRequestId")
            && context.input.peek("owningProjectId").is_none_or(|project| subscribers(document).any(|id| id == project))
            && context.input.peek("approverProjectId").is_none_or(|project| owners(document).any(|id| id == project))
            && context
                .input
                .peek("subscribedListingId")
                .is_none_or(|id| listings(document).any(|listing| text(listing, "id") == id))
    };
    list(context, thing, ITEMS_MAX, wanted, shown)
}

pub(crate) fn get_subscription(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let subscription = context.named(Thing::Subscription, "identifier", "Subscription")?;
    if !is_visible(&subscription, &context.own_projects(context.domain()?)) {
        return Err(DataZoneError::not_permitted(context.operation));
    }
    Ok(Value::Object(shown(&subscription)).into())
}

fn is_visible(document: &Value, own: &BTreeSet<&str>) -> bool {
    owners(document).chain(subscribers(document)).any(|project| own.contains(project))
}

// A subscription has one listing and principal, a request has lists of them.
fn one_or_many<'d>(document: &'d Value, one: &str, many: &str) -> impl Iterator<Item = &'d Value> {
    let many = document.get(many).and_then(Value::as_array).into_iter().flatten();
    document.get(one).into_iter().chain(many)
}

fn listings(document: &Value) -> impl Iterator<Item = &Value> {
    one_or_many(document, "subscribedListing", "subscribedListings")
}

fn owners(document: &Value) -> impl Iterator<Item = &str> {
    listings(document).map(|listing| text(listing, "ownerProjectId"))
}

fn subscribers(document: &Value) -> impl Iterator<Item = &str> {
    let principals = one_or_many(document, "subscribedPrincipal", "subscribedPrincipals");
    principals.filter_map(|principal| principal.pointer("/project/id")?.as_str())
}
