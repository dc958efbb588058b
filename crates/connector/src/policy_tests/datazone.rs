//! What is said of Amazon DataZone.

mod account;
mod remarks;
mod requests;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::part::{Document, Part, drive};
use super::render::write_document;
use crate::port::{ReadOperation, Service};
use crate::privacy::lists;
use crate::smus::page::{
    AssetAnswer, AssetCommonDetailsForm, AssetFiltersPage, ColumnBusinessMetadataForm, DataProductAnswer, DomainAnswer,
    DomainUnitAnswer, DomainUnitsPage, DomainsPage, EnvironmentAnswer, EnvironmentsPage, GlueTableForm, LineageEventsPage,
    LineageNodeAnswer, ListingAnswer, MembershipsPage, OpenLineageEvent, ProfilesPage, ProjectAnswer, ProjectsPage, QueryGraphPage,
    RedshiftForm, SearchListingsPage, SearchPage, SubscriptionAnswer, SubscriptionRequestsPage, SubscriptionsPage, TypesPage,
    UserProfileAnswer,
};

pub(super) const PART: Part = Part {
    service: Service::DataZone,
    model_variable: "ISINGLASS_DATAZONE_MODEL",
    introduction: include_str!("datazone/introduction.md"),
    answers: &[
        (ReadOperation::ListDomains, drive::<DomainsPage<'static>>),
        (ReadOperation::GetDomain, drive::<DomainAnswer<'static>>),
        (ReadOperation::ListDomainUnitsForParent, drive::<DomainUnitsPage<'static>>),
        (ReadOperation::GetDomainUnit, drive::<DomainUnitAnswer<'static>>),
        (ReadOperation::ListProjects, drive::<ProjectsPage<'static>>),
        (ReadOperation::GetProject, drive::<ProjectAnswer<'static>>),
        (ReadOperation::ListProjectProfiles, drive::<ProfilesPage<'static>>),
        (ReadOperation::ListProjectMemberships, drive::<MembershipsPage<'static>>),
        (ReadOperation::ListEnvironments, drive::<EnvironmentsPage<'static>>),
        (ReadOperation::GetEnvironment, drive::<EnvironmentAnswer>),
        (ReadOperation::Search, drive::<SearchPage<'static>>),
        (ReadOperation::SearchListings, drive::<SearchListingsPage<'static>>),
        (ReadOperation::SearchTypes, drive::<TypesPage<'static>>),
        (ReadOperation::GetAsset, drive::<AssetAnswer<'static>>),
        (ReadOperation::GetListing, drive::<ListingAnswer<'static>>),
        (ReadOperation::ListAssetFilters, drive::<AssetFiltersPage<'static>>),
        (ReadOperation::GetDataProduct, drive::<DataProductAnswer<'static>>),
        (ReadOperation::ListSubscriptions, drive::<SubscriptionsPage<'static>>),
        (ReadOperation::GetSubscription, drive::<SubscriptionAnswer<'static>>),
        (ReadOperation::ListSubscriptionRequests, drive::<SubscriptionRequestsPage<'static>>),
        (ReadOperation::QueryGraph, drive::<QueryGraphPage<'static>>),
        (ReadOperation::GetLineageNode, drive::<LineageNodeAnswer<'static>>),
        (ReadOperation::ListLineageEvents, drive::<LineageEventsPage<'static>>),
        (ReadOperation::GetLineageEvent, drive::<PayloadAnswer<'static>>),
        (ReadOperation::GetUserProfile, drive::<UserProfileAnswer<'static>>),
    ],
    documents: &[PAYLOAD, GLUE_TABLE, REDSHIFT, COMMON_DETAILS, COLUMN_BUSINESS_METADATA],
    about: remarks::ABOUT,
    remarks: remarks::REMARKS,
    dropped: remarks::DROPPED,
    structure: remarks::STRUCTURE,
    below: |_, _| String::new(),
    closing: forms,
    sent: requests::sent,
    sent_title: "What is sent to Amazon DataZone",
    sent_about: SENT,
    lists: lists::DATAZONE,
};

const SENT: &str = "Nothing but these members, as segments of the path, parameters of the query string or members of the body; the operations take \
                    others, which are never set. None of them takes a switch that has secrets in the answer: `withSecret` is of `GetConnection`, \
                    which does not exist in the program.";

/// An answer whose body is the payload alone: everything else of it is in headers, which no struct parses.
#[derive(Deserialize)]
struct PayloadAnswer<'a> {
    #[serde(borrow, rename = "event")]
    _event: &'a RawValue,
}

const PAYLOAD: Document = Document {
    title: "The payload of GetLineageEvent: an OpenLineage event",
    shape: "OpenLineageRunEvent",
    drive: drive::<OpenLineageEvent<'static>>,
    about: "Members and facets as the public OpenLineage specification and its integration for Spark have them. The specification lets everybody add facets: any other one, also of your \
            own, has no field either and is dropped.",
    of: Some(ReadOperation::GetLineageEvent),
};

const GLUE_TABLE: Document = Document {
    title: "GlueTableForm, GlueViewForm",
    shape: "GlueTableForm",
    drive: drive::<GlueTableForm<'static>>,
    about: "Types `amazon.datazone.GlueTableFormType` and `amazon.datazone.GlueViewFormType`.",
    of: None,
};

const REDSHIFT: Document = Document {
    title: "RedshiftTableForm, RedshiftViewForm",
    shape: "RedshiftForm",
    drive: drive::<RedshiftForm<'static>>,
    about: "Types `amazon.datazone.RedshiftTableFormType` and `amazon.datazone.RedshiftViewFormType`.",
    of: None,
};

const COMMON_DETAILS: Document = Document {
    title: "AssetCommonDetailsForm",
    shape: "AssetCommonDetailsForm",
    drive: drive::<AssetCommonDetailsForm<'static>>,
    about: "Type `amazon.datazone.AssetCommonDetailsFormType`.",
    of: None,
};

const COLUMN_BUSINESS_METADATA: Document = Document {
    title: "ColumnBusinessMetadataForm",
    shape: "ColumnBusinessMetadataForm",
    drive: drive::<ColumnBusinessMetadataForm<'static>>,
    about: "Type `amazon.datazone.ColumnBusinessMetadataFormType`.",
    of: None,
};

/// The section on the content of forms, which comes with several operations.
fn forms(part: &Part) -> String {
    let mut page = format!("\n{}", include_str!("datazone/forms.md"));
    for document in part.documents.iter().filter(|document| document.of.is_none()) {
        write_document(&mut page, part, "###", document);
    }
    page
}
