//! A batch of assets as bytes: NDJSON under zstd, with a digest.
//!
//! ```text
//! {"scope":"AwsDataCatalog/sales"}
//! {"typeName":"Table","qualifiedName":"default/glue/7/…","name":"orders","sourceHash":"00ff…","attributes":{…},"columns":[…],"derived":[…]}
//! {"unchanged":[[17,"Table"],[18,"View"]]}
//! ```
//! What arrives is not trusted: compressed and uncompressed size, the number of lines and their form are checked before anything
//! of it is used.

use std::io::Read;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::document::{ReadError, pack_columns, read_attributes, unpack_columns, write_attributes};
use model::{Asset, AssetBatch, Columns, Item, Kind, KnownAsset, QualifiedName, Scope, SourceHash};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The most bytes of a batch as it travels.
pub const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most bytes of a batch before it is compressed.
pub const BATCH_TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The most lines of a batch.
pub const BATCH_LINES_MAX: usize = 20_000;
/// The most assets that one asset may have derived.
pub const DERIVED_MAX: usize = 10_000;
/// The most assets that one line may call unchanged.
const UNCHANGED_MAX: usize = 20_000;
/// Fast, and within a few percent of what slower levels give for lines as alike as these.
const COMPRESSION_LEVEL: i32 = 3;

/// A batch, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedBatch {
    /// NDJSON: what anybody may read.
    pub text: Vec<u8>,
    /// The same, compressed: what is sent.
    pub bytes: Vec<u8>,
    /// The digest of `text`.
    pub digest: BatchDigest,
}

impl std::fmt::Debug for EncodedBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EncodedBatch")
            .field("text_bytes", &self.text.len())
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// The SHA-256 of a batch before it is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchDigest(pub [u8; 32]);

impl BatchDigest {
    /// The digest of a batch's text.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, text).as_ref());
        Self(bytes)
    }

    /// As it stands in [`crate::DIGEST_HEADER`] (the form of RFC 9530): `sha-256=:<base64>:`.
    #[must_use]
    pub fn to_header(self) -> String {
        format!("sha-256=:{}:", STANDARD.encode(self.0))
    }

    /// From its header.
    #[must_use]
    pub fn from_header(header: &str) -> Option<Self> {
        let encoded = header.strip_prefix("sha-256=:")?.strip_suffix(':')?;
        STANDARD.decode(encoded).ok()?.try_into().ok().map(Self)
    }
}

/// Why bytes are no batch.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// More than is taken at once.
    #[error("the batch is larger than is taken: {what} exceed {most}")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// How much is taken.
        most: usize,
    },
    /// The bytes are not zstd.
    #[error("the batch cannot be decompressed")]
    Compression(#[source] std::io::Error),
    /// The content is not what its digest says.
    #[error("the batch is not what its digest says")]
    Digest,
    /// A line has another form.
    #[error("line {line} of the batch cannot be read")]
    Line {
        /// Which one, from 1.
        line: usize,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// A line names a kind of asset that is not known here.
    #[error("line {line} of the batch is of the unknown type `{type_name}`")]
    Kind {
        /// Which one, from 1.
        line: usize,
        /// What it names.
        type_name: String,
    },
    /// There is no first line.
    #[error("the batch does not begin with its scope")]
    NoScope,
}

#[derive(Serialize, Deserialize)]
struct ScopeLine<'a> {
    #[serde(borrow)]
    scope: std::borrow::Cow<'a, str>,
}

/// How a line of unchanged assets begins; every other line is an asset.
const UNCHANGED: &[u8] = b"{\"unchanged\":";

#[derive(Serialize, Deserialize)]
struct UnchangedLine<'a> {
    #[serde(borrow)]
    unchanged: Vec<(i64, std::borrow::Cow<'a, str>)>,
}

