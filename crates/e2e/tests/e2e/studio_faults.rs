//! Faults while a domain is crawled: what can be had is had, what cannot is said.

use std::collections::BTreeSet;

use sim::{Account, Fault, FaultKind, Mutation};

use crate::harness::{Assets, ROLE, World, unknown_keys};
use crate::studio::{DOMAIN, MARKETING, WITHOUT_CLOSED, at};

fn arguments() -> Vec<&'static str> {
    let mut all = vec!["--domain", DOMAIN, "--role-arn", ROLE, "--skip", "lineage"];
    all.extend(WITHOUT_CLOSED);
    all
}

fn undisturbed() -> Assets {
    World::realistic().smus_to_file(&arguments()).1
}

#[test]
fn passing_faults_change_nothing_in_the_result() {
    let expected = undisturbed();
    for kind in [
        FaultKind::Throttle,
        FaultKind::Internal,
        FaultKind::TruncatedBody,
        FaultKind::MalformedJson,
        FaultKind::HtmlError,
        FaultKind::ConnectionReset,
    ] {
        let world = World::realistic();
        for operation in ["Search", "SearchListings", "ListProjects", "GetProject", "ListSubscriptions"] {
            world.sim().add_fault(Fault::new(kind.clone()).on(operation).first(1));
        }
        let (crawled, assets) = world.smus_to_file(&arguments());
        crawled.expect(0);
        assets.expect_same(&expected);
    }
}

#[test]
fn a_session_that_ends_in_the_middle_is_renewed() {
    let expected = undisturbed();
    let world = World::realistic();
    world.sim().add_fault(Fault::new(FaultKind::ExpiredToken).on("SearchListings").first(1));
    let (crawled, assets) = world.smus_to_file(&arguments());
    let crawled = crawled.expect(0);
    assert_eq!(crawled.operation("sts:AssumeRole"), 2, "{:#}", crawled.report["operations"]);
    assets.expect_same(&expected);
}

#[test]
fn an_operation_that_is_denied_costs_its_part_only_and_is_named() {
    for (action, scope) in [
        ("datazone:SearchListings", "listings"),
        ("datazone:SearchTypes", "form-types"),
        ("datazone:ListSubscriptions", "subscriptions"),
        ("datazone:ListProjectProfiles", "project-profiles"),
    ] {
        let world = World::realistic();
        world.smus_to_catalog(&arguments()).expect(0);
        let before = world.exported().counts();
        world.change(Mutation::DenyAction { pattern: action.to_owned() });
        let crawled = world.smus_to_catalog(&arguments()).expect(3);
        let error = crawled.error_of(&format!("{DOMAIN}/{scope}"));
        assert_eq!(error["operation"], action, "{error:#}");
        assert!(error["suggestedAction"].as_str().unwrap().contains("isinglass policy smus"), "{error:#}");
        assert_eq!(crawled.change("archived"), 0, "{:#}", crawled.report);
        assert_eq!(world.exported().counts(), before, "{action}");
    }
}

#[test]
fn lineage_is_walked_node_by_node_where_the_graph_may_not_be_queried() {
    let lineage = ["--domain", DOMAIN, "--skip", "glossaries,data-products,subscriptions,environments,domain-units"];
    let processes = |world: &World| {
        let (_, assets) = world.smus_to_file(&lineage);
        let mut names: Vec<String> = assets.of("Process").map(ToString::to_string).collect();
        names.sort();
        names
    };
    let queried = World::realistic();
    let by_graph = processes(&queried);
    assert!(by_graph.len() > 2 && queried.sim().requests().count("datazone:GetLineageNode") == 0);
    let walked = World::realistic();
    walked.change(Mutation::DenyAction { pattern: "datazone:QueryGraph".to_owned() });
    assert_eq!(processes(&walked), by_graph);
    assert!(walked.sim().requests().count("datazone:GetLineageNode") > 5);
}

