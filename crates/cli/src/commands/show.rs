//! `show`: one asset with everything that is known of it.

mod related;
mod values;

use model::document::write_asset;
use model::{Asset, Column, Value};
use store::{StoredAsset, Subject, Twins};

use crate::arguments::NameArguments;
use crate::catalog::{self, Catalog};
use crate::clock::readable;
use crate::failure::{Failure, Outcome, Status};
use crate::output::{Page, bold, dim, grouped, judged, print};
use values::fact;

pub(crate) async fn run(arguments: &NameArguments) -> Outcome {
    let catalog = Catalog::open(&arguments.from).await?;
    let subject = catalog.find(&arguments.name).await?;
    let twins = match &subject {
        Subject::Asset(stored) => catalog.twins(stored).await?,
        Subject::Column { .. } => Twins::default(),
    };
    if arguments.from.json {
        print(&as_json(&subject, &twins))?;
        return Ok(Status::Complete);
    }
    let mut page = Page::default();
    match &subject {
        Subject::Asset(stored) => show_asset(&catalog, stored, &twins, &mut page).await?,
        Subject::Column { table, .. } => show_column(&subject, table, &mut page),
    }
    page.print()?;
    Ok(Status::Complete)
}

/// The documents of the asset and its columns, a line each, as in NDJSON; the asset's has its twins beside it if there are any.
fn as_json(subject: &Subject, twins: &Twins) -> Vec<u8> {
    let stored = subject.stored();
    let mut out = Vec::new();
    if let Some(column) = subject.column() {
        let mut only = Asset { columns: model::Columns::default(), ..stored.asset.clone() };
        only.columns = single(&column);
        model::document::write_columns(&only, stored.status, &mut out);
        return out;
    }
    write_asset(&stored.asset, stored.status, &mut out);
    write_twins(twins, &mut out);
    out.push(b'\n');
    model::document::write_columns(&stored.asset, stored.status, &mut out);
    out
}

/// Adds twins as a member to the document that ends `out`.
fn write_twins(twins: &Twins, out: &mut Vec<u8>) {
    if twins.assets.is_empty() || out.pop_if(|last| *last == b'}').is_none() {
        return;
    }
    let document = |twin: &store::Twin| {
        let reference = &twin.reference;
        serde_json::json!({"typeName": reference.kind.type_name(), "qualifiedName": reference.qualified_name.as_str(), "name": twin.name})
    };
    let list = serde_json::Value::Array(twins.assets.iter().map(document).collect());
    out.extend_from_slice(format!(",\"twins\":{list}}}").as_bytes());
}

/// One column by itself: its document says its path through its name only if it is top-level.
fn single(column: &Column<'_>) -> model::Columns {
    let mut columns = model::Columns::default();
    columns.push(&model::ColumnDraft {
        name: column.name,
        data_type: column.data_type,
        raw_type: column.raw_type,
        description: column.description,
        order: column.order,
        partition_order: column.partition_order,
        parent: None,
        nested_count: column.nested_count,
    });
    columns
}

async fn show_asset(catalog: &Catalog, stored: &StoredAsset, twins: &Twins, page: &mut Page) -> Result<(), Failure> {
    let asset = &stored.asset;
    page.line(format!("{} {}  {}", bold(&asset.name), dim(asset.kind.type_name()), judged(stored.status.as_str())));
    page.line(dim(asset.qualified_name.as_str()));
    let plain = asset.attributes.iter().filter(|(_, value)| !matches!(value, Value::References(_)));
    let mut facts: Vec<_> = plain.map(|(attribute, value)| fact(attribute, value)).collect();
    facts.extend(related::references(catalog, asset).await?);
    facts.push(("firstSeen".to_owned(), format!("run {}, {}", stored.first_run, readable(stored.first_seen_ms))));
    facts.push(("lastChanged".to_owned(), format!("run {}, {}", stored.changed_run, readable(stored.last_changed_ms))));
    page.line("");
    page.facts(&facts);
    if !asset.columns.is_empty() {
        page.heading(&format!("{} columns", grouped(asset.columns.len() as u64)));
        page.table(&["name", "type", "description"], asset.columns.iter().map(|column| column_row(&column)).collect());
    }
    related::show_twins(catalog, asset, twins, page).await?;
    related::show_neighbours(catalog, asset, page).await?;
    related::show_children(catalog, asset, page).await
}

fn column_row(column: &Column<'_>) -> Vec<String> {
    let indent = "  ".repeat(usize::from(column.depth).saturating_sub(1));
    let mark = column.partition_order.map(|order| format!("  (partition key {order})")).unwrap_or_default();
    vec![format!("{indent}{}{mark}", column.name), column.data_type.to_owned(), column.description.unwrap_or_default().to_owned()]
}

fn show_column(subject: &Subject, table: &StoredAsset, page: &mut Page) {
    let Some(column) = subject.column() else { return };
    let kind = table.asset.kind;
    page.line(format!("{} {}  {}", bold(column.name), dim(kind.column_kind().type_name()), judged(table.status.as_str())));
    page.line(dim(subject.qualified_name().as_str()));
    page.line("");
    let owner = if kind.is_smus_asset() { "asset" } else { "table" };
    let mut facts = vec![
        (owner.to_owned(), catalog::title(&table.asset.name, &table.asset.qualified_name)),
        ("dataType".to_owned(), column.data_type.to_owned()),
        ("rawDataTypeDefinition".to_owned(), column.raw_type.to_owned()),
        ("order".to_owned(), column.order.to_string()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts.extend(column.description.map(|text| ("description".to_owned(), text.to_owned())));
    facts.extend(column.partition_order.map(|order| ("partitionOrder".to_owned(), order.to_string())));
    page.facts(&facts);
}

#[cfg(test)]
mod tests {
    use model::document::AssetStatus;
    use model::{Kind, QualifiedName, Reference};
    use store::Twin;

    use super::*;

    #[test]
    fn twins_stand_beside_the_attributes_and_only_where_there_are_any() {
        let document = b"{\"typeName\":\"Table\",\"attributes\":{}}".to_vec();
        let mut out = document.clone();
        write_twins(&Twins::default(), &mut out);
        assert_eq!(out, document);
        let reference = Reference::new(Kind::SmusPublishedAsset, QualifiedName::from_encoded("default/aws-smus/1/d/p/a"));
        let twin = Twin { reference, name: "\"A\"".to_owned(), status: AssetStatus::Active };
        write_twins(&Twins { assets: vec![twin], truncated: false }, &mut out);
        let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((read["typeName"].as_str(), read["twins"][0]["name"].as_str()), (Some("Table"), Some("\"A\"")));
        assert_eq!(read["twins"][0]["qualifiedName"], "default/aws-smus/1/d/p/a");
        assert_eq!(read["twins"][0]["typeName"], "SageMakerUnifiedStudioPublishedAsset");
    }
}
