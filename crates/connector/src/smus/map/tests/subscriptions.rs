//! Subscribed assets with what their requests say: by default neither reasons nor names of people.

use std::collections::{BTreeSet, HashMap};

use super::{Written, check, check_with, facts, keeping, known_types, page};
use crate::privacy::{ProfileId, Reason};
use crate::smus::form::AssetForms;
use crate::smus::map::MapContext;
use crate::smus::map::subscription::{RequestFacts, SubscriptionPlace, map_subscription, set_request};
use crate::smus::page::{AssetFiltersPage, Subscription, SubscriptionRequestsPage, SubscriptionsPage};
use crate::smus::settings::Keep;

/// What requests say, through the types that decide what of it may be kept.
fn requests(context: &MapContext<'_>, name: &str) -> HashMap<String, RequestFacts> {
    let id = |id: Option<&ProfileId<'_>>| id.and_then(|id| id.opaque(context.masked));
    let keeps_reasons = context.settings.keeps(&Keep::RequestReasons);
    let reason = |reason: Option<&Reason<'_>>| {
        let reason = reason?;
        if !keeps_reasons {
            reason.leave_out(context.masked);
        }
        keeps_reasons.then(|| reason.scrubbed(context.masked))
    };
    let facts = page::<SubscriptionRequestsPage<'static>>(name).items.into_iter().map(|request| {
        let facts = RequestFacts {
            requester: id(request.created_by.as_ref()),
            requested_at: request.created_at.and_then(|time| time.0),
            reason: reason(request.request_reason.as_ref()),
            approver: id(request.reviewer_id.as_ref()),
            approved_at: request.updated_at.and_then(|time| time.0),
            comment: reason(request.decision_comment.as_ref()),
            ..RequestFacts::default()
        };
        (request.id.to_string(), facts)
    });
    facts.collect()
}

/// How many columns the filters of a subscription let through; none where it has no filters.
fn readable(place: &SubscriptionPlace) -> Option<usize> {
    let filters = page::<AssetFiltersPage<'static>>("asset_filters").items;
    let own = filters.iter().filter(|filter| place.filters.iter().any(|id| **id == *filter.id));
    let columns: BTreeSet<_> = own.flat_map(|filter| filter.effective_column_names.iter().flatten().map(|name| &**name)).collect();
    (!place.filters.is_empty()).then_some(columns.len())
}

fn map(context: &MapContext<'_>, subscription: &Subscription<'_>, request: Option<&RequestFacts>, written: &mut Written) {
    let place = SubscriptionPlace::of(subscription);
    let item = subscription.subscribed_listing.as_ref().and_then(|listing| listing.item.as_ref());
    let text = item.and_then(|item| item.asset_listing.as_ref()).and_then(|asset| asset.forms.as_ref());
    let forms = AssetForms::of_listing(&context.forms(&known_types()), text.map_or("{}", |text| text.json()));
    let columns = readable(&place).or(Some(forms.columns.len()));
    let mut mapped = map_subscription(context, &facts(context), (subscription, &place), forms, columns);
    set_request(&mut mapped.asset, request.unwrap_or(&RequestFacts::default()));
    written.mapped(&mapped);
}

#[test]
fn subscribed_assets_without_reasons_logins_and_row_filters() {
    check("subscriptions", |context, written| {
        let requests = requests(context, "subscription_requests");
        for subscription in &page::<SubscriptionsPage<'static>>("subscriptions").items {
            let request = subscription.subscription_request_id.as_deref().and_then(|id| requests.get(id));
            map(context, subscription, request, written);
        }
    });
}

#[test]
fn reasons_are_kept_through_the_scanner_and_names_beside_ids_only_for_those_who_ask() {
    check_with(&keeping([Keep::RequestReasons, Keep::PersonNames]), "subscriptions_opt_in", |context, written| {
        let mut request = requests(context, "subscription_requests_opt_in").remove("req1").unwrap();
        request.requester_name = Some("Ann Example".to_owned());
        map(context, &page::<SubscriptionsPage<'static>>("subscriptions").items[0], Some(&request), written);
    });
}
