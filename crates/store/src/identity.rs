//! One thing under several names: what an asset of SageMaker Unified Studio is made from, and how lineage names Glue tables.

use model::attribute::Attribute;
use model::{Asset, GlueTableArn, Kind};

/// The Glue table that an asset of SageMaker Unified Studio is made from, as far as the asset itself says.
pub(crate) fn source_of(asset: &Asset) -> Option<GlueTableArn> {
    if !asset.kind.is_smus_asset() {
        return None;
    }
    GlueTableArn::parse(asset.attributes.text(Attribute::SmusAssetSourceIdentifier)?)
}

/// The Glue table that a node of lineage names by its ARN; for a column also the column.
pub(crate) fn arn_of_node(node: &str, process: Kind) -> Option<(GlueTableArn, Option<&str>)> {
    let is_arn = node.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("arn:"));
    if !is_arn {
        return None;
    }
    if process == Kind::ColumnProcess {
        let (table, column) = node.rsplit_once('/')?;
        return Some((GlueTableArn::parse(table)?, Some(column)));
    }
    Some((GlueTableArn::parse(node)?, None))
}

/// The name under which lineage finds a node again: ARNs of Glue tables have one spelling, every other name stays as it is.
pub(crate) fn node_name(node: &str, process: Kind) -> String {
    match arn_of_node(node, process) {
        Some((table, None)) => table.to_string(),
        Some((table, Some(column))) => column_node(&table, column),
        None => node.to_owned(),
    }
}

/// The node of a column of the table of an ARN. Glue folds the names of columns too.
pub(crate) fn column_node(table: &GlueTableArn, column: &str) -> String {
    format!("{table}/{}", column.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_tables_and_columns_have_one_spelling_and_other_names_stay() {
        let table = "arn:aws:glue:eu-west-1:111122223333:table/sales/orders";
        assert_eq!(node_name(&table.replace("sales", "Sales"), Kind::Process), table);
        assert_eq!(node_name(&format!("{table}/Amount"), Kind::ColumnProcess), format!("{table}/amount"));
        for other in ["kafka://Broker/Topic", "arn:aws:redshift:eu-west-1:111122223333:DB", "ärn", "default/glue/1/C/d/t"] {
            assert_eq!(node_name(other, Kind::Process), other);
        }
    }
}
