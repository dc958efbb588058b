//! Assets to JSON.

use super::{is_plain, write_integer, write_string, write_string_content};
use crate::asset::Asset;
use crate::attribute::{Attributes, Value};
use crate::columns::Column;
use crate::guid::GuidPrefix;
use crate::lineage::{location_object, location_process};
use crate::name::{connection_of, connector_of, decode_part};
use crate::{Guid, Kind, S3Location};

/// Whether an asset is in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssetStatus {
    /// It is there.
    Active,
    /// It is gone; what people added to it is kept.
    Archived,
}

impl AssetStatus {
    /// The word in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Archived => "DELETED",
        }
    }
}

/// How many lines of which kind [`write_lines`] wrote for one asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineKinds {
    /// Lines of the columns' kind.
    pub columns: u64,
    /// Whether the S3 object of the table's location was written.
    pub location_object: bool,
    /// Whether the process from that location was written.
    pub location_process: bool,
}

/// Appends the attributes that are held with an asset as one JSON object: what the store keeps, without the name and without
/// what follows from the qualified name.
pub fn write_attributes(attributes: &Attributes, out: &mut Vec<u8>) {
    out.push(b'{');
    for (index, (attribute, value)) in attributes.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_key(attribute.name(), out);
        write_value(value, out);
    }
    out.push(b'}');
}

/// Appends the document of one asset, without a line end and without its columns.
pub fn write_asset(asset: &Asset, status: AssetStatus, out: &mut Vec<u8>) {
    write_opening(asset.kind, status, Guid::of(asset.kind, asset.qualified_name.as_str()), out);
    write_identity(asset, out);
    write_hierarchy(asset, out);
    for (attribute, value) in asset.attributes.iter() {
        out.push(b',');
        write_key(attribute.name(), out);
        write_value(value, out);
    }
    out.extend_from_slice(b"}}");
}

/// Appends everything that one found asset is in NDJSON: its own line, a line for each column, and for a table over S3 the
/// location (if `new_location` says that it was not written before) and the process that links the two.
pub fn write_lines(
    asset: &Asset,
    status: AssetStatus,
    new_location: impl FnOnce(&S3Location) -> bool,
    out: &mut Vec<u8>,
) -> LineKinds {
    write_asset(asset, status, out);
    out.push(b'\n');
    write_columns(asset, status, out);
    let mut lines = LineKinds { columns: asset.columns.len() as u64, location_object: false, location_process: false };
    if let Some(location) = asset.data_location() {
        if new_location(&location) {
            write_asset(&location_object(&location), status, out);
            out.push(b'\n');
            lines.location_object = true;
        }
        write_asset(&location_process(asset, &location), status, out);
        out.push(b'\n');
        lines.location_process = true;
    }
    lines
}

/// Appends a line for each column of a table or view.
pub fn write_columns(asset: &Asset, status: AssetStatus, out: &mut Vec<u8>) {
    if asset.columns.is_empty() {
        return;
    }
    if asset.kind.is_smus_asset() {
        return write_asset_schemas(asset, status, out);
    }
    let shared = ColumnLines::new(asset, status);
    for column in asset.columns.iter() {
        shared.write(asset, &column, out);
    }
}

fn write_opening(kind: Kind, status: AssetStatus, guid: Guid, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"typeName\":\"");
    out.extend_from_slice(kind.type_name().as_bytes());
    out.extend_from_slice(b"\",\"guid\":\"");
    guid.write(out);
    out.extend_from_slice(b"\",\"status\":\"");
    out.extend_from_slice(status.as_str().as_bytes());
    out.extend_from_slice(b"\",\"attributes\":{\"qualifiedName\":");
}

fn write_identity(asset: &Asset, out: &mut Vec<u8>) {
    write_string(asset.qualified_name.as_str(), out);
    write_member("name", &asset.name, out);
    write_connection(asset.qualified_name.as_str(), out);
}

fn write_connection(qualified_name: &str, out: &mut Vec<u8>) {
    if let (Some(connection), Some(connector)) = (connection_of(qualified_name), connector_of(qualified_name)) {
        write_member("connectionQualifiedName", connection, out);
        write_member("connectorName", connector, out);
    }
}

