//! What a crawl hands over: batches of assets, what it saw unchanged, and which scopes it read to the end.

use std::fmt;

use crate::{Asset, Kind, QualifiedName};

/// A part of the source that is listed as a whole, e.g. `AwsDataCatalog/sales` (the tables of a database) or `jobs`. What is
/// missing from a scope that was read completely may be gone; from any other scope nothing can be concluded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(String);

impl Scope {
    /// The scope of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A hash of the source bytes that an asset was made from, salted with the mapping's version and settings: where it is
/// unchanged, so is the asset, and the bytes need not be parsed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceHash(pub u64);

impl SourceHash {
    /// Hashes (XXH3, 64 bits; a tie between two versions of one table is a chance of 1 in 2^64) the source bytes of one asset.
    #[must_use]
    pub fn of(salt: u64, bytes: &[u8]) -> Self {
        Self(xxhash_rust::xxh3::xxh3_64_with_seed(bytes, salt))
    }
}

/// An asset that a store holds already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KnownAsset {
    /// The store's own number for it.
    pub id: i64,
    /// What it is.
    pub kind: Kind,
}

/// One asset found, with what was derived from it (lineage processes): those live and die with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The asset.
    pub asset: Asset,
    /// Processes derived from the same source bytes.
    pub derived: Vec<Asset>,
    /// The hash of those bytes, where the source allows to skip unchanged ones.
    pub source: Option<SourceHash>,
}

impl From<Asset> for Item {
    fn from(asset: Asset) -> Self {
        Self { asset, derived: Vec::new(), source: None }
    }
}

/// What one page gave. Applying a batch twice changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct AssetBatch {
    /// The scope that all of it belongs to.
    pub scope: Scope,
    /// Assets that are new or may have changed.
    pub items: Vec<Item>,
    /// Assets that the store holds already and that did not change.
    pub unchanged: Vec<KnownAsset>,
}

/// How far a scope was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeReport {
    /// Which scope.
    pub scope: Scope,
    /// Whether every page was read.
    pub complete: bool,
}

/// An asset that a store holds, and that a complete listing no longer had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingAsset {
    /// The store's number, and what it is.
    pub known: KnownAsset,
    /// Its name.
    pub qualified_name: QualifiedName,
}

/// Something odd that did not stop the crawl: the asset is there, but less than whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where: a scope or a path such as `AwsDataCatalog/sales/orders`.
    pub scope: String,
    /// What kind of thing, in a stable word for scripts (`column-type-unparsed`).
    pub code: &'static str,
    /// The same for people, with what to do where something can be done.
    pub message: String,
}
