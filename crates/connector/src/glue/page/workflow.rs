//! `ListWorkflows`, `BatchGetWorkflows`, `GetTriggers` (AWS Glue API reference).

use serde::Deserialize;

use super::Timestamp;
use crate::privacy::{Arguments, FreeText, Text};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WorkflowNamesPage<'a> {
    #[serde(borrow, default)]
    pub(crate) workflows: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchGetWorkflowsAnswer<'a> {
    #[serde(borrow, default)]
    pub(crate) workflows: Vec<Workflow<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Workflow<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    #[serde(borrow, default)]
    pub(crate) default_run_properties: Arguments<'a>,
    pub(crate) created_on: Option<Timestamp>,
    pub(crate) last_modified_on: Option<Timestamp>,
    pub(crate) max_concurrent_runs: Option<i64>,
    #[serde(borrow)]
    pub(crate) graph: Option<WorkflowGraph<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WorkflowGraph<'a> {
    #[serde(borrow, default)]
    pub(crate) nodes: Vec<WorkflowNode<'a>>,
    #[serde(borrow, default)]
    pub(crate) edges: Vec<WorkflowEdge<'a>>,
}

/// Type, name and id only: the details of a node carry runs with their arguments.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WorkflowNode<'a> {
    #[serde(borrow, rename = "Type")]
    pub(crate) node_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) unique_id: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WorkflowEdge<'a> {
    #[serde(borrow)]
    pub(crate) source_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) destination_id: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TriggersPage<'a> {
    #[serde(borrow, default)]
    pub(crate) triggers: Vec<Trigger<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Trigger<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow)]
    pub(crate) workflow_name: Option<Text<'a>>,
    #[serde(borrow, rename = "Type")]
    pub(crate) trigger_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) state: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) schedule: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) actions: Option<Vec<TriggerAction<'a>>>,
    #[serde(borrow)]
    pub(crate) predicate: Option<TriggerPredicate<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TriggerAction<'a> {
    #[serde(borrow)]
    pub(crate) job_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) crawler_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) arguments: Arguments<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TriggerPredicate<'a> {
    #[serde(borrow)]
    pub(crate) logical: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) conditions: Option<Vec<TriggerCondition<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TriggerCondition<'a> {
    #[serde(borrow)]
    pub(crate) logical_operator: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) job_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) state: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) crawler_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) crawl_state: Option<Text<'a>>,
}
