//! Names as people type and read them.

use std::collections::HashMap;

use model::name::decode_part;
use model::{GlueTableArn, QualifiedName};
use store::{Candidate, Found, Node, RunRef, Subject};

use crate::failure::Failure;

/// What is meant; where it could be several things, the error lists them.
pub(super) fn found(typed: &str, found: Found) -> Result<Subject, Failure> {
    match found {
        Found::One(subject) => Ok(*subject),
        Found::Candidates(candidates) if candidates.is_empty() => {
            Err(Failure::failed(format!("the catalog has nothing named \"{typed}\""), format!("Try `isinglass search {typed}`.")))
        }
        Found::Candidates(candidates) => {
            let listed: Vec<_> = candidates.iter().map(describe).collect();
            Err(Failure::failed(
                format!("\"{typed}\" could be:\n{}", listed.join("\n")),
                "Give more of the name: database/table, or the whole of it.",
            ))
        }
    }
}

fn describe(candidate: &Candidate) -> String {
    format!("    {} {}", candidate.kind, candidate.qualified_name)
}

/// The run that a user means: a number or `latest`.
pub(crate) fn run_ref(text: &str) -> Result<RunRef, Failure> {
    if text == "latest" {
        return Ok(RunRef::Latest);
    }
    text.parse()
        .map(|number| RunRef::Id(model::RunId(number)))
        .map_err(|_| Failure::usage(format!("\"{text}\" is no run: give a number or `latest`")))
}

/// A qualified name without its connection: what people read.
pub(crate) fn short(name: &QualifiedName) -> &str {
    let connection = model::name::connection_of(name.as_str()).unwrap_or_default();
    match name.as_str().strip_prefix(connection) {
        Some(rest) if !connection.is_empty() && !rest.is_empty() => rest.trim_start_matches('/'),
        _ => name.as_str(),
    }
}

/// A qualified name as people read it where nothing else is known: a table that is named by its ARN by where it lies.
pub(crate) fn label(name: &QualifiedName) -> String {
    match GlueTableArn::parse(name.as_str()) {
        Some(arn) => format!("{} ({})", decode_part(&arn.path_in("")), arn.region()),
        None => short(name).to_owned(),
    }
}

/// An asset by its name, where its qualified name is made of ids and does not say it.
pub(crate) fn title(name: &str, qualified_name: &QualifiedName) -> String {
    let label = label(qualified_name);
    let last = short(qualified_name).rsplit('/').next().unwrap_or_default();
    let is_said = decode_part(last) == name || GlueTableArn::parse(qualified_name.as_str()).is_some();
    if is_said { label } else { format!("{name} ({label})") }
}

/// What the nodes of a graph are called. Where two would be called the same, the whole qualified names tell them apart.
pub(crate) fn titles(nodes: &[Node]) -> HashMap<&QualifiedName, String> {
    let title_of = |node: &Node| title(&node.name, &node.reference.qualified_name);
    let mut uses: HashMap<String, usize> = HashMap::new();
    for node in nodes {
        *uses.entry(title_of(node)).or_default() += 1;
    }
    let own = |node: &Node| Some(title_of(node)).filter(|title| uses.get(title) == Some(&1));
    let titled = nodes.iter().map(|node| {
        let name = &node.reference.qualified_name;
        (name, own(node).unwrap_or_else(|| name.to_string()))
    });
    titled.collect()
}

/// Whether a name is one of something outside every connection, which only lineage can know.
pub(crate) fn is_outside(typed: &str) -> bool {
    typed.contains("://") || typed.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("arn:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_well_wherever_they_are_from() {
        for (name, qualified_name, read) in [
            ("orders", "default/glue/1/AwsDataCatalog/sales/orders", "AwsDataCatalog/sales/orders"),
            ("a/b", "default/glue/1/c/s/a%2Fb", "c/s/a%2Fb"),
            ("Purchases", "default/aws-smus/1/dzd_1/p/a1", "Purchases (dzd_1/p/a1)"),
            ("orders", "arn:aws:glue:eu-west-1:111122223333:table/sales/orders", "111122223333/sales/orders (eu-west-1)"),
            ("topic", "kafka://broker/topic", "kafka://broker/topic"),
            ("lake", "s3://lake", "s3://lake"),
        ] {
            assert_eq!(title(name, &QualifiedName::from_encoded(qualified_name)), read);
        }
    }
}
