//! Column flows as column processes.

use model::lineage::ProcessKind;
use model::{Asset, Attribute, Kind, Value};

use super::{Catalog, ColumnFlow, ORDERS, TOTALS, lines, map_columns, with_context};

fn flow(job: &str, output: (&str, &str), inputs: &[(&str, &str)]) -> ColumnFlow {
    let column = |(source, column): (&str, &str)| (source.to_owned(), column.to_owned());
    ColumnFlow {
        job: job.to_owned(),
        name: format!("{job} columns"),
        output: column(output),
        inputs: inputs.iter().copied().map(column).collect(),
    }
}

fn map(flows: &[ColumnFlow], catalog: &Catalog) -> Vec<Asset> {
    with_context(|context| map_columns(context, "dzd_1", flows, catalog))
}

#[test]
fn a_column_flow_is_a_process_from_columns_to_a_column_each_of_its_own_kind() {
    let catalog = Catalog::default().with(TOTALS, "p/totals");
    let processes =
        map(&[flow("load", (TOTALS, "sum"), &[("s3://lake/raw", "x"), (ORDERS, "price"), (ORDERS, "price")])], &catalog);
    let schema = Kind::SmusAssetSchema;
    let expected = format!("load columns: Column {ORDERS}/price, Column s3://lake/raw/x -> {schema} p/totals/sum");
    assert_eq!(lines(&processes), [expected]);
    assert_eq!(processes[0].kind, Kind::ColumnProcess);
    let kind = processes[0].attributes.get(Attribute::ProcessKind).and_then(Value::as_text);
    assert_eq!(kind, Some(ProcessKind::DataZone.as_str()));
}

#[test]
fn names_of_columns_are_encoded_in_qualified_names() {
    let processes = map(&[flow("load", ("b", "y z"), &[("a", "x/y")])], &Catalog::default());
    let mut encoded = String::new();
    model::name::encode_part("x/y", &mut encoded);
    let line = &lines(&processes)[0];
    assert!(!encoded.contains('/') && line.contains(&format!("Column a/{encoded} ->")), "{line}");
}

#[test]
fn a_column_that_is_made_from_no_column_is_no_process() {
    assert!(map(&[flow("load", ("b", "now"), &[])], &Catalog::default()).is_empty());
}

#[test]
fn every_asset_of_the_output_has_a_process_of_its_own() {
    let catalog = Catalog::default().with(TOTALS, "p1/totals").with(TOTALS, "p2/totals");
    let mut found = lines(&map(&[flow("load", (TOTALS, "sum"), &[("a", "x")])], &catalog));
    found.sort();
    let to = |project: &str| format!("load columns: Column a/x -> {} {project}/totals/sum", Kind::SmusAssetSchema);
    assert_eq!(found, [to("p1"), to("p2")]);
}

#[test]
fn two_jobs_that_make_one_column_are_two_processes_and_order_of_flows_makes_no_difference() {
    let flows = [
        flow("load", ("b", "y"), &[("a", "x")]),
        flow("fill", ("b", "y"), &[("a", "z")]),
        flow("load", ("b", "w"), &[("a", "x"), ("a", "z")]),
    ];
    let found = lines(&map(&flows, &Catalog::default()));
    assert_eq!(found.len(), 3, "{found:?}");
    let reversed: Vec<_> = flows.into_iter().rev().collect();
    assert_eq!(lines(&map(&reversed, &Catalog::default())), found);
}
