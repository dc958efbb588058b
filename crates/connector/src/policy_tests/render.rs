//! Traces to the page `docs/what-we-read.md`.

use std::fmt::Write as _;

use super::part::{Document, Part, Traced, is_about};
use super::sent::{Sent, spelt};
use super::shapes::{Model, Shape};
use super::tracer::Fate;
use crate::port::ReadOperation;

mod masks;

use masks::THROUGH;

const INTRODUCTION: &str = include_str!("introduction.md");

const NOT_NEEDED: &str = "Not needed.";

pub(super) fn page(parts: &[&Part]) -> String {
    let mut page = INTRODUCTION.to_owned();
    for part in parts {
        let model = part.model();
        write!(page, "\n{}", part.introduction.replace("{source}", &model.source)).unwrap();
        for (traced, (operation, _)) in part.traced().iter().zip(part.answers) {
            write_operation(&mut page, part, *operation, traced);
            page.push_str(&(part.below)(&model, *operation));
            for document in part.documents.iter().filter(|document| document.of == Some(*operation)) {
                write_document(&mut page, part, "####", document);
            }
        }
        page.push_str(&(part.closing)(part));
        page.push_str("\n## The keys that are known\n\n");
        for (what, keys) in part.lists {
            writeln!(page, "- {what}: {}.", list(keys.iter().map(|key| format!("`{key}`")))).unwrap();
        }
        write!(page, "\n## {}\n\n", part.sent_title).unwrap();
        write!(page, "{}\n\n", part.sent_about).unwrap();
        write_sent(&mut page, part, &model);
    }
    page
}

fn write_operation(page: &mut String, part: &Part, operation: ReadOperation, traced: &Traced) {
    write!(page, "\n### {}\n\n", traced.name).unwrap();
    for (_, about) in part.about.iter().filter(|about| about.0 == operation) {
        write!(page, "{about}\n\n").unwrap();
    }
    write_rows(page, part, traced);
}

pub(super) fn write_document(page: &mut String, part: &Part, level: &str, document: &Document) {
    write!(page, "\n{level} {}\n\n{}\n\n", document.title, document.about).unwrap();
    write_rows(page, part, &document.traced());
}

fn write_rows(page: &mut String, part: &Part, traced: &Traced) {
    let rows = traced.rows.iter().map(|(path, fate)| row(part, traced, path, *fate));
    table(page, &["Field", "What becomes of it", "How, or why not"], rows);
}

fn write_sent(page: &mut String, part: &Part, model: &Model) {
    let sent: Sent = (part.sent)(model);
    let rows = part.answers.iter().map(|(operation, _)| {
        let used = sent.get(operation).unwrap_or_else(|| panic!("{operation} is not called in the account in memory"));
        let of_model = model.members(&model.operations[operation.name()].input);
        assert!(
            used.keys().all(|member| of_model.contains_key(member)),
            "{operation}: {used:?} has members that AWS's model does not have"
        );
        let never = of_model.keys().filter(|member| !used.contains_key(*member)).map(|member| format!("`{member}`"));
        [format!("`{}`", operation.name()), list(used.iter().map(|(member, values)| spelt(member, values))), list(never)]
    });
    table(page, &["Operation", "Members that are sent", "Members that are never sent"], rows);
}

pub(super) fn table(page: &mut String, head: &[&str; 3], rows: impl Iterator<Item = [String; 3]>) {
    writeln!(page, "| {} |\n|---|---|---|", head.join(" | ")).unwrap();
    for cells in rows {
        writeln!(page, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")).unwrap();
    }
}

fn row(part: &Part, traced: &Traced, path: &str, fate: Fate) -> [String; 3] {
    let field = format!("`{path}`");
    let remark = part.remarks.iter().filter(|remark| is_about(remark.0, traced.name, path)).max_by_key(|remark| remark.0.len());
    match (fate, remark) {
        (Fate::Dropped, _) => {
            let reasons = part.dropped.iter().filter(|reason| is_about(reason.0, traced.name, path));
            let why = reasons.max_by_key(|reason| reason.0.len()).map_or(NOT_NEEDED, |reason| reason.1);
            let below = below(traced, path);
            [field, "dropped".into(), if below.is_empty() { why.into() } else { format!("{why} With all below it: {below}.") }]
        }
        (_, Some((_, what, how))) => [field, (*what).into(), (*how).into()],
        (Fate::Kept, None) => [field, "kept".into(), String::new()],
        (Fate::Raw, None) => panic!("{path} is handed on as JSON, but what becomes of it is not said"),
        (Fate::Through(name), None) => {
            let (_, what, how) =
                THROUGH.iter().find(|entry| entry.0 == name).unwrap_or_else(|| panic!("{name} masks, but how is not said"));
            [field, (*what).into(), (*how).into()]
        }
    }
}

/// The names below a member that is dropped as a whole.
fn below(traced: &Traced, path: &str) -> String {
    let mut shape = traced.shape;
    for part in path.split('.') {
        shape = match traced.model.shapes.get(shape) {
            Some(Shape::Structure { members }) => &members[part.trim_end_matches("[]")],
            Some(Shape::Map { value }) => value,
            _ => return String::new(),
        };
        shape = element(traced.model, shape);
    }
    list(names(traced.model, shape, traced.levels_below).into_iter().map(|name| format!("`{name}`")))
}

/// What a list, or a list of lists, is of.
fn element<'m>(model: &'m Model, mut shape: &'m str) -> &'m str {
    while let Some(Shape::List { member }) = model.shapes.get(shape) {
        shape = member;
    }
    shape
}

/// The names of a structure's members, on the last level that is wanted as paths.
fn names(model: &Model, shape: &str, levels: usize) -> Vec<String> {
    let Some(Shape::Structure { members }) = model.shapes.get(shape) else { return Vec::new() };
    let below = |(name, shape): (&String, &String)| {
        let deeper = if levels > 1 { names(model, shape, levels - 1) } else { Vec::new() };
        if deeper.is_empty() { vec![name.clone()] } else { deeper.into_iter().map(|below| format!("{name}.{below}")).collect() }
    };
    members.iter().flat_map(below).collect()
}

pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
