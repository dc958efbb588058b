//! The nouns of Isinglass, pure: no async, no IO, no clock.
//!
//! Everything else is said in these words: what an asset is and how it is named ([`asset`], [`name`]), what a crawl
//! delivers ([`batch`]), how a run ended ([`run`]), and the one JSON form of all of it ([`document`]).

pub mod asset;
pub mod attribute;
pub mod batch;
pub mod columns;
pub mod document;
pub mod guid;
pub mod kind;
pub mod lineage;
pub mod location;
pub mod name;
pub mod run;
pub mod secret;
pub mod source;

pub use asset::{Asset, Reference};
pub use attribute::{Attribute, Attributes, Value};
pub use batch::{AssetBatch, Item, KnownAsset, MissingAsset, Scope, ScopeReport, SourceHash, Warning};
pub use columns::{Column, ColumnDraft, Columns};
pub use guid::Guid;
pub use kind::Kind;
pub use location::S3Location;
pub use name::{ConnectionName, QualifiedName};
pub use run::{ChangeCounts, Outcome, RunId};
pub use secret::Secret;
pub use source::GlueTableArn;
