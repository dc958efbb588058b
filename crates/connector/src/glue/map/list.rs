//! Workflows, triggers, crawlers and connections: the small lists of an account.

use model::{Asset, Attribute, Kind, Value};

use super::MapContext;
use crate::glue::page::{
    Connection, Crawler, CrawlerTargets, Trigger, TriggerAction, TriggerCondition, Workflow, WorkflowEdge, WorkflowNode,
};
use crate::privacy::{Role, Text};

/// A workflow with its graph: types, names and edges, never runs.
pub(crate) fn map_workflow(context: &MapContext<'_>, workflow: &Workflow<'_>) -> Asset {
    let mut asset = Asset::new(Kind::GlueWorkflow, context.naming.listed("workflows", &workflow.name), &*workflow.name);
    let attributes = &mut asset.attributes;
    attributes
        .set_some(Attribute::Description, workflow.description.as_ref().map(|text| text.scrubbed(context.masked).into_owned()));
    attributes.set(Attribute::Arguments, workflow.default_run_properties.to_value(context.masked));
    attributes.set(Attribute::MaskedArguments, workflow.default_run_properties.masked_names());
    attributes.set_some(Attribute::MaxConcurrentRuns, workflow.max_concurrent_runs);
    attributes.set_some(Attribute::SourceCreatedAt, workflow.created_on.map(|time| time.0));
    attributes.set_some(Attribute::SourceUpdatedAt, workflow.last_modified_on.map(|time| time.0));
    if let Some(graph) = &workflow.graph {
        let node = |node: &WorkflowNode<'_>| {
            record([
                ("type", text(node.node_type.as_ref())),
                ("name", text(node.name.as_ref())),
                ("id", text(node.unique_id.as_ref())),
            ])
        };
        let edge = |edge: &WorkflowEdge<'_>| {
            record([("source", text(edge.source_id.as_ref())), ("destination", text(edge.destination_id.as_ref()))])
        };
        let nodes = Value::List(graph.nodes.iter().map(node).collect());
        let edges = Value::List(graph.edges.iter().map(edge).collect());
        attributes.set(Attribute::Graph, record([("nodes", Some(nodes)), ("edges", Some(edges))]));
    }
    asset
}

/// A trigger: when it fires and what it starts.
pub(crate) fn map_trigger(context: &MapContext<'_>, trigger: &Trigger<'_>) -> Asset {
    let mut asset = Asset::new(Kind::GlueTrigger, context.naming.listed("triggers", &trigger.name), &*trigger.name);
    let attributes = &mut asset.attributes;
    attributes
        .set_some(Attribute::Description, trigger.description.as_ref().map(|text| text.scrubbed(context.masked).into_owned()));
    attributes.set_some(Attribute::TriggerType, trigger.trigger_type.as_deref());
    attributes.set_some(Attribute::TriggerState, trigger.state.as_deref());
    attributes.set_some(Attribute::Schedule, trigger.schedule.as_deref());
    attributes.set_some(Attribute::WorkflowName, trigger.workflow_name.as_deref());
    if let Some(actions) = &trigger.actions {
        let action = |action: &TriggerAction<'_>| {
            record([
                ("jobName", text(action.job_name.as_ref())),
                ("crawlerName", text(action.crawler_name.as_ref())),
                ("arguments", Some(action.arguments.to_value(context.masked))),
                ("maskedArguments", Some(action.arguments.masked_names())),
            ])
        };
        attributes.set(Attribute::Actions, Value::List(actions.iter().map(action).collect()));
    }
    if let Some(predicate) = &trigger.predicate {
        let condition = |condition: &TriggerCondition<'_>| {
            record([
                ("logicalOperator", text(condition.logical_operator.as_ref())),
                ("jobName", text(condition.job_name.as_ref())),
                ("state", text(condition.state.as_ref())),
                ("crawlerName", text(condition.crawler_name.as_ref())),
                ("crawlState", text(condition.crawl_state.as_ref())),
            ])
        };
        let conditions = predicate.conditions.iter().flatten().map(condition).collect();
        attributes.set(
            Attribute::Predicate,
            record([("logical", text(predicate.logical.as_ref())), ("conditions", Some(Value::List(conditions)))]),
        );
    }
    asset
}

