//! `ListSubscriptions`, `GetSubscription`, `ListSubscriptionRequests`, `ListAssetFilters` (Amazon DataZone API reference).
//!
//! Row filters have no field here: they are made of values.

use serde::Deserialize;

use super::Timestamp;
use crate::privacy::{FormContent, FreeText, ProfileId, Reason, Text};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionsPage<'a> {
    #[serde(borrow, default)]
    pub(crate) items: Vec<Subscription<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subscription<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) created_by: Option<ProfileId<'a>>,
    #[serde(borrow)]
    pub(crate) updated_by: Option<ProfileId<'a>>,
    #[serde(borrow)]
    pub(crate) status: Option<Text<'a>>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) updated_at: Option<Timestamp>,
    #[serde(borrow)]
    pub(crate) subscribed_principal: Option<SubscribedPrincipal<'a>>,
    #[serde(borrow)]
    pub(crate) subscribed_listing: Option<SubscribedListing<'a>>,
    #[serde(borrow)]
    pub(crate) subscription_request_id: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SubscribedPrincipal<'a> {
    #[serde(borrow)]
    pub(crate) project: Option<SubscribedProject<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SubscribedProject<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscribedListing<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) item: Option<SubscribedListingItem<'a>>,
    #[serde(borrow)]
    pub(crate) owner_project_id: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscribedListingItem<'a> {
    #[serde(borrow)]
    pub(crate) asset_listing: Option<SubscribedAssetListing<'a>>,
    #[serde(borrow)]
    pub(crate) product_listing: Option<SubscribedProductListing<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscribedAssetListing<'a> {
    #[serde(borrow)]
    pub(crate) entity_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) entity_revision: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) entity_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) forms: Option<FormContent<'a>>,
    #[serde(borrow)]
    pub(crate) asset_scope: Option<AssetScope<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetScope<'a> {
    #[serde(borrow, default)]
    pub(crate) filter_ids: Option<Vec<Text<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscribedProductListing<'a> {
    #[serde(borrow)]
    pub(crate) entity_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) entity_revision: Option<Text<'a>>,
}

/// One subscription by name: asked for to prove that it has ended.
#[derive(Debug, Deserialize)]
pub(crate) struct SubscriptionAnswer<'a> {
    #[serde(borrow)]
    pub(crate) status: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionRequestsPage<'a> {
    #[serde(borrow, default)]
    pub(crate) items: Vec<SubscriptionRequest<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionRequest<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) created_by: Option<ProfileId<'a>>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) updated_at: Option<Timestamp>,
    #[serde(borrow)]
    pub(crate) request_reason: Option<Reason<'a>>,
    #[serde(borrow)]
    pub(crate) reviewer_id: Option<ProfileId<'a>>,
    #[serde(borrow)]
    pub(crate) decision_comment: Option<Reason<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetFiltersPage<'a> {
    #[serde(borrow, default)]
    pub(crate) items: Vec<AssetFilter<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

/// Of a filter only which columns it lets through.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetFilter<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) effective_column_names: Option<Vec<Text<'a>>>,
}
