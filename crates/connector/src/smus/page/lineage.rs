//! `QueryGraph`, `GetLineageNode`, `ListLineageEvents` (Amazon DataZone API reference). The forms of nodes have no field here.

use serde::Deserialize;

use super::Timestamp;
use crate::privacy::{SourceIdentifier, Text};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueryGraphPage<'a> {
    #[serde(borrow, default)]
    pub(crate) items: Vec<GraphItem<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GraphItem<'a> {
    #[serde(borrow)]
    pub(crate) lineage_node: Option<LineageNode<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LineageNode<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) name: Option<SourceIdentifier<'a>>,
    #[serde(borrow)]
    pub(crate) type_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) source_identifier: Option<SourceIdentifier<'a>>,
    #[serde(borrow)]
    pub(crate) upstream_lineage_node_ids: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub(crate) downstream_lineage_node_ids: Option<Vec<Text<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LineageNodeAnswer<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) name: Option<SourceIdentifier<'a>>,
    #[serde(borrow)]
    pub(crate) type_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) source_identifier: Option<SourceIdentifier<'a>>,
    #[serde(borrow)]
    pub(crate) upstream_nodes: Option<Vec<NodeReference<'a>>>,
    #[serde(borrow)]
    pub(crate) downstream_nodes: Option<Vec<NodeReference<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NodeReference<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LineageEventsPage<'a> {
    #[serde(borrow, default)]
    pub(crate) items: Vec<LineageEvent<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LineageEvent<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) processing_status: Option<Text<'a>>,
    pub(crate) event_time: Option<Timestamp>,
    #[serde(borrow)]
    pub(crate) event_summary: Option<EventSummary<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventSummary<'a> {
    #[serde(borrow)]
    pub(crate) open_lineage_run_event_summary: Option<RunEventSummary<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunEventSummary<'a> {
    #[serde(borrow)]
    pub(crate) event_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) job: Option<NameIdentifier<'a>>,
    #[serde(borrow)]
    pub(crate) inputs: Option<Vec<NameIdentifier<'a>>>,
    #[serde(borrow)]
    pub(crate) outputs: Option<Vec<NameIdentifier<'a>>>,
}

/// How OpenLineage names a dataset or a job.
#[derive(Debug, Deserialize)]
pub(crate) struct NameIdentifier<'a> {
    #[serde(borrow)]
    pub(crate) name: Option<SourceIdentifier<'a>>,
    #[serde(borrow)]
    pub(crate) namespace: Option<SourceIdentifier<'a>>,
}