/// The names of what an asset lies in, derived from its qualified name.
fn write_hierarchy(asset: &Asset, out: &mut Vec<u8>) {
    let Some(parent) = asset.qualified_name.parent() else { return };
    match asset.kind {
        Kind::Schema => {
            write_member("databaseName", &last_part(parent), out);
            write_member("databaseQualifiedName", parent, out);
        }
        Kind::Table | Kind::View => {
            if let Some((database, _)) = parent.rsplit_once('/') {
                write_member("databaseName", &last_part(database), out);
                write_member("databaseQualifiedName", database, out);
            }
            write_member("schemaName", &last_part(parent), out);
            write_member("schemaQualifiedName", parent, out);
        }
        Kind::Connection
        | Kind::Database
        | Kind::Column
        | Kind::GlueJob
        | Kind::GlueWorkflow
        | Kind::GlueTrigger
        | Kind::GlueCrawler
        | Kind::GlueConnection
        | Kind::Process
        | Kind::ColumnProcess
        | Kind::S3Object
        | Kind::SmusDomain
        | Kind::SmusDomainUnit
        | Kind::SmusProject
        | Kind::SmusPublishedAsset
        | Kind::SmusSubscribedAsset
        | Kind::SmusInventoryAsset
        | Kind::SmusDataProduct
        | Kind::SmusAssetSchema
        | Kind::Glossary
        | Kind::GlossaryTerm
        | Kind::Dataset => {}
    }
}

fn last_part(qualified_name: &str) -> String {
    decode_part(qualified_name.rsplit('/').next().unwrap_or_default())
}

/// The columns of an asset of SageMaker Unified Studio: a flat list, with names and types as the studio spells them.
fn write_asset_schemas(asset: &Asset, status: AssetStatus, out: &mut Vec<u8>) {
    let name = asset.qualified_name.as_str();
    let guid = GuidPrefix::new(Kind::SmusAssetSchema, &format!("{name}/"));
    for column in asset.columns.iter() {
        write_opening(Kind::SmusAssetSchema, status, guid.finish(column.path), out);
        write_string(&format!("{name}/{}", column.path), out);
        write_member("name", column.name, out);
        write_connection(name, out);
        if let Some(description) = column.description {
            write_member("description", description, out);
        }
        if !column.raw_type.is_empty() {
            write_member("smusDataType", column.raw_type, out);
        }
        write_member("smusAssetName", &asset.name, out);
        write_member("smusAssetQualifiedName", name, out);
        write_count(b",\"order\":", column.order, out);
        out.extend_from_slice(b"}}\n");
    }
}

/// The bytes that all columns of one table have in common, written once.
struct ColumnLines {
    opening: Vec<u8>,
    middle: Vec<u8>,
    table: Vec<u8>,
    guid: GuidPrefix,
    /// Whether no column has a character that JSON escapes: looked for once, not in each of a hundred texts.
    is_plain: bool,
}

impl ColumnLines {
    fn new(table: &Asset, status: AssetStatus) -> Self {
        let name = table.qualified_name.as_str();
        let mut opening = Vec::with_capacity(name.len() + 80);
        opening.extend_from_slice(b"\",\"status\":\"");
        opening.extend_from_slice(status.as_str().as_bytes());
        opening.extend_from_slice(b"\",\"attributes\":{\"qualifiedName\":");
        let mut table_name = Vec::with_capacity(name.len() + 8);
        write_string(name, &mut table_name);
        // Without its closing quote: every column's qualified name goes on from here.
        table_name.pop();
        table_name.push(b'/');
        let mut middle = Vec::new();
        write_connection(name, &mut middle);
        let (name_key, qualified_name_key) =
            if table.kind == Kind::View { ("viewName", "viewQualifiedName") } else { ("tableName", "tableQualifiedName") };
        write_member(name_key, &table.name, &mut middle);
        write_member(qualified_name_key, name, &mut middle);
        opening.extend_from_slice(&table_name);
        let guid = GuidPrefix::new(Kind::Column, &format!("{name}/"));
        Self { opening, middle, table: table_name, guid, is_plain: is_plain(table.columns.text()) }
    }