#[test]
fn wrong_credentials_and_a_service_that_is_gone_fail_with_what_to_do() {
    let world = World::realistic();
    let wrong = world.program(&["crawl", "smus", "--output", "-"]).keys(&unknown_keys()).run();
    wrong.says(1, &["what to do"]);
    assert!(wrong.stdout.is_empty(), "{}", wrong.stdout);
    let gone = world.program(&["crawl", "smus", "--output", "-"]).env("AWS_ENDPOINT_URL_DATAZONE", "http://127.0.0.1:1").run();
    gone.says(1, &["127.0.0.1", "what to do"]);
}

/// The ids of all published assets of an output.
fn published(assets: &Assets) -> BTreeSet<&str> {
    assets.of("SageMakerUnifiedStudioPublishedAsset").filter_map(|asset| asset["guid"].as_str()).collect()
}

#[test]
fn pages_that_shift_while_they_are_read_lose_nothing() {
    let clean = World::new(Account::bulk_datazone(2, 150, 3)).smus_to_file(&["--skip", "lineage"]);
    clean.0.expect(0);
    assert_eq!(published(&clean.1).len(), 300);
    for operation in ["SearchListings", "Search"] {
        let world = World::new(Account::bulk_datazone(2, 150, 3));
        for kind in [FaultKind::RepeatedItem, FaultKind::SkippedItem] {
            world.sim().add_fault(Fault::new(kind).on(operation).first(1));
        }
        let (crawled, assets) = world.smus_to_file(&["--skip", "lineage"]);
        crawled.expect(0);
        assets.expect_same(&clean.1);
    }
}

#[test]
fn an_asset_that_is_dropped_in_mid_crawl_costs_nothing_else() {
    let world = World::new(Account::bulk_datazone(2, 150, 3));
    world.smus_to_catalog(&["--skip", "lineage"]).expect(0);
    let asset = world.sim().read_account(|account| account.domain_ids("dzd_bulk0000000001", sim::Thing::Asset).pop()).unwrap();
    world.sim().add_fault(Fault::new(FaultKind::DropAssetAfterFirstPage { asset: Some(asset) }).on("SearchListings").first(1));
    let crawled = world.smus_to_catalog(&["--skip", "lineage"]).expect(0);
    assert_eq!((crawled.count("SageMakerUnifiedStudioPublishedAsset"), crawled.errors().len()), (299, 0), "{:#}", crawled.report);
    assert_eq!(crawled.change("archived"), 4, "the asset with its three columns: {:#}", crawled.report["changes"]);
}

#[test]
fn a_large_space_is_cut_and_its_parts_are_the_whole() {
    // By project, and where there is one project, by time.
    for (projects, assets_each) in [(6, 400), (1, 2_400)] {
        let world = World::new(Account::bulk_datazone(projects, assets_each, 1));
        let (crawled, assets) = world.smus_to_file(&["--skip", "lineage"]);
        let crawled = crawled.expect(0);
        assert_eq!(published(&assets).len(), 2_400, "{projects}");
        assert_eq!(crawled.count("SageMakerUnifiedStudioPublishedAsset"), 2_400, "each asset once");
        let pages = crawled.operation("datazone:SearchListings");
        assert!((48..=75).contains(&pages), "{projects}: {pages}");
        let filtered = world.sim().requests().calls.iter().filter(|call| call.parameters.contains("filters")).count();
        assert!(filtered > 0, "the space was not cut");
    }
}

#[test]
fn a_project_whose_environments_are_closed_is_there_without_them() {
    let world = World::realistic();
    world.sim().add_fault(Fault::new(FaultKind::DeniedByDataZone).on("ListEnvironments").in_project(MARKETING));
    let (crawled, assets) = world.smus_to_file(&arguments());
    let crawled = crawled.expect(3);
    crawled.error_of(&format!("{DOMAIN}/{MARKETING}/details"));
    let project = at(&assets, "SageMakerUnifiedStudioProject", &format!("{DOMAIN}/{MARKETING}"));
    assert!(project.get("smusProjectRoleArn").is_none() && project["smusProjectName"] == "Marketing", "{project:#}");
}
