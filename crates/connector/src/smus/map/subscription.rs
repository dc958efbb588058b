//! Subscribed assets: what a project may read of another project's publication, by whose decision.

use model::{Asset, Attribute, Kind, Reference, Value};

use super::asset::{MappedAsset, bare_type, finish};
use super::domain::{describe, set_times};
use super::{DomainFacts, MapContext};
use crate::smus::form::AssetForms;
use crate::smus::page::{SubscribedAssetListing, Subscription};

/// What the request of a subscription says: who asked and who decided as opaque ids, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestFacts {
    pub(crate) requester: Option<String>,
    pub(crate) requester_name: Option<String>,
    pub(crate) requested_at: Option<i64>,
    pub(crate) reason: Option<String>,
    pub(crate) approver: Option<String>,
    pub(crate) approver_name: Option<String>,
    pub(crate) approved_at: Option<i64>,
    pub(crate) comment: Option<String>,
}

/// What is subscribed to, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SubscriptionPlace {
    /// The project that subscribed; the owner's where a person or group did.
    pub(crate) project: String,
    pub(crate) project_name: Option<String>,
    pub(crate) owner: String,
    /// The asset or data product.
    pub(crate) entity: Option<String>,
    pub(crate) listing: Option<String>,
    /// Filters that narrow what may be read; none lets everything through.
    pub(crate) filters: Vec<String>,
}

impl SubscriptionPlace {
    pub(crate) fn of(subscription: &Subscription<'_>) -> Self {
        let listing = subscription.subscribed_listing.as_ref();
        let text = |text: Option<&crate::privacy::Text<'_>>| text.filter(|text| !text.is_empty()).map(ToString::to_string);
        let owner = listing.and_then(|listing| text(listing.owner_project_id.as_ref())).unwrap_or_default();
        let project = subscription.subscribed_principal.as_ref().and_then(|principal| principal.project.as_ref());
        let item = listing.and_then(|listing| listing.item.as_ref());
        let asset = item.and_then(|item| item.asset_listing.as_ref());
        let product = item.and_then(|item| item.product_listing.as_ref());
        let filters = asset.and_then(|asset| asset.asset_scope.as_ref()).and_then(|scope| scope.filter_ids.as_ref());
        Self {
            project: project.and_then(|project| text(project.id.as_ref())).unwrap_or_else(|| owner.clone()),
            project_name: project.and_then(|project| text(project.name.as_ref())),
            entity: asset.and_then(|asset| text(asset.entity_id.as_ref())).or_else(|| text(product?.entity_id.as_ref())),
            listing: listing.and_then(|listing| text(listing.id.as_ref())),
            filters: filters.into_iter().flatten().map(ToString::to_string).collect(),
            owner,
        }
    }
}

/// A subscribed asset. `columns_readable` is how many columns the filters let through, where that is known.
pub(crate) fn map_subscription(
    context: &MapContext<'_>,
    facts: &DomainFacts,
    (subscription, place): (&Subscription<'_>, &SubscriptionPlace),
    forms: AssetForms,
    columns_readable: Option<usize>,
) -> MappedAsset {
    let listing = subscription.subscribed_listing.as_ref();
    let name = listing.and_then(|listing| listing.name.as_deref()).filter(|name| !name.is_empty()).unwrap_or(&subscription.id);
    let qualified_name = context.naming.subscription(&facts.id, &place.project, &subscription.id);
    let mut asset = Asset::new(Kind::SmusSubscribedAsset, qualified_name, name);
    facts.set_project(&mut asset, &place.project);
    let attributes = &mut asset.attributes;
    attributes.set(Attribute::SmusOwningProjectId, place.owner.as_str());
    attributes.set_some(Attribute::Description, describe(context, listing.and_then(|listing| listing.description.as_ref())));
    let project_name = place.project_name.clone().or_else(|| Some(facts.projects.get(&place.project)?.name.clone()));
    attributes.set_some(Attribute::SmusSubscribedAssetProjectName, project_name);
    attributes.set_some(Attribute::SmusListingId, place.listing.as_deref());
    set_entity(context, facts, &mut asset, subscription, place);
    let all = forms.columns.len();
    if let Some(readable) = columns_readable.filter(|_| all > 0) {
        let text = format!("{} out of {all}", readable.min(all));
        asset.attributes.set(Attribute::SmusSubscribedAssetColumnAccessInfo, text);
    }
    set_times(&mut asset, subscription.created_at, subscription.updated_at);
    finish(context, facts, asset, None, forms)
}

fn set_entity(
    context: &MapContext<'_>,
    facts: &DomainFacts,
    asset: &mut Asset,
    subscription: &Subscription<'_>,
    place: &SubscriptionPlace,
) {
    let item = subscription.subscribed_listing.as_ref().and_then(|listing| listing.item.as_ref());
    let listed: Option<&SubscribedAssetListing<'_>> = item.and_then(|item| item.asset_listing.as_ref());
    let product = item.and_then(|item| item.product_listing.as_ref());
    let revision = listed.and_then(|listed| listed.entity_revision.as_deref());
    asset.attributes.set_some(Attribute::SmusAssetRevision, revision.or_else(|| product?.entity_revision.as_deref()));
    let asset_type = listed.and_then(|listed| listed.entity_type.as_deref()).map(bare_type);
    asset.attributes.set_some(Attribute::SmusAssetType, asset_type.or_else(|| product.map(|_| "DataProduct")));
    if let Some(entity) = &place.entity {
        let kind = if listed.is_some() { Kind::SmusPublishedAsset } else { Kind::SmusDataProduct };
        let publication = Reference::new(kind, context.naming.asset(&facts.id, &place.owner, entity));
        asset.attributes.set(Attribute::SmusPublishedAsset, Value::References(vec![publication]));
    }
}

/// Sets who asked and who approved, and when.
pub(crate) fn set_request(asset: &mut Asset, request: &RequestFacts) {
    let attributes = &mut asset.attributes;
    let name = |name: &Option<String>, id: &Option<String>| name.clone().or_else(|| id.clone());
    attributes.set_some(Attribute::SmusSubscribedAssetRequestorId, request.requester.clone());
    attributes.set_some(Attribute::SmusSubscribedAssetRequestorName, name(&request.requester_name, &request.requester));
    attributes.set_some(Attribute::SmusSubscribedAssetRequestReason, request.reason.clone());
    attributes.set_some(Attribute::SmusSubscribedAssetRequestDate, request.requested_at);
    attributes.set_some(Attribute::SmusSubscribedAssetApproverId, request.approver.clone());
    attributes.set_some(Attribute::SmusSubscribedAssetApproverName, name(&request.approver_name, &request.approver));
    attributes.set_some(Attribute::SmusSubscribedAssetApprovedReason, request.comment.clone());
    attributes.set_some(Attribute::SmusSubscribedAssetApprovalDate, request.approved_at);
}