    fn write(&self, table: &Asset, column: &Column<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"typeName\":\"Column\",\"guid\":\"");
        self.guid.finish(column.path).write(out);
        out.extend_from_slice(&self.opening);
        self.write_text(column.path, out);
        self.write_member(b",\"name\":\"", column.name, out);
        out.extend_from_slice(&self.middle);
        if let Some(description) = column.description {
            self.write_member(b",\"description\":\"", description, out);
        }
        if !column.data_type.is_empty() {
            self.write_member(b",\"dataType\":\"", column.data_type, out);
        }
        if !column.raw_type.is_empty() {
            self.write_member(b",\"rawDataTypeDefinition\":\"", column.raw_type, out);
        }
        write_count(b",\"order\":", column.order, out);
        out.extend_from_slice(if column.partition_order.is_some() { b",\"isPartition\":true" } else { b",\"isPartition\":false" });
        if let Some(order) = column.partition_order {
            write_count(b",\"partitionOrder\":", order, out);
        }
        write_count(b",\"columnDepthLevel\":", u32::from(column.depth), out);
        if let Some(parent) = column.parent.and_then(|parent| table.columns.get(parent)) {
            self.write_member(b",\"parentColumnName\":\"", parent.name, out);
            out.extend_from_slice(b",\"parentColumnQualifiedName\":");
            out.extend_from_slice(&self.table);
            self.write_text(parent.path, out);
            write_count(b",\"nestedColumnOrder\":", column.order, out);
        }
        if column.nested_count > 0 {
            write_count(b",\"nestedColumnCount\":", column.nested_count, out);
        }
        out.extend_from_slice(b"}}\n");
    }
    /// Continues and ends a JSON string of a column.
    fn write_text(&self, text: &str, out: &mut Vec<u8>) {
        if self.is_plain {
            out.extend_from_slice(text.as_bytes());
        } else {
            write_string_content(text, out);
        }
        out.push(b'"');
    }

    /// A member whose key, up to the quote that opens the text, is given ready-made: columns are written by the billion.
    fn write_member(&self, opening: &[u8], text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(opening);
        self.write_text(text, out);
    }
}

fn write_key(key: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

fn write_member(key: &str, text: &str, out: &mut Vec<u8>) {
    out.push(b',');
    write_key(key, out);
    write_string(text, out);
}

/// Appends a number whose key is given ready-made.
fn write_count(opening: &[u8], number: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(opening);
    if number < 10 {
        out.push(b'0' + u8::try_from(number).unwrap_or(0));
    } else {
        write_integer(i64::from(number), out);
    }
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Text(text) => write_string(text, out),
        Value::Integer(number) => write_integer(*number, out),
        Value::Number(number) => write_float(*number, out),
        Value::Boolean(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Value::List(items) => {
            write_sequence(b'[', b']', items.iter(), write_value, out);
        }
        Value::Map(entries) => {
            let write = |(key, value): &(String, Value), out: &mut Vec<u8>| {
                write_string(key, out);
                out.push(b':');
                write_value(value, out);
            };
            write_sequence(b'{', b'}', entries.iter(), write, out);
        }
        Value::References(references) => {
            let write = |reference: &crate::Reference, out: &mut Vec<u8>| {
                out.extend_from_slice(b"{\"typeName\":\"");
                out.extend_from_slice(reference.kind.type_name().as_bytes());
                out.extend_from_slice(b"\",\"qualifiedName\":");
                write_string(reference.qualified_name.as_str(), out);
                out.push(b'}');
            };
            write_sequence(b'[', b']', references.iter(), write, out);
        }
    }
}

fn write_sequence<T>(open: u8, close: u8, items: impl Iterator<Item = T>, write: impl Fn(T, &mut Vec<u8>), out: &mut Vec<u8>) {
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(close);
}

/// JSON has no infinity and no NaN; neither has any source of ours, so such a number is written as 0.
fn write_float(number: f64, out: &mut Vec<u8>) {
    let text = if number.is_finite() { format!("{number}") } else { "0".to_owned() };
    out.extend_from_slice(text.as_bytes());
}
