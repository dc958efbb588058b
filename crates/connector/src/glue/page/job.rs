//! `GetJobs` (AWS Glue API reference, `Job`).

use serde::Deserialize;

use super::Timestamp;
use crate::glue::graph::JobGraphField;
use crate::privacy::{Arguments, FreeText, Location, Role, Text};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct JobsPage<'a> {
    #[serde(borrow, default)]
    pub(crate) jobs: Vec<Job<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Job<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) role: Option<Role<'a>>,
    pub(crate) created_on: Option<Timestamp>,
    pub(crate) last_modified_on: Option<Timestamp>,
    #[serde(borrow)]
    pub(crate) command: Option<JobCommand<'a>>,
    #[serde(borrow)]
    pub(crate) connections: Option<JobConnections<'a>>,
    #[serde(borrow, default)]
    pub(crate) default_arguments: Arguments<'a>,
    #[serde(borrow, default)]
    pub(crate) non_overridable_arguments: Arguments<'a>,
    #[serde(borrow)]
    pub(crate) glue_version: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) worker_type: Option<Text<'a>>,
    pub(crate) number_of_workers: Option<i64>,
    pub(crate) max_capacity: Option<f64>,
    pub(crate) timeout: Option<i64>,
    pub(crate) max_retries: Option<i64>,
    #[serde(borrow)]
    pub(crate) execution_class: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) job_mode: Option<Text<'a>>,
    #[serde(default)]
    pub(crate) code_gen_configuration_nodes: JobGraphField,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct JobCommand<'a> {
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    pub(crate) script_location: Option<Location>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct JobConnections<'a> {
    #[serde(borrow)]
    pub(crate) connections: Option<Vec<Text<'a>>>,
}
