//! Assets to rows: done by whoever delivers, so that the one writer has nothing left to do but write.

use model::attribute::{Attribute, Value};
use model::document::{pack_columns, write_attributes};
use model::name::decode_part;
use model::{Asset, AssetBatch, Item, Kind, S3Location};

use crate::ingest::edges::Edge;
use crate::search_text::SearchText;

/// The rows of one batch.
pub(crate) struct PreparedBatch {
    pub(crate) scope: String,
    pub(crate) items: Vec<PreparedItem>,
}

/// An asset with the processes that live and die with it.
pub(crate) struct PreparedItem {
    pub(crate) asset: Prepared,
    pub(crate) derived: Vec<Prepared>,
}

/// The row of one asset.
pub(crate) struct Prepared {
    /// The qualified name up to and including its last slash.
    pub(crate) place: String,
    /// The rest of the qualified name.
    pub(crate) part: String,
    pub(crate) kind: Kind,
    /// The name, where it is not what the last part says.
    pub(crate) name: Option<String>,
    pub(crate) attributes: String,
    pub(crate) columns: Option<String>,
    pub(crate) column_count: i64,
    pub(crate) source_hash: Option<i64>,
    pub(crate) content_hash: i64,
    pub(crate) location: Option<S3Location>,
    pub(crate) search: SearchText,
    pub(crate) edges: Vec<Edge>,
}

impl PreparedItem {
    /// How many rows it is.
    pub(crate) fn rows(&self) -> usize {
        1 + self.derived.len()
    }

    /// The asset, then what is derived from it.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Prepared> + Clone {
        std::iter::once(&self.asset).chain(&self.derived)
    }

    /// About how many bytes it will be in the database.
    pub(crate) fn bytes(&self) -> usize {
        self.all().map(|row| row.attributes.len() + row.columns.as_ref().map_or(0, String::len) + row.search.text.len()).sum()
    }
}

/// Makes the rows of a batch's items.
pub(crate) fn prepare(batch: &AssetBatch) -> PreparedBatch {
    PreparedBatch { scope: batch.scope.as_str().to_owned(), items: batch.items.iter().map(prepare_item).collect() }
}

fn prepare_item(item: &Item) -> PreparedItem {
    let mut asset = prepare_asset(&item.asset);
    asset.source_hash = item.source.map(|hash| hash.0.cast_signed());
    PreparedItem { asset, derived: item.derived.iter().map(prepare_asset).collect() }
}

fn prepare_asset(asset: &Asset) -> Prepared {
    let (place, part) = split_name(asset.qualified_name.as_str());
    let mut bytes = Vec::with_capacity(1024);
    write_attributes(&asset.attributes, &mut bytes);
    let attributes_end = bytes.len();
    if !asset.columns.is_empty() {
        pack_columns(&asset.columns, &mut bytes);
    }
    let content_end = bytes.len();
    let name = (part != asset.name && decode_part(part) != asset.name).then(|| asset.name.clone());
    bytes.extend_from_slice(name.as_deref().unwrap_or_default().as_bytes());
    let content_hash = xxhash_rust::xxh3::xxh3_64(&bytes).cast_signed();
    bytes.truncate(content_end);
    let columns = bytes.split_off(attributes_end);
    Prepared {
        place: place.to_owned(),
        part: part.to_owned(),
        kind: asset.kind,
        name,
        attributes: text(bytes),
        columns: (!columns.is_empty()).then(|| text(columns)),
        column_count: i64::try_from(asset.columns.len()).unwrap_or(i64::MAX),
        source_hash: None,
        content_hash,
        location: asset.data_location(),
        search: SearchText::of(asset),
        edges: edges_of(asset),
    }
}

/// What the document writers give is always UTF-8.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

/// A qualified name as it is stored: everything up to and including the last slash, and the rest.
pub(crate) fn split_name(qualified_name: &str) -> (&str, &str) {
    let at = qualified_name.rfind('/').map_or(0, |slash| slash + 1);
    qualified_name.split_at(at)
}

fn edges_of(asset: &Asset) -> Vec<Edge> {
    if !matches!(asset.kind, Kind::Process | Kind::ColumnProcess) {
        return Vec::new();
    }
    let side = |attribute: Attribute, make: fn(String) -> Edge| {
        let references = match asset.attributes.get(attribute) {
            Some(Value::References(references)) => references.as_slice(),
            _ => &[],
        };
        references.iter().map(move |reference| make(reference.qualified_name.as_str().to_owned())).collect::<Vec<_>>()
    };
    let mut edges = side(Attribute::Inputs, Edge::input);
    edges.extend(side(Attribute::Outputs, Edge::output));
    edges
}
