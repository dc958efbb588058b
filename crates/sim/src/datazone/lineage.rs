//! Lineage: the graph of nodes, by id or source identifier, and the events that it is made of.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::listing::{ITEMS_MAX, list_values, matches};
use super::{Context, DataZoneError, Reply, picked, shown};
use crate::account::{Domain, Thing, text};
use crate::clock::{http_date, parse_iso_8601};

const UPSTREAM: &str = "upstreamLineageNodeIds";
const DOWNSTREAM: &str = "downstreamLineageNodeIds";
const OF_EVENT: [&str; 7] = ["id", "domainId", "processingStatus", "eventTime", "eventSummary", "createdBy", "createdAt"];

fn find_node<'d>(domain: &'d Domain, identifier: &str) -> Result<Cow<'d, Value>, DataZoneError> {
    let by_source = || domain.all(Thing::LineageNode).find(|node| text(node, "sourceIdentifier") == identifier).map(Cow::Borrowed);
    let found = domain.document(Thing::LineageNode, identifier).or_else(by_source);
    found.ok_or_else(|| DataZoneError::not_found("Lineage node", identifier))
}

fn ids<'n>(node: &'n Value, member: &str) -> impl Iterator<Item = &'n str> {
    node.get(member).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

pub(crate) fn get_lineage_node(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let domain = context.domain()?;
    let node = find_node(domain, context.input.text("identifier"))?;
    let mut answer = shown(&node);
    for (member, of) in [("upstreamNodes", UPSTREAM), ("downstreamNodes", DOWNSTREAM)] {
        answer.remove(of);
        let reference = |id: &str| {
            let other = domain.document(Thing::LineageNode, id);
            let time = other.and_then(|other| other.get("eventTimestamp").cloned());
            json!({"id": id, "eventTimestamp": time})
        };
        answer.insert(member.to_owned(), ids(&node, of).map(reference).collect());
    }
    Ok(Value::Object(answer).into())
}

/// The node and what lies within the path length of it in one direction, nearest first.
pub(crate) fn query_graph(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let domain = context.domain()?;
    let clauses = || context.input.get("match").and_then(Value::as_array).into_iter().flatten();
    let relation = clauses().find_map(|clause| clause.get("relationPattern"));
    let entity = clauses().find_map(|clause| clause.get("entityPattern"));
    let (Some(relation), Some(entity)) = (relation, entity) else {
        return Err(DataZoneError::validation("match must have one relationPattern and one entityPattern"));
    };
    let start = find_node(domain, text(entity, "identifier"))?;
    let member = if text(relation, "relationDirection") == "IN" { UPSTREAM } else { DOWNSTREAM };
    let length = relation.get("maxPathLength").and_then(Value::as_u64).unwrap_or(1);
    let nodes = within(domain, text(&start, "id"), member, length);
    let forms = context.input.get("additionalAttributes").and_then(|asked| asked.get("formNames")).cloned();
    let items = nodes.iter().filter_map(|id| domain.document(Thing::LineageNode, id));
    list_values(context, "items", ITEMS_MAX, items.map(|node| json!({"lineageNode": with_forms(&node, forms.as_ref())})))
}

fn within(domain: &Domain, start: &str, member: &str, length: u64) -> Vec<String> {
    let mut seen = BTreeSet::from([start.to_owned()]);
    let mut reached = vec![start.to_owned()];
    let mut edge = reached.clone();
    for _ in 0..length {
        let mut next = Vec::new();
        for node in edge.iter().filter_map(|id| domain.document(Thing::LineageNode, id)) {
            next.extend(ids(&node, member).filter(|id| seen.insert((*id).to_owned())).map(str::to_owned));
        }
        reached.extend_from_slice(&next);
        edge = next;
    }
    reached
}

// The graph shows only the forms that are asked for by name.
fn with_forms(node: &Value, names: Option<&Value>) -> Map<String, Value> {
    let mut item = shown(node);
    let wanted = |name: &Value| names.and_then(Value::as_array).is_some_and(|names| names.contains(name));
    if let Some(Value::Array(forms)) = item.get_mut("formsOutput") {
        forms.retain(|form| wanted(&form["formName"]));
    }
    item
}

pub(crate) fn list_lineage_events(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let (after, before) = (time_of(context, "timestampAfter")?, time_of(context, "timestampBefore")?);
    let wanted = |event: &&Value| {
        let time = seconds(event, "eventTime");
        matches(context, event, "processingStatus", "processingStatus")
            && after.is_none_or(|after| time > after)
            && before.is_none_or(|before| time < before)
    };
    let mut events: Vec<&Value> = context.domain()?.all(Thing::LineageEvent).filter(wanted).collect();
    events.sort_by_key(|event| seconds(event, "eventTime"));
    if context.input.peek("sortOrder") == Some("DESCENDING") {
        events.reverse();
    }
    list_values(context, "items", ITEMS_MAX, events.into_iter().map(|event| Value::Object(picked(event, &OF_EVENT))))
}

// Times in a query are ISO 8601.
fn time_of(context: &Context<'_>, member: &str) -> Result<Option<i64>, DataZoneError> {
    let Some(text) = context.input.peek(member) else { return Ok(None) };
    parse_iso_8601(text).map(Some).ok_or_else(|| DataZoneError::validation(format!("'{member}' is no time: {text}")))
}

#[expect(clippy::cast_possible_truncation, reason = "a cast saturates; times of fixtures are far inside the range")]
fn seconds(event: &Value, member: &str) -> i64 {
    event.get(member).and_then(Value::as_f64).unwrap_or(0.0) as i64
}

/// The event is the body as it was sent; what is known of it is in the headers.
pub(crate) fn get_lineage_event(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let event = context.named(Thing::LineageEvent, "identifier", "Lineage event")?;
    let mut headers = Vec::new();
    for (header, member) in
        [("domain-id", "domainId"), ("id", "id"), ("created-by", "createdBy"), ("processing-status", "processingStatus")]
    {
        headers.push((header, text(&event, member).to_owned()));
    }
    for (header, member) in [("event-time", "eventTime"), ("created-at", "createdAt")] {
        headers.push((header, http_date(seconds(&event, member))));
    }
    Ok(Reply { body: event["$payload"].to_string().into_bytes(), headers })
}
