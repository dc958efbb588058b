//! The pages of Amazon DataZone's answers. **These structs are the privacy policy**: a field that is not here is never parsed, so
//! it cannot be kept; a field that may hold a secret, business data or a person has a type of [`crate::privacy`].
//!
//! `docs/what-we-read.md` lists every field of AWS's public service model with what becomes of it; a test compares.

mod domain;
mod form;
mod lineage;
mod open_lineage;
mod project;
mod search;
mod subscription;
mod time;

pub(crate) use domain::{Domain, DomainAnswer, DomainUnitAnswer, DomainUnitSummary, DomainUnitsPage, DomainsPage};
pub(crate) use form::{
    AssetCommonDetailsForm, ColumnBusinessMetadataForm, GlueTableForm, RedshiftForm, TableColumn, TermIdentifier,
};
pub(crate) use lineage::{LineageEventsPage, LineageNode, LineageNodeAnswer, NameIdentifier, NodeReference, QueryGraphPage};
pub(crate) use open_lineage::{OpenLineageDataset, OpenLineageEvent};
pub(crate) use project::{
    EnvironmentAnswer, EnvironmentsPage, MembershipsPage, ProfilesPage, Project, ProjectAnswer, ProjectsPage, UserProfileAnswer,
};
pub(crate) use search::{
    AssetAnswer, AssetItem, AssetListingItem, DataProductAnswer, DataProductItem, DataProductListingItem, FormOutput, GlossaryItem,
    GlossaryTermItem, ListingAnswer, SearchListingsPage, SearchPage, TypesPage,
};
pub(crate) use subscription::{
    AssetFiltersPage, SubscribedAssetListing, Subscription, SubscriptionAnswer, SubscriptionRequestsPage, SubscriptionsPage,
};
pub(crate) use time::Timestamp;