/// A crawler and what it looks at.
pub(crate) fn map_crawler(context: &MapContext<'_>, crawler: &Crawler<'_>) -> Asset {
    let mut asset = Asset::new(Kind::GlueCrawler, context.naming.listed("crawlers", &crawler.name), &*crawler.name);
    let attributes = &mut asset.attributes;
    attributes
        .set_some(Attribute::Description, crawler.description.as_ref().map(|text| text.scrubbed(context.masked).into_owned()));
    attributes.set_some(Attribute::Role, crawler.role.as_ref().and_then(Role::reference));
    attributes.set_some(Attribute::DatabaseName, crawler.database_name.as_deref());
    let schedule = crawler.schedule.as_ref().and_then(|schedule| schedule.schedule_expression.as_deref());
    attributes.set_some(Attribute::Schedule, schedule);
    attributes.set_some(Attribute::SourceCreatedAt, crawler.creation_time.map(|time| time.0));
    attributes.set_some(Attribute::SourceUpdatedAt, crawler.last_updated.map(|time| time.0));
    attributes.set_some(Attribute::Targets, crawler.targets.as_ref().map(map_targets));
    asset
}

fn map_targets(targets: &CrawlerTargets<'_>) -> Value {
    let mut list = Vec::new();
    for (kind, paths) in [("s3", &targets.s3), ("jdbc", &targets.jdbc), ("mongodb", &targets.mongodb)] {
        for target in paths.iter().flatten() {
            let path = target.path.as_deref().map(Value::from);
            list.push(record([
                ("kind", Some(kind.into())),
                ("path", path),
                ("connectionName", text(target.connection_name.as_ref())),
            ]));
        }
    }
    for target in targets.dynamodb.iter().flatten() {
        list.push(record([("kind", Some("dynamodb".into())), ("path", target.path.as_deref().map(Value::from))]));
    }
    for target in targets.catalog.iter().flatten() {
        let tables = target.tables.as_ref().map(|tables| Value::texts(tables.iter().map(ToString::to_string)));
        list.push(record([
            ("kind", Some("catalog".into())),
            ("databaseName", text(target.database_name.as_ref())),
            ("tables", tables),
        ]));
    }
    let delta = targets.delta.iter().flatten().flat_map(|target| target.delta_tables.iter().flatten()).map(|path| ("delta", path));
    let iceberg = targets.iceberg.iter().flatten().flat_map(|target| target.paths.iter().flatten()).map(|path| ("iceberg", path));
    let hudi = targets.hudi.iter().flatten().flat_map(|target| target.paths.iter().flatten()).map(|path| ("hudi", path));
    for (kind, path) in delta.chain(iceberg).chain(hudi) {
        list.push(record([("kind", Some(kind.into())), ("path", Some(Value::from(&**path)))]));
    }
    Value::List(list)
}

/// A Glue connection: where it leads, without what it signs in with.
pub(crate) fn map_connection(context: &MapContext<'_>, connection: &Connection<'_>) -> Asset {
    let mut asset = Asset::new(Kind::GlueConnection, context.naming.listed("connections", &connection.name), &*connection.name);
    let attributes = &mut asset.attributes;
    attributes
        .set_some(Attribute::Description, connection.description.as_ref().map(|text| text.scrubbed(context.masked).into_owned()));
    attributes.set_some(Attribute::ConnectionType, connection.connection_type.as_deref());
    attributes.set(Attribute::Properties, connection.connection_properties.to_value(context.masked));
    attributes.set_some(Attribute::SourceCreatedAt, connection.creation_time.map(|time| time.0));
    attributes.set_some(Attribute::SourceUpdatedAt, connection.last_updated_time.map(|time| time.0));
    asset
}

fn text(text: Option<&Text<'_>>) -> Option<Value> {
    text.filter(|text| !text.is_empty()).map(|text| Value::Text(text.to_string()))
}

/// A map of what is known: members without a value, and empty ones, are left out.
fn record<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let known = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Map(known.filter(|(_, value)| !value.is_empty()).collect())
}
