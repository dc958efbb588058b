//! Crawls of SageMaker Unified Studio: what is found, with how few calls, in which order, and what never leaves.

use serde_json::{Value, json};
use sim::{Account, DomainMutation, Mutation};

use crate::harness::{Assets, CONNECTION_ID, ROLE, World};

/// The main domain of the simulated account, and its projects.
pub(crate) const DOMAIN: &str = "dzd_4kq8zr2m1x7n9a";
pub(crate) const SALES: &str = "prjsalesanalyt1";
pub(crate) const MARKETING: &str = "prjmarketing001";
/// The project that nobody who crawls is a member of.
pub(crate) const CLOSED: &str = "prjfinance00001";
pub(crate) const WITHOUT_CLOSED: [&str; 2] = ["--exclude-project", "Restricted*"];

/// The qualified name below the connection of these tests.
pub(crate) fn studio(path: &str) -> String {
    format!("default/aws-smus/{CONNECTION_ID}/{path}")
}

/// The one asset of a kind and path, with its attributes.
#[track_caller]
pub(crate) fn at<'a>(assets: &'a Assets, kind: &str, path: &str) -> &'a Value {
    &assets.named(kind, &studio(path))["attributes"]
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().map(|list| list.iter().filter_map(|one| one["qualifiedName"].as_str()).collect()).unwrap_or_default()
}

