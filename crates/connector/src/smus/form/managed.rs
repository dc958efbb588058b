//! Managed forms: what columns, source, summary and business metadata they hold.

use std::collections::HashMap;

use model::{ColumnDraft, Columns};

use super::{AssetForms, FormContext, RawForm};
use crate::privacy::Text;
use crate::smus::page::{
    AssetCommonDetailsForm, ColumnBusinessMetadataForm, GlueTableForm, RedshiftForm, TableColumn, TermIdentifier,
};

/// The most columns that are taken from one asset; forms are far smaller than that.
const COLUMNS_MAX: usize = 20_000;

/// The prefix of the names of all managed types; customers cannot use it.
const MANAGED_PREFIX: &str = "amazon.datazone.";

/// Managed forms by their usual names, for listings, which do not always say types.
const MANAGED_NAMES: &[(&str, ManagedForm)] = &[
    ("GlueTableForm", ManagedForm::GlueTable),
    ("GlueViewForm", ManagedForm::GlueTable),
    ("RedshiftTableForm", ManagedForm::Redshift),
    ("RedshiftViewForm", ManagedForm::Redshift),
    ("AssetCommonDetailsForm", ManagedForm::CommonDetails),
    ("ColumnBusinessMetadataForm", ManagedForm::ColumnBusinessMetadata),
    ("DataSourceReferenceForm", ManagedForm::Skipped),
    ("SubscriptionTermsForm", ManagedForm::Skipped),
    ("S3ObjectCollectionForm", ManagedForm::Skipped),
    ("DataProductForm", ManagedForm::Skipped),
];

/// What a managed form is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ManagedForm {
    GlueTable,
    Redshift,
    CommonDetails,
    ColumnBusinessMetadata,
    /// Nothing.
    Skipped,
}

impl ManagedForm {
    /// The managed form that a form is, by its type and only without one by its name; none for one that the customer defined.
    pub(super) fn of(form: &RawForm<'_>) -> Option<Self> {
        let by_name = |name: &str| MANAGED_NAMES.iter().find(|entry| entry.0 == name).map(|entry| entry.1);
        let Some(form_type) = &form.form_type else {
            return by_name(&form.name).or_else(|| form.name.starts_with(MANAGED_PREFIX).then_some(Self::Skipped));
        };
        let name = form_type.name.strip_prefix(MANAGED_PREFIX)?;
        Some(by_name(name.strip_suffix("Type").unwrap_or(name)).unwrap_or(Self::Skipped))
    }
}

impl AssetForms {
    pub(super) fn take_managed(&mut self, context: &FormContext<'_>, kind: ManagedForm, name: &str, json: &str) {
        let read = match kind {
            ManagedForm::GlueTable => serde_json::from_str(json).map(|form| self.take_glue_table(context, &form)),
            ManagedForm::Redshift => serde_json::from_str(json).map(|form| self.take_redshift(context, &form)),
            ManagedForm::CommonDetails => serde_json::from_str(json).map(|form| self.take_common_details(context, &form)),
            ManagedForm::ColumnBusinessMetadata | ManagedForm::Skipped => Ok(()),
        };
        match read {
            Ok(()) => self.found_any = true,
            Err(_) => {
                let message = format!("the form \"{name}\" is not in the form that is known of it; the asset is kept without it");
                self.warnings.push(("form-unreadable", message));
            }
        }
    }

    fn take_glue_table(&mut self, context: &FormContext<'_>, form: &GlueTableForm<'_>) {
        self.source.table_arn = form.table_arn.as_ref().and_then(|arn| arn.kept(context.masked));
        let said = |text: &Option<Text<'_>>| text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
        if let (Some(catalog), Some(database), Some(table)) =
            (said(&form.catalog_id), said(&form.database_name), said(&form.table_name))
        {
            let region = form.region.as_deref().map(str::to_owned);
            self.source.place = Some((region, catalog, database, table));
        }
        self.technical_name = form.table_name.as_deref().filter(|name| !name.is_empty()).map(str::to_owned);
        self.table_description =
            form.table_description.as_ref().map(|text| text.scrubbed(context.masked).into_owned()).filter(|text| !text.is_empty());
        self.take_columns(context, form.columns.as_deref().unwrap_or_default());
    }

