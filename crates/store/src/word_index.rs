//! The search index: which assets have which word, kept in ordinary tables of either database.
//!
//! It is an inverted index in immutable **segments**. A write adds one segment: the words of some assets in order, each with a
//! posting list (the ascending ids of the assets that have it), packed into pages of a few KiB. When a level has
//! [`merge::SEGMENTS_OF_A_LEVEL`] segments they become one of the next level, so that a word is looked up in a few dozen places at
//! most. What an asset was found by before it changed is not taken out: a **tombstone** says from which write on its words count,
//! questions leave out what came before, and merging drops it.
//!
//! All words of an asset lie in one segment, so a condition is met by an asset if it is met inside one segment.
//!
//! Why not the databases' own: `docs/decisions/013-own-search-index.md`.

mod build;
mod condition;
mod cursor;
mod lookup;
mod matches;
mod merge;
mod page;
mod rebuild;
mod segment;
mod snapshot;
mod write;

pub(crate) use build::WordPages;
pub(crate) use condition::Condition;
pub(crate) use matches::Matches;
pub(crate) use rebuild::rebuild;
pub(crate) use segment::Subject;
pub(crate) use snapshot::WordIndex;
pub(crate) use write::{add, remove, tidy};