#[test]
fn everything_of_a_domain_is_found_and_the_run_says_what_it_could_not_see() {
    let world = World::realistic();
    let (crawled, assets) = world.smus_to_file(&["--role-arn", ROLE]);
    let crawled = crawled.expect(3);
    for (kind, at_least) in [
        ("SageMakerUnifiedStudioDomain", 3),
        ("SageMakerUnifiedStudioDomainUnit", 5),
        ("SageMakerUnifiedStudioProject", 5),
        ("SageMakerUnifiedStudioPublishedAsset", 40),
        ("SageMakerUnifiedStudioSubscribedAsset", 2),
        ("SageMakerUnifiedStudioDataProduct", 1),
        ("SageMakerUnifiedStudioAssetSchema", 100),
        ("AtlasGlossary", 3),
        ("AtlasGlossaryTerm", 20),
        ("Process", 3),
        ("ColumnProcess", 1),
    ] {
        assert!(crawled.count(kind) >= at_least, "{kind}: {:#}", crawled.report["counts"]);
    }
    let error = crawled.error_of(&format!("{DOMAIN}/{CLOSED}"));
    assert!(error["message"].as_str().unwrap().contains("no member of the project \"Restricted Finance\""), "{error:#}");
    assert_eq!((crawled.errors().len(), &error["category"]), (1, &json!("permission")), "{:#}", crawled.report["errors"]);
    let orders = at(&assets, "SageMakerUnifiedStudioPublishedAsset", &format!("{DOMAIN}/{SALES}/asset01orders"));
    assert_eq!(orders["smusAssetSourceIdentifier"], "arn:aws:glue:eu-west-1:111122223333:table/sales/orders");
    assert_eq!(orders["smusProjectName"], "Sales Analytics");
    let project = at(&assets, "SageMakerUnifiedStudioProject", &format!("{DOMAIN}/{SALES}"));
    for member in
        ["smusProjectStatus", "smusProjectProfileName", "smusProjectRoleArn", "smusProjectS3Location", "smusDomainUnitName"]
    {
        assert!(project[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {project:#}");
    }
    // What is published by a project is visible although the project is closed.
    assert!(
        assets.all().any(|asset| asset["attributes"]["smusOwningProjectId"] == CLOSED
            && asset["typeName"] == "SageMakerUnifiedStudioPublishedAsset")
    );
}

#[test]
fn terms_and_what_they_are_assigned_to_name_each_other_and_cycles_of_terms_end() {
    let world = World::realistic();
    let (_, assets) = world.smus_to_file(&["--skip", "lineage", "--domain", DOMAIN]);
    let mut assigned = 0;
    for term in assets.of("AtlasGlossaryTerm") {
        let name = term["attributes"]["qualifiedName"].as_str().unwrap();
        let anchor = term["attributes"]["anchor"].as_str().unwrap();
        assert!(name.starts_with(anchor) && assets.has("AtlasGlossary", anchor), "{term:#}");
        for entity in term["attributes"]["assignedEntities"].as_array().into_iter().flatten() {
            assigned += 1;
            if entity["typeName"] == "SageMakerUnifiedStudioAssetSchema" {
                continue;
            }
            let asset = assets.named(entity["typeName"].as_str().unwrap(), entity["qualifiedName"].as_str().unwrap());
            assert!(names(&asset["attributes"]["smusGlossaryTerms"]).contains(&name), "{asset:#} does not name {name}");
        }
        for relation in ["isA", "classifies"] {
            for other in names(&term["attributes"][relation]) {
                assert!(assets.has("AtlasGlossaryTerm", other), "{other}");
            }
        }
    }
    assert!(assigned > 5, "{assigned}");
}

#[test]
fn calls_grow_with_pages_and_never_with_assets() {
    let world = World::new(Account::realistic());
    let crawled = world.smus_to_file(&["--role-arn", ROLE, "--domain", DOMAIN]).0.expect(3);
    let assets = world.sim().read_account(|account| account.domain_ids(DOMAIN, sim::Thing::Asset).len());
    assert!(assets >= 40, "{assets}");
    for (operation, at_most) in [
        // Assets, glossaries, terms, products: a page each.
        ("datazone:Search", 4),
        ("datazone:SearchListings", 1),
        ("datazone:SearchTypes", 1),
        ("datazone:GetDomain", 1),
        ("datazone:ListDomains", 0),
        ("datazone:ListProjects", 1),
        ("datazone:ListProjectMemberships", 5),
        ("datazone:GetProject", 5),
        ("datazone:GetAsset", 2),
        ("datazone:GetListing", 0),
        ("datazone:GetLineageNode", 0),
        ("datazone:GetUserProfile", 1),
    ] {
        assert!(crawled.operation(operation) <= at_most, "{operation}: {:#}", crawled.report["operations"]);
    }
    assert!(crawled.operation("datazone:QueryGraph") <= 60, "{:#}", crawled.report["operations"]);
}

#[test]
fn sts_comes_first_and_datazone_is_asked_with_the_temporary_credentials_only() {
    let world = World::realistic();
    let crawled = world.smus_to_file(&["--role-arn", ROLE, "--skip", "lineage"]).0.expect(3);
    let seen = world.sim().requests();
    assert_eq!(seen.calls[0].operation, "sts:AssumeRole");
    assert!(seen.calls[0].parameters.contains("Policy"), "{}", seen.calls[0].parameters);
    assert_eq!(seen.count("sts:AssumeRole"), 1);
    assert!(seen.refused.is_empty(), "{:?}", seen.refused);
    let services: Vec<_> =
        crawled.report["endpoints"].as_array().unwrap().iter().map(|end| end["service"].as_str().unwrap()).collect();
    assert_eq!(services, ["sts", "datazone"]);
    assert_eq!(crawled.report["refusedOperations"], json!([]));
    let told = crawled.report["operations"].as_object().unwrap();
    assert!(told.iter().all(|(name, count)| seen.count(name) == count.as_u64().unwrap()), "{told:#?} {:#?}", seen.counts);
    // Without a role STS says who the keys belong to, so that memberships can be compared.
    world.sim().forget_requests();
    world.smus_to_file(&["--skip", "lineage"]).0.expect(3);
    assert_eq!(world.sim().requests().calls[0].operation, "sts:GetCallerIdentity");
}

#[test]
fn what_is_off_by_default_comes_when_it_is_asked_for() {
    let world = World::realistic();
    let (_, plain) = world.smus_to_file(&["--skip", "lineage", "--domain", DOMAIN]);
    assert_eq!(plain.of("SageMakerUnifiedStudioAsset").count(), 0);
    let forms = |assets: &Assets, member: &str| assets.all().filter(|asset| asset["attributes"].get(member).is_some()).count();
    assert_eq!(forms(&plain, "assetSmusMetadataFormKeyValueDetails"), 0);
    assert_eq!(forms(&plain, "smusSubscribedAssetRequestReason"), 0);
    assert!(forms(&plain, "assetSmusMetadataFormNames") > 0);
    let keep = "unpublished-assets,request-reasons,person-names,form-values=DataOwnerForm";
    let (_, kept) = world.smus_to_file(&["--skip", "lineage", "--domain", DOMAIN, "--keep", keep]);
    assert!(kept.of("SageMakerUnifiedStudioAsset").count() >= 3);
    assert!(forms(&kept, "assetSmusMetadataFormKeyValueDetails") > 0 && forms(&kept, "smusSubscribedAssetRequestReason") > 0);
    // Nothing else changes by it.
    for asset in plain.of("SageMakerUnifiedStudioPublishedAsset") {
        assert!(
            kept.has("SageMakerUnifiedStudioPublishedAsset", asset["attributes"]["qualifiedName"].as_str().unwrap()),
            "{asset:#}"
        );
    }
}

#[test]
fn subscribed_assets_say_who_asked_who_approved_and_how_many_columns() {
    let world = World::realistic();
    let (_, assets) = world.smus_to_file(&["--skip", "lineage", "--domain", DOMAIN]);
    let subscribed: Vec<_> = assets.of("SageMakerUnifiedStudioSubscribedAsset").map(|asset| &asset["attributes"]).collect();
    for asset in &subscribed {
        let publication = &asset["smusPublishedAsset"][0];
        assert!(publication["qualifiedName"].as_str().unwrap().starts_with(&studio(DOMAIN)), "{asset:#}");
        assert!(asset["smusSubscribedAssetProjectName"].is_string(), "{asset:#}");
    }
    let dated =
        |asset: &&&Value| asset["smusSubscribedAssetRequestDate"].is_i64() && asset["smusSubscribedAssetApprovalDate"].is_i64();
    assert!(subscribed.iter().any(|asset| dated(&asset)), "{subscribed:#?}");
    let narrowed = subscribed.iter().filter_map(|asset| asset["smusSubscribedAssetColumnAccessInfo"].as_str());
    let narrowed: Vec<_> = narrowed.filter(|text| text.starts_with("3 out of ")).collect();
    assert!(!narrowed.is_empty(), "{subscribed:#?}");
}

#[test]
fn odd_forms_cost_a_warning_and_never_the_asset() {
    let world = World::realistic();
    let (crawled, assets) = world.smus_to_file(&["--skip", "lineage", "--domain", DOMAIN]);
    let codes: Vec<_> = crawled.warnings().iter().filter_map(|warning| warning["code"].as_str()).collect();
    assert!(codes.contains(&"form-unreadable") && codes.contains(&"form-type-unknown"), "{codes:?}");
    for warning in crawled.warnings() {
        let path = warning["scope"].as_str().unwrap();
        assert!(assets.has("SageMakerUnifiedStudioPublishedAsset", &studio(path)), "{warning:#}");
    }
}

#[test]
fn projects_are_chosen_by_name_and_others_are_not_asked_about() {
    let world = World::realistic();
    let (crawled, assets) = world.smus_to_file(&["--skip", "lineage", "--domain", DOMAIN, "--include-project", "Marketing"]);
    let crawled = crawled.expect(0);
    assert_eq!(crawled.count("SageMakerUnifiedStudioProject"), 1);
    assert_eq!(crawled.operation("datazone:ListProjectMemberships"), 1);
    let owners =
        assets.of("SageMakerUnifiedStudioPublishedAsset").map(|asset| asset["attributes"]["smusOwningProjectId"].as_str().unwrap());
    let owners: std::collections::BTreeSet<_> = owners.collect();
    assert_eq!(owners.into_iter().collect::<Vec<_>>(), [MARKETING]);
    let (nothing, _) = world.smus_to_file(&["--skip", "lineage", "--domain", DOMAIN, "--include-project", "Marketign"]);
    nothing.has_warning(&format!("{DOMAIN}/projects"), "filter-matches-nothing");
}

#[test]
fn what_is_skipped_is_neither_called_nor_allowed() {
    let world = World::realistic();
    let all = "domain-units,environments,assets,subscriptions,data-products,glossaries,metadata-forms,lineage";
    let (crawled, assets) = world.smus_to_file(&["--role-arn", ROLE, "--domain", DOMAIN, "--skip", all]);
    crawled.expect(3);
    let called: Vec<_> = world.sim().requests().counts.into_keys().collect();
    let expected = [
        "datazone:GetDomain",
        "datazone:GetProject",
        "datazone:GetUserProfile",
        "datazone:ListProjectMemberships",
        "datazone:ListProjectProfiles",
        "datazone:ListProjects",
        "sts:AssumeRole",
    ];
    assert_eq!(called, expected);
    assert!(world.sim().requests().calls[0].parameters.matches("SearchListings").next().is_none());
    assert_eq!(assets.of("SageMakerUnifiedStudioProject").count(), 5);
}

#[test]
fn preflight_says_before_what_a_crawl_could_not_read() {
    let world = World::realistic();
    let well = world.program(&["preflight", "smus", "--role-arn", ROLE]).run();
    well.expect(0);
    for part in ["sign-in", "domains", "projects", "membership", "\"Restricted Finance\"", "--exclude-project"] {
        assert!(well.stdout.contains(part), "{part}: {}", well.stdout);
    }
    world.change(Mutation::InDomain { domain: DOMAIN.to_owned(), change: DomainMutation::Deny { denial: Some(sim::Denial::Iam) } });
    let denied = world.program(&["preflight", "smus", "--role-arn", ROLE]).run();
    denied.expect(1);
    assert!(denied.stdout.contains(DOMAIN) && denied.stdout.contains("isinglass policy smus"), "{}", denied.stdout);
    let unknown = world.program(&["preflight", "smus", "--domain", "dzd_nobodyknowsit"]).run();
    unknown.expect(1);
    assert!(unknown.stdout.contains("dzd_nobodyknowsit"), "{}", unknown.stdout);
}

#[test]
fn an_unchanged_domain_is_crawled_again_without_a_change() {
    let world = World::realistic();
    let first = world.smus_to_catalog(&["--skip", "lineage"]).expect(3);
    let second = world.smus_to_catalog(&["--skip", "lineage"]).expect(3);
    assert_eq!(second.changes(), [0, 0, first.total(), 0, 0, 0]);
    assert_eq!(
        world.exported().counts(),
        first.report["counts"].as_object().unwrap().iter().map(|(kind, count)| (kind.clone(), count.as_u64().unwrap())).collect()
    );
}
