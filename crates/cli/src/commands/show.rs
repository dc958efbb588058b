//! `show`: one asset with everything that is known of it.

use model::document::write_asset;
use model::{Asset, Column, Value};
use store::{Direction, Graph, LineageLevel, LineageQuery, Store, StoredAsset, Subject};

use crate::arguments::NameArguments;
use crate::catalog::{self, short};
use crate::clock::readable;
use crate::failure::{Failure, Outcome, Status};
use crate::output::{Page, bold, dim, grouped, judged, print};

/// Children that are listed; `search` and `export` have the rest.
const CHILDREN_SHOWN_MAX: usize = 50;

/// Neighbours in lineage that are listed.
const NEIGHBOURS_MAX: usize = 50;

pub(crate) async fn run(arguments: &NameArguments) -> Outcome {
    let store = catalog::open(&arguments.from).await?;
    let subject = catalog::find(&store, &arguments.name).await?;
    if arguments.from.json {
        print(&as_json(&subject))?;
        return Ok(Status::Complete);
    }
    let mut page = Page::default();
    match &subject {
        Subject::Asset(stored) => show_asset(&store, stored, &mut page).await?,
        Subject::Column { table, .. } => show_column(&subject, table, &mut page),
    }
    page.print()?;
    Ok(Status::Complete)
}

/// The documents of the asset and its columns, a line each, as in NDJSON.
fn as_json(subject: &Subject) -> Vec<u8> {
    let stored = subject.stored();
    let mut out = Vec::new();
    if let Some(column) = subject.column() {
        let mut only = Asset { columns: model::Columns::default(), ..stored.asset.clone() };
        only.columns = single(&column);
        model::document::write_columns(&only, stored.status, &mut out);
        return out;
    }
    write_asset(&stored.asset, stored.status, &mut out);
    out.push(b'\n');
    model::document::write_columns(&stored.asset, stored.status, &mut out);
    out
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

async fn show_asset(store: &Store, stored: &StoredAsset, page: &mut Page) -> Result<(), Failure> {
    let asset = &stored.asset;
    page.line(format!("{} {}  {}", bold(&asset.name), dim(asset.kind.type_name()), judged(stored.status.as_str())));
    page.line(dim(asset.qualified_name.as_str()));
    let mut facts: Vec<_> = asset.attributes.iter().filter(|(_, value)| !matches!(value, Value::References(_))).map(fact).collect();
    facts.push(("firstSeen".to_owned(), format!("run {}, {}", stored.first_run, readable(stored.first_seen_ms))));
    facts.push(("lastChanged".to_owned(), format!("run {}, {}", stored.changed_run, readable(stored.last_changed_ms))));
    page.line("");
    page.facts(&facts);
    if !asset.columns.is_empty() {
        page.heading(&format!("{} columns", grouped(asset.columns.len() as u64)));
        page.table(&["name", "type", "description"], asset.columns.iter().map(|column| column_row(&column)).collect());
    }
    show_neighbours(store, asset, page).await?;
    show_children(store, asset, page).await
}

fn fact((attribute, value): (model::Attribute, &Value)) -> (String, String) {
    let is_time = attribute.name().ends_with("At");
    let time = value.as_integer().filter(|_| is_time);
    let text = time.map_or_else(|| plain(value), readable);
    (attribute.name().to_owned(), text)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::List(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Map(entries) => entries.iter().map(|(key, value)| format!("{key}={}", plain(value))).collect::<Vec<_>>().join(", "),
        Value::References(references) => {
            references.iter().map(|reference| reference.qualified_name.to_string()).collect::<Vec<_>>().join(", ")
        }
    }
}

fn column_row(column: &Column<'_>) -> Vec<String> {
    let indent = "  ".repeat(usize::from(column.depth).saturating_sub(1));
    let mark = column.partition_order.map(|order| format!("  (partition key {order})")).unwrap_or_default();
    vec![format!("{indent}{}{mark}", column.name), column.data_type.to_owned(), column.description.unwrap_or_default().to_owned()]
}

/// What the asset is made from, and what is made from it.
async fn show_neighbours(store: &Store, asset: &Asset, page: &mut Page) -> Result<(), Failure> {
    for (direction, title) in [(Direction::Upstream, "made from"), (Direction::Downstream, "goes into")] {
        let start = asset.qualified_name.clone();
        let query = LineageQuery { start, direction, depth: 1, level: LineageLevel::Assets, nodes_max: NEIGHBOURS_MAX };
        let graph = store.lineage(&query).await?;
        let rows = neighbours(&graph, direction);
        if !rows.is_empty() {
            page.heading(title);
            page.table(&["type", "name", "by"], rows);
        }
    }
    Ok(())
}

fn neighbours(graph: &Graph, direction: Direction) -> Vec<Vec<String>> {
    let row = |edge: &store::GraphEdge| {
        let name = if direction == Direction::Upstream { &edge.from } else { &edge.to };
        let kind =
            graph.nodes.iter().find(|node| node.reference.qualified_name == *name).map(|node| node.reference.kind.to_string());
        vec![kind.unwrap_or_default(), short(name).to_owned(), edge.process_kind.clone()]
    };
    graph.edges.iter().map(row).collect()
}

async fn show_children(store: &Store, asset: &Asset, page: &mut Page) -> Result<(), Failure> {
    let children = store.children(&asset.qualified_name, CHILDREN_SHOWN_MAX, None).await?;
    if children.assets.is_empty() && children.folders.is_empty() {
        return Ok(());
    }
    page.heading("contains");
    let child = |child: &StoredAsset| {
        let description =
            child.asset.attributes.text(model::Attribute::Description).unwrap_or_default().lines().next().unwrap_or_default();
        vec![child.asset.kind.to_string(), child.asset.name.clone(), description.to_owned()]
    };
    let folders = children.folders.iter().map(|folder| vec!["folder".to_owned(), folder.clone(), String::new()]);
    page.table(&["type", "name", "description"], folders.chain(children.assets.iter().map(child)).collect());
    if children.next.is_some() {
        page.line(dim(&format!("  … the first {CHILDREN_SHOWN_MAX} are shown")));
    }
    Ok(())
}

fn show_column(subject: &Subject, table: &StoredAsset, page: &mut Page) {
    let Some(column) = subject.column() else { return };
    page.line(format!("{} {}  {}", bold(column.name), dim("Column"), judged(table.status.as_str())));
    page.line(dim(subject.qualified_name().as_str()));
    page.line("");
    let mut facts = vec![
        ("table".to_owned(), short(&table.asset.qualified_name).to_owned()),
        ("dataType".to_owned(), column.data_type.to_owned()),
        ("rawDataTypeDefinition".to_owned(), column.raw_type.to_owned()),
        ("order".to_owned(), column.order.to_string()),
    ];
    facts.extend(column.description.map(|text| ("description".to_owned(), text.to_owned())));
    facts.extend(column.partition_order.map(|order| ("partitionOrder".to_owned(), order.to_string())));
    page.facts(&facts);
}
