//! What an asset says of the thing that it was made from, and which of that counts.

use model::source::partition_of;

use crate::MaskedCounts;
use crate::privacy::SourceIdentifier;

/// Everything that may name an asset's source, from the most to the least trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SourceHints {
    /// `GlueTableForm.tableArn`.
    pub(crate) table_arn: Option<String>,
    /// `AssetCommonDetailsForm.sourceIdentifier`.
    pub(crate) source_identifier: Option<String>,
    /// Region, catalog id, database and table of `GlueTableForm`.
    pub(crate) place: Option<(Option<String>, String, String, String)>,
}

impl SourceHints {
    /// The one source identifier: the table's ARN, the source identifier, the external identifier without its project, or an ARN put
    /// together from the place. `region` is the domain's, for forms that do not say theirs.
    pub(crate) fn identifier(&self, external: Option<&str>, region: &str) -> Option<String> {
        self.table_arn.clone().or_else(|| self.source_identifier.clone()).or_else(|| external.map(str::to_owned)).or_else(|| {
            let (form_region, catalog, database, table) = self.place.as_ref()?;
            let region = form_region.as_deref().filter(|region| !region.is_empty()).unwrap_or(region);
            let (account, nested) = catalog.split_once(':').map_or((catalog.as_str(), ""), |(account, nested)| (account, nested));
            let nested = if nested.is_empty() { String::new() } else { format!("{nested}/") };
            Some(format!("arn:{}:glue:{region}:{account}:table/{nested}{database}/{table}", partition_of(region)))
        })
    }
}

/// An external identifier without the `.<project id>` that the service appends; what only looks like it stays, for the names of tables
/// may hold dots.
pub(crate) fn external_identifier(external: &SourceIdentifier<'_>, project: &str, masked: &MaskedCounts) -> Option<String> {
    let kept = external.kept(masked)?;
    let bare = kept.strip_suffix(project).and_then(|rest| rest.strip_suffix('.')).filter(|_| !project.is_empty());
    Some(bare.map_or_else(|| kept.clone(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:glue:eu-west-1:111122223333:table/sales/orders";

    #[test]
    fn the_most_trusted_hint_counts() {
        let place = Some((None, "111122223333".to_owned(), "sales".to_owned(), "orders".to_owned()));
        let hints = SourceHints { table_arn: Some("t".into()), source_identifier: Some("s".into()), place: place.clone() };
        assert_eq!(hints.identifier(Some("e"), "eu-west-1").as_deref(), Some("t"));
        let hints = SourceHints { table_arn: None, ..hints };
        assert_eq!(hints.identifier(Some("e"), "eu-west-1").as_deref(), Some("s"));
        let hints = SourceHints { place, ..SourceHints::default() };
        assert_eq!(hints.identifier(Some("e"), "eu-west-1").as_deref(), Some("e"));
        assert_eq!(hints.identifier(None, "eu-west-1").as_deref(), Some(ARN));
        assert_eq!(SourceHints::default().identifier(None, "eu-west-1"), None);
    }

    #[test]
    fn a_project_is_cut_from_an_external_identifier_only_if_it_is_exactly_that_project() {
        let masked = MaskedCounts::default();
        let cut = |text: &str, project| {
            let json = serde_json::to_string(text).unwrap();
            external_identifier(&serde_json::from_str(&json).unwrap(), project, &masked).unwrap()
        };
        assert_eq!(cut(&format!("{ARN}.prj1"), "prj1"), ARN);
        assert_eq!(cut(&format!("{ARN}.v2"), "prj1"), format!("{ARN}.v2"));
        assert_eq!(cut(&format!("{ARN}.xprj1"), "prj1"), format!("{ARN}.xprj1"));
        assert_eq!(cut(ARN, "orders"), ARN);
    }
}
