//! Assets to rows: done by whoever delivers, so that the one writer has nothing left to do but write.
//!
//! Texts are shared slices of exactly their size: the database takes them as they are, without another copy.

use std::sync::Arc;

use model::attribute::{Attribute, Value};
use model::document::{pack_columns, write_attributes};
use model::name::decode_part;
use model::{Asset, AssetBatch, Item, Kind, S3Location};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::identity;
use crate::ingest::edges::Edge;
use crate::search_text::{Collector, SearchText};

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
    pub(crate) place: Arc<str>,
    /// The rest of the qualified name.
    pub(crate) part: Arc<str>,
    pub(crate) kind: Kind,
    /// Tells names apart: two rows of one name have the same, and hardly any others.
    pub(crate) name_hash: u64,
    /// The name, where it is not what the last part says.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) attributes: Arc<str>,
    pub(crate) columns: Option<Arc<str>>,
    pub(crate) column_count: i64,
    pub(crate) source_hash: Option<i64>,
    pub(crate) content_hash: i64,
    pub(crate) location: Option<S3Location>,
    pub(crate) search: SearchText,
    pub(crate) edges: Vec<Edge>,
    /// The canonical ARN of the Glue table that it is made from.
    pub(crate) source: Option<Arc<str>>,
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
        self.all()
            .map(|row| row.attributes.len() + row.columns.as_ref().map_or(0, |columns| columns.len()) + row.search.text.len())
            .sum()
    }
}

/// Makes the rows of a batch's items.
pub(crate) fn prepare(batch: &AssetBatch) -> PreparedBatch {
    let mut preparer = Preparer::default();
    let items = batch.items.iter().map(|item| preparer.item(item)).collect();
    PreparedBatch { scope: batch.scope.as_str().to_owned(), items }
}

/// Buffers that are used again for every asset of a batch.
#[derive(Default)]
struct Preparer {
    bytes: Vec<u8>,
    words: Collector,
    place: Option<Arc<str>>,
}

impl Preparer {
    fn item(&mut self, item: &Item) -> PreparedItem {
        let mut asset = self.asset(&item.asset);
        asset.source_hash = item.source.map(|hash| hash.0.cast_signed());
        PreparedItem { asset, derived: item.derived.iter().map(|derived| self.asset(derived)).collect() }
    }

    fn asset(&mut self, asset: &Asset) -> Prepared {
        let qualified_name = asset.qualified_name.as_str();
        let (place, part) = split_name(qualified_name);
        self.bytes.clear();
        write_attributes(&asset.attributes, &mut self.bytes);
        let attributes_end = self.bytes.len();
        if !asset.columns.is_empty() {
            pack_columns(&asset.columns, &mut self.bytes);
        }
        let attributes = text(&self.bytes[..attributes_end]);
        let columns = (!asset.columns.is_empty()).then(|| text(&self.bytes[attributes_end..]));
        let name: Option<Arc<str>> =
            (part != asset.name && decode_part(part) != asset.name).then(|| Arc::from(asset.name.as_str()));
        self.bytes.extend_from_slice(name.as_deref().unwrap_or_default().as_bytes());
        Prepared {
            place: self.place(place),
            part: Arc::from(part),
            kind: asset.kind,
            name_hash: xxh3_64_with_seed(qualified_name.as_bytes(), asset.kind.code().unsigned_abs()),
            name,
            attributes,
            columns,
            column_count: i64::try_from(asset.columns.len()).unwrap_or(i64::MAX),
            source_hash: None,
            content_hash: xxh3_64(&self.bytes).cast_signed(),
            location: asset.data_location(),
            search: SearchText::of(asset, &mut self.words),
            edges: edges_of(asset),
            source: identity::source_of(asset).map(|arn| Arc::from(arn.to_string())),
        }
    }

    /// The assets of one page mostly lie in one place.
    fn place(&mut self, path: &str) -> Arc<str> {
        match &self.place {
            Some(place) if **place == *path => Arc::clone(place),
            _ => Arc::clone(self.place.insert(Arc::from(path))),
        }
    }
}

/// What the document writers give is always UTF-8.
fn text(bytes: &[u8]) -> Arc<str> {
    Arc::from(str::from_utf8(bytes).unwrap_or_default())
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
        references
            .iter()
            .map(move |reference| make(identity::node_name(reference.qualified_name.as_str(), asset.kind)))
            .collect::<Vec<_>>()
    };
    let mut edges = side(Attribute::Inputs, Edge::input);
    edges.extend(side(Attribute::Outputs, Edge::output));
    edges
}