/// An asset on a line of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssetLine {
    /// What it is.
    pub type_name: String,
    /// Its name in the catalog.
    pub qualified_name: String,
    /// Its name in the source.
    pub name: String,
    /// The hash of the bytes that it was made from: 16 digits of lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_hash: Option<String>,
    /// Its attributes, as the catalog keeps them.
    pub attributes: Box<RawValue>,
    /// Its columns, packed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Box<RawValue>>,
    /// What was derived from the same bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<AssetLine>,
}

impl PartialEq for AssetLine {
    fn eq(&self, other: &Self) -> bool {
        let raw = |text: &Option<Box<RawValue>>| text.as_ref().map(|text| text.get().to_owned());
        (&self.type_name, &self.qualified_name, &self.name) == (&other.type_name, &other.qualified_name, &other.name)
            && self.source_hash == other.source_hash
            && self.attributes.get() == other.attributes.get()
            && raw(&self.columns) == raw(&other.columns)
            && self.derived == other.derived
    }
}

/// A hash as text.
pub(crate) fn hash_text(hash: SourceHash) -> String {
    format!("{:016x}", hash.0)
}

/// A hash from its text.
pub(crate) fn hash_of(text: &str) -> Option<SourceHash> {
    (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten().map(SourceHash)
}

fn raw(write: impl FnOnce(&mut Vec<u8>)) -> Box<RawValue> {
    let mut out = Vec::new();
    write(&mut out);
    let text = String::from_utf8(out).unwrap_or_default();
    RawValue::from_string(text).unwrap_or_default()
}

impl AssetLine {
    /// The line of an asset.
    #[must_use]
    pub fn of(asset: &Asset) -> Self {
        Self {
            type_name: asset.kind.type_name().to_owned(),
            qualified_name: asset.qualified_name.as_str().to_owned(),
            name: asset.name.clone(),
            source_hash: None,
            attributes: raw(|out| write_attributes(&asset.attributes, out)),
            columns: (!asset.columns.is_empty()).then(|| raw(|out| pack_columns(&asset.columns, out))),
            derived: Vec::new(),
        }
    }

    fn of_item(item: &Item) -> Self {
        Self {
            source_hash: item.source.map(hash_text),
            derived: item.derived.iter().map(Self::of).collect(),
            ..Self::of(&item.asset)
        }
    }

    /// The asset, unless its kind is not known.
    pub(crate) fn read(&self) -> Result<Option<Asset>, ReadError> {
        let Some(kind) = Kind::from_type_name(&self.type_name) else { return Ok(None) };
        let columns = self.columns.as_ref().map_or_else(|| Ok(Columns::default()), |packed| unpack_columns(packed.get()))?;
        Ok(Some(Asset {
            kind,
            qualified_name: QualifiedName::from_encoded(self.qualified_name.clone()),
            name: self.name.clone(),
            attributes: read_attributes(self.attributes.get())?,
            columns,
        }))
    }
}

/// Writes a batch. One whose text is larger than is taken has to be split first: see [`split`].
///
/// # Errors
/// When compression fails, which it has no reason to.
pub fn encode(batch: &AssetBatch) -> std::io::Result<EncodedBatch> {
    let mut text = Vec::new();
    write_line(&ScopeLine { scope: batch.scope.as_str().into() }, &mut text)?;
    for item in &batch.items {
        write_line(&AssetLine::of_item(item), &mut text)?;
    }
    if !batch.unchanged.is_empty() {
        let unchanged = batch.unchanged.iter().map(|known| (known.id, known.kind.type_name().into())).collect();
        write_line(&UnchangedLine { unchanged }, &mut text)?;
    }
    let bytes = zstd::bulk::compress(&text, COMPRESSION_LEVEL)?;
    Ok(EncodedBatch { digest: BatchDigest::of(&text), text, bytes })
}

fn write_line<T: Serialize>(line: &T, out: &mut Vec<u8>) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.push(b'\n');
    Ok(())
}

