//! The pages of Glue's answers. **These structs are the privacy policy**: a field that is not here is never parsed, so it cannot
//! be kept; a field that may hold a secret or business data has a type of [`crate::privacy`] that masks on the way in.
//!
//! `docs/what-we-read.md` lists every field of AWS's public service model with what becomes of it; a test compares.

mod catalog;
mod connection;
mod crawler;
mod job;
mod table;
mod workflow;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

pub(crate) use catalog::{Catalog, CatalogAnswer, CatalogsPage, Database, DatabaseAnswer, DatabasesPage};
pub(crate) use connection::{Connection, ConnectionsPage};
pub(crate) use crawler::{Crawler, CrawlerTargets, CrawlersPage};
pub(crate) use job::{Job, JobsPage};
pub(crate) use table::{Column, StorageDescriptor, Table, TableAnswer, TablesPage, ViewRepresentation};
pub(crate) use workflow::{
    BatchGetWorkflowsAnswer, Trigger, TriggerAction, TriggerCondition, TriggersPage, Workflow, WorkflowEdge, WorkflowNamesPage,
    WorkflowNode,
};

/// A point in time as Glue sends it: seconds since 1970 UTC with a fraction (AWS JSON 1.1), kept as milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timestamp(pub(crate) i64);

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        #[expect(clippy::cast_possible_truncation, reason = "a cast saturates; times of catalogs are far inside the range")]
        Ok(Self((seconds * 1000.0).round() as i64))
    }
}

/// Whether a member is there, without its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "PresentMember")]
pub(crate) struct Present(pub(crate) bool);

/// A member whose content is skipped.
#[derive(Deserialize)]
#[serde(rename = "Present")]
struct PresentMember(Option<IgnoredAny>);

impl From<PresentMember> for Present {
    fn from(member: PresentMember) -> Self {
        Self(member.0.is_some())
    }
}