    fn take_redshift(&mut self, context: &FormContext<'_>, form: &RedshiftForm<'_>) {
        let table = form.table_name.as_deref().or(form.view_name.as_deref());
        let parts = [form.database_name.as_deref(), form.schema_name.as_deref(), table];
        let name = parts.into_iter().flatten().collect::<Vec<_>>().join(".");
        self.technical_name = (!name.is_empty()).then_some(name);
        self.take_columns(context, form.columns.as_deref().unwrap_or_default());
    }

    fn take_common_details(&mut self, context: &FormContext<'_>, form: &AssetCommonDetailsForm<'_>) {
        self.source.source_identifier = form.source_identifier.as_ref().and_then(|source| source.kept(context.masked));
        self.summary = form.summary.as_ref().map(|text| text.scrubbed(context.masked).into_owned());
        self.read_me = form.read_me.as_ref().map(|text| text.scrubbed(context.masked).into_owned());
    }

    fn take_columns(&mut self, context: &FormContext<'_>, columns: &[TableColumn<'_>]) {
        if columns.len() > COLUMNS_MAX {
            let message = format!("the asset has {} columns; the first {COLUMNS_MAX} are kept", columns.len());
            self.warnings.push(("columns-too-many", message));
        }
        let named = columns.iter().filter_map(|column| Some((column.column_name.as_deref()?, column)));
        for (index, (name, column)) in named.filter(|(name, _)| !name.is_empty()).take(COLUMNS_MAX).enumerate() {
            let data_type = column.data_type.as_ref().map(|text| text.scrubbed(context.masked)).unwrap_or_default();
            let description = column.description.as_ref().map(|text| text.scrubbed(context.masked));
            self.columns.push(&ColumnDraft {
                name,
                data_type: &data_type,
                raw_type: &data_type,
                description: description.as_deref(),
                order: u32::try_from(index + 1).unwrap_or(u32::MAX),
                partition_order: None,
                parent: None,
                nested_count: 0,
            });
        }
    }

    /// Business descriptions of columns take the place of technical ones; terms are assigned to columns.
    pub(super) fn take_column_metadata(&mut self, context: &FormContext<'_>, json: &str) {
        let Ok(form) = serde_json::from_str::<ColumnBusinessMetadataForm<'_>>(json) else {
            let message = "the business metadata of columns is not in the form that is known of it; it is left out".to_owned();
            self.warnings.push(("form-unreadable", message));
            return;
        };
        let mut descriptions: HashMap<&str, String> = HashMap::new();
        let mut terms: HashMap<&str, Vec<String>> = HashMap::new();
        for metadata in form.columns_business_metadata.iter().flatten() {
            let Some(column) = metadata.column_identifier.as_deref() else { continue };
            let description = metadata.description.as_ref().map(|text| text.scrubbed(context.masked).into_owned());
            if let Some(description) = description.filter(|text| !text.is_empty()) {
                descriptions.insert(column, description);
            }
            let ids: Vec<_> = metadata.glossary_terms.iter().flatten().filter_map(term_id).collect();
            if !ids.is_empty() {
                terms.insert(column, ids);
            }
        }
        self.column_terms =
            self.columns.iter().filter_map(|column| Some((column.path.to_owned(), terms.remove(column.name)?))).collect();
        self.describe_columns(&descriptions);
    }

    fn describe_columns(&mut self, descriptions: &HashMap<&str, String>) {
        if descriptions.is_empty() {
            return;
        }
        let mut described = Columns::default();
        for column in self.columns.iter() {
            let business = descriptions.get(column.name).map(String::as_str);
            described.push(&ColumnDraft {
                name: column.name,
                data_type: column.data_type,
                raw_type: column.raw_type,
                description: business.or(column.description),
                order: column.order,
                partition_order: None,
                parent: None,
                nested_count: 0,
            });
        }
        self.columns = described;
    }
}

fn term_id(term: &TermIdentifier) -> Option<String> {
    match term {
        TermIdentifier::Id(id) | TermIdentifier::Entity { id } => Some(id.clone()),
        TermIdentifier::Other(_) => None,
    }
}