/// Cuts a batch in two halves; `None` where there is nothing to cut.
#[must_use]
pub fn split(mut batch: AssetBatch) -> Option<(AssetBatch, AssetBatch)> {
    if batch.items.len() < 2 {
        return None;
    }
    let items = batch.items.split_off(batch.items.len() / 2);
    let second = AssetBatch { scope: batch.scope.clone(), items, unchanged: Vec::new() };
    Some((batch, second))
}

/// Undoes the compression, within bounds.
///
/// # Errors
/// When there is too much of it, it is not zstd, or not what the digest says.
pub fn decompress(bytes: &[u8], digest: BatchDigest) -> Result<Vec<u8>, DecodeError> {
    if bytes.len() > BATCH_BYTES_MAX {
        return Err(DecodeError::TooLarge { what: "the compressed bytes", most: BATCH_BYTES_MAX });
    }
    let decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(DecodeError::Compression)?;
    let mut text = Vec::new();
    let most = u64::try_from(BATCH_TEXT_BYTES_MAX).unwrap_or(u64::MAX);
    decoder.take(most.saturating_add(1)).read_to_end(&mut text).map_err(DecodeError::Compression)?;
    if text.len() > BATCH_TEXT_BYTES_MAX {
        return Err(DecodeError::TooLarge { what: "the bytes", most: BATCH_TEXT_BYTES_MAX });
    }
    if BatchDigest::of(&text) != digest {
        return Err(DecodeError::Digest);
    }
    Ok(text)
}

/// Reads the text of a batch.
///
/// # Errors
/// When it has another form, or more lines than are taken.
pub fn decode(text: &[u8]) -> Result<AssetBatch, DecodeError> {
    let mut lines = text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
    let (_, first) = lines.next().ok_or(DecodeError::NoScope)?;
    let scope: ScopeLine<'_> = serde_json::from_slice(first).map_err(|_other| DecodeError::NoScope)?;
    let mut batch = AssetBatch { scope: Scope::new(scope.scope), items: Vec::new(), unchanged: Vec::new() };
    for (taken, (index, line)) in lines.enumerate() {
        if taken >= BATCH_LINES_MAX {
            return Err(DecodeError::TooLarge { what: "the lines", most: BATCH_LINES_MAX });
        }
        decode_line(line, index + 1, &mut batch)?;
    }
    Ok(batch)
}

fn decode_line(line: &[u8], number: usize, batch: &mut AssetBatch) -> Result<(), DecodeError> {
    let malformed = |source: serde_json::Error| DecodeError::Line { line: number, source: source.into() };
    if line.starts_with(UNCHANGED) {
        let UnchangedLine { unchanged } = serde_json::from_slice(line).map_err(malformed)?;
        if unchanged.len() > UNCHANGED_MAX {
            return Err(DecodeError::TooLarge { what: "the unchanged assets", most: UNCHANGED_MAX });
        }
        for (id, type_name) in unchanged {
            let unknown = || DecodeError::Kind { line: number, type_name: type_name.clone().into_owned() };
            batch.unchanged.push(KnownAsset { id, kind: Kind::from_type_name(&type_name).ok_or_else(unknown)? });
        }
        return Ok(());
    }
    let line: AssetLine = serde_json::from_slice(line).map_err(malformed)?;
    if line.derived.len() > DERIVED_MAX {
        return Err(DecodeError::TooLarge { what: "the derived assets", most: DERIVED_MAX });
    }
    let asset = asset_of(&line, number)?;
    let derived = line.derived.iter().map(|derived| asset_of(derived, number)).collect::<Result<_, _>>()?;
    batch.items.push(Item { asset, derived, source: line.source_hash.as_deref().and_then(hash_of) });
    Ok(())
}

fn asset_of(line: &AssetLine, number: usize) -> Result<Asset, DecodeError> {
    let asset = line.read().map_err(|source| DecodeError::Line { line: number, source })?;
    asset.ok_or_else(|| DecodeError::Kind { line: number, type_name: line.type_name.clone() })
}

#[cfg(test)]
mod tests;
