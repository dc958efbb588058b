//! `Search`, `SearchListings`, `SearchTypes`, `GetAsset`, `GetListing`, `GetDataProduct` (Amazon DataZone API reference).
//!
//! What comes unasked and may hold values (`latestTimeSeriesDataPointFormsOutput`, `matchRationale`) has no field here.

use serde::Deserialize;

use super::Timestamp;
use crate::privacy::{FormContent, FreeText, SmithyModel, SourceIdentifier, Text};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchPage<'a> {
    #[serde(borrow, default)]
    pub(crate) items: Vec<SearchItem<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
    pub(crate) total_match_count: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchItem<'a> {
    #[serde(borrow)]
    pub(crate) asset_item: Option<AssetItem<'a>>,
    #[serde(borrow)]
    pub(crate) glossary_item: Option<GlossaryItem<'a>>,
    #[serde(borrow)]
    pub(crate) glossary_term_item: Option<GlossaryTermItem<'a>>,
    #[serde(borrow)]
    pub(crate) data_product_item: Option<DataProductItem<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetItem<'a> {
    #[serde(borrow)]
    pub(crate) identifier: Text<'a>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) type_identifier: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) external_identifier: Option<SourceIdentifier<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) first_revision_created_at: Option<Timestamp>,
    #[serde(borrow)]
    pub(crate) glossary_terms: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub(crate) governed_glossary_terms: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub(crate) owning_project_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) additional_attributes: Option<AssetItemAttributes<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetItemAttributes<'a> {
    #[serde(borrow)]
    pub(crate) forms_output: Option<Vec<FormOutput<'a>>>,
    #[serde(borrow)]
    pub(crate) read_only_forms_output: Option<Vec<FormOutput<'a>>>,
}

impl<'a> AssetItem<'a> {
    /// All forms, those included that only the service writes.
    pub(crate) fn forms(&self) -> impl Iterator<Item = &FormOutput<'a>> + Clone {
        let attributes = self.additional_attributes.iter();
        attributes.flat_map(|forms| forms.forms_output.iter().flatten().chain(forms.read_only_forms_output.iter().flatten()))
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FormOutput<'a> {
    #[serde(borrow)]
    pub(crate) form_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) type_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) type_revision: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) content: Option<FormContent<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GlossaryItem<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) owning_project_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) status: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) usage_restrictions: Option<Vec<Text<'a>>>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) updated_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GlossaryTermItem<'a> {
    #[serde(borrow)]
    pub(crate) glossary_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) short_description: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) usage_restrictions: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub(crate) long_description: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) term_relations: Option<TermRelations<'a>>,
    #[serde(borrow)]
    pub(crate) status: Option<Text<'a>>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) updated_at: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TermRelations<'a> {
    #[serde(borrow)]
    pub(crate) is_a: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub(crate) classifies: Option<Vec<Text<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataProductItem<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) owning_project_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) glossary_terms: Option<Vec<Text<'a>>>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) first_revision_created_at: Option<Timestamp>,
}

/// The items may be left as they came, to be parsed one by one when they are mapped.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "A: Deserialize<'de>, P: Deserialize<'de>"))]
pub(crate) struct SearchListingsPage<'a, A = AssetListingItem<'a>, P = DataProductListingItem<'a>> {
    #[serde(default = "Vec::new")]
    pub(crate) items: Vec<ListingItem<A, P>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
    pub(crate) total_match_count: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListingItem<A, P> {
    pub(crate) asset_listing: Option<A>,
    pub(crate) data_product_listing: Option<P>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetListingItem<'a> {
    #[serde(borrow)]
    pub(crate) listing_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) entity_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) entity_revision: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) entity_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    pub(crate) created_at: Option<Timestamp>,
    #[serde(borrow)]
    pub(crate) glossary_terms: Option<Vec<ListedTerm<'a>>>,
    #[serde(borrow)]
    pub(crate) governed_glossary_terms: Option<Vec<ListedTerm<'a>>>,
    #[serde(borrow)]
    pub(crate) owning_project_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) additional_attributes: Option<ListingAttributes<'a>>,
}

/// A term as listings name it: without its id.
#[derive(Debug, Deserialize)]
pub(crate) struct ListedTerm<'a> {
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ListingAttributes<'a> {
    #[serde(borrow)]
    pub(crate) forms: Option<FormContent<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataProductListingItem<'a> {
    #[serde(borrow)]
    pub(crate) listing_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) entity_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) entity_revision: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    pub(crate) created_at: Option<Timestamp>,
    #[serde(borrow)]
    pub(crate) glossary_terms: Option<Vec<ListedTerm<'a>>>,
    #[serde(borrow)]
    pub(crate) owning_project_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) items: Option<Vec<ListingSummary<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListingSummary<'a> {
    #[serde(borrow)]
    pub(crate) listing_id: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TypesPage<'a> {
    #[serde(borrow, default)]
    pub(crate) items: Vec<TypeItem<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TypeItem<'a> {
    #[serde(borrow)]
    pub(crate) form_type_item: Option<FormTypeItem<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FormTypeItem<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow)]
    pub(crate) revision: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) model: Option<FormTypeModel<'a>>,
    #[serde(borrow)]
    pub(crate) status: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) owning_project_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct FormTypeModel<'a> {
    #[serde(borrow)]
    pub(crate) smithy: Option<SmithyModel<'a>>,
}

/// One asset by name: asked for where a listing's forms cannot be read, and to prove that an asset is gone.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetAnswer<'a> {
    #[serde(borrow)]
    pub(crate) forms_output: Option<Vec<FormOutput<'a>>>,
    #[serde(borrow)]
    pub(crate) read_only_forms_output: Option<Vec<FormOutput<'a>>>,
}

/// One listing by name: asked for to prove that it is gone.
#[derive(Debug, Deserialize)]
pub(crate) struct ListingAnswer<'a> {
    #[serde(borrow)]
    pub(crate) status: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct DataProductAnswer<'a> {
    #[serde(borrow)]
    pub(crate) items: Option<Vec<DataProductMember<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct DataProductMember<'a> {
    #[serde(borrow)]
    pub(crate) identifier: Option<Text<'a>>,
}
