//! `evidence`: what a run called, where it connected, what it masked.

use model::document::report::{Endpoint, Report};

use crate::arguments::EvidenceArguments;
use crate::catalog::{Catalog, run_ref};
use crate::clock::readable;
use crate::commands::crawl::findings;
use crate::failure::{Failure, Outcome, Status};
use crate::output::{Page, grouped, judged, print_json, readable_bytes};

pub(crate) async fn run(arguments: &EvidenceArguments) -> Outcome {
    let run = run_ref(&arguments.run)?;
    let catalog = Catalog::open(&arguments.from).await?;
    let run = catalog.run(run).await?.id;
    let Some(report) = catalog.report(run).await? else {
        return Err(Failure::failed(
            format!("run {run} has no report: it goes on, or was interrupted before it could write one"),
            "Crawl again; `isinglass runs` lists the runs.",
        ));
    };
    if arguments.from.json {
        print_json(&serde_json::to_value(&report).map_err(|error| Failure::from_error(&error))?)?;
    } else {
        page(run, &report).print()?;
    }
    Ok(Status::Complete)
}

fn page(run: model::RunId, report: &Report) -> Page {
    let mut page = Page::default();
    page.line(format!(
        "run {run} {}, {} to {}",
        judged(&report.outcome),
        readable(report.started_at),
        readable(report.finished_at)
    ));
    page.heading("calls");
    page.table(
        &["operation", "requests"],
        report.operations.iter().map(|(name, count)| vec![name.clone(), grouped(*count)]).collect(),
    );
    let refused = report.refused_operations.len() as u64;
    page.line(format!("  every one of them a read; operations refused by the gate: {}", grouped(refused)));
    for operation in &report.refused_operations {
        page.line(format!("    refused: {operation}"));
    }
    page.heading("connections");
    for endpoint in &report.endpoints {
        page.line(format!("  {} {}", endpoint.service, endpoint.host));
        page.facts(&endpoint_facts(endpoint));
    }
    if !report.masked.is_empty() {
        page.heading("masked");
        page.facts(&report.masked.iter().map(|(place, count)| (place.clone(), grouped(*count))).collect::<Vec<_>>());
    }
    findings(report, &mut page);
    page
}

fn endpoint_facts(endpoint: &Endpoint) -> Vec<(String, String)> {
    let mut facts = vec![
        (
            "  addresses".to_owned(),
            format!("{}{}", endpoint.addresses.join(", "), if endpoint.private { " (private)" } else { "" }),
        ),
        ("  connections".to_owned(), grouped(endpoint.connections)),
        ("  sent".to_owned(), readable_bytes(endpoint.bytes_sent)),
        ("  received".to_owned(), readable_bytes(endpoint.bytes_received)),
    ];
    facts.extend(endpoint.proxy.iter().map(|proxy| ("  proxy".to_owned(), proxy.clone())));
    match &endpoint.tls {
        Some(tls) => {
            facts.push(("  tls".to_owned(), format!("{}, certificate of {} by {}", tls.protocol, tls.subject, tls.issuer)));
            facts.push(("  certificate".to_owned(), format!("SHA-256 {}", tls.certificate_sha256)));
        }
        None => facts.push(("  tls".to_owned(), "none: plain HTTP, which is allowed to loopback only".to_owned())),
    }
    facts
}
