//! A service that misbehaves: what passes is waited for, what stays costs its own part only, and nothing is taken for deleted.

use sim::{Account, Fault, FaultKind, Mutation, Role, Simulation};

use crate::harness::{Crawled, ROLE, World, account_of, program::wait_until, table};

const SALES: &str = "AwsDataCatalog/sales";

/// Two pages in one database, one page in each of the two others.
fn world() -> World {
    World::new(account_of(&[("finance", 8), ("sales", 150), ("web", 8)]))
}

#[track_caller]
fn is_unchanged(crawled: &Crawled) {
    assert_eq!(crawled.changes(), [0, 0, crawled.total(), 0, 0, 0], "{:#}", crawled.report);
}

/// Crawls well, then with faults, then well again: the faulty run is partial and loses nothing, the last one finds all unchanged.
#[track_caller]
fn costs_its_own_part_only(world: &World, faults: impl IntoIterator<Item = Fault>, scope: &str, category: &str) -> Crawled {
    let first = world.crawl_to_catalog(&[]).expect(0);
    world.sim().set_faults(faults);
    let faulty = world.crawl_to_catalog(&[]).expect(3);
    let error = faulty.error_of(scope);
    assert_eq!(error["category"], category, "{error:#}");
    assert!(faulty.ended.stdout.contains(scope), "the summary does not name {scope}: {}", faulty.ended.stdout);
    loses_nothing(&faulty);
    assert_eq!(world.exported().len() as u64, first.total());
    world.sim().set_faults([]);
    let again = world.crawl_to_catalog(&[]).expect(0);
    loses_nothing(&again);
    assert_eq!(again.total(), first.total());
    faulty
}

#[track_caller]
fn loses_nothing(crawled: &Crawled) {
    let [created, _, _, archived, restored, protected] = crawled.changes();
    assert_eq!((created, archived, restored, protected), (0, 0, 0, 0), "{:#}", crawled.report);
}

#[test]
fn what_is_not_known_this_time_stays_as_it_was_known_before() {
    let world = world();
    world.crawl_to_catalog(&[]).expect(0);
    let before = world.exported();
    world.sim().set_faults([Fault::new(FaultKind::DeniedByIam).on("GetTables").in_database("sales")]);
    world.crawl_to_catalog(&[]).expect(3);
    world.exported().expect_same(&before);
}

#[test]
fn a_denied_database_makes_the_run_partial_and_keeps_what_was_there() {
    for kind in [FaultKind::DeniedByIam, FaultKind::DeniedByLakeFormation] {
        let world = world();
        let by_lake_formation = kind == FaultKind::DeniedByLakeFormation;
        let faulty = costs_its_own_part_only(&world, [Fault::new(kind).on("GetTables").in_database("sales")], SALES, "permission");
        assert!(faulty.count("Table") >= 16, "the other databases were read: {:#}", faulty.report);
        let error = faulty.error_of(SALES);
        assert_eq!((error["operation"].as_str(), error["retryable"].as_bool()), (Some("glue:GetTables"), Some(false)), "{error:#}");
        let action = error["suggestedAction"].as_str().unwrap();
        let hint = if by_lake_formation { "Lake Formation" } else { "isinglass policy glue" };
        assert!(action.contains(hint), "the remedy does not name {hint}: {action}");
    }
}

#[test]
fn a_first_crawl_with_a_denied_database_has_the_others() {
    let world = world();
    world.sim().set_faults([Fault::new(FaultKind::DeniedByIam).on("GetTables").in_database("sales")]);
    let (crawled, assets) = world.crawl_to_file(&[]);
    crawled.expect(3).error_of(SALES);
    assert!(assets.has_at("Schema", SALES) && assets.names_below("Table", SALES).is_empty());
    assert_eq!(assets.names_below("Table", "AwsDataCatalog/finance").len(), 8);
    let attributes = assets.at("Schema", SALES);
    assert!(attributes["tableCount"].is_null(), "a count that is not known is absent: {attributes:#}");
}

#[test]
fn denied_jobs_cost_the_jobs_only() {
    let world = World::realistic();
    let faulty = costs_its_own_part_only(&world, [Fault::new(FaultKind::DeniedByIam).on("GetJobs")], "jobs", "permission");
    assert!(faulty.error_of("jobs")["message"].as_str().unwrap().contains("glue:GetJobs"));
}

#[test]
fn every_list_that_is_denied_costs_itself_only() {
    let world = World::realistic();
    let first = world.crawl_to_catalog(&[]).expect(0);
    let denied = ["GetJobs", "ListWorkflows", "GetTriggers", "GetCrawlers", "GetConnections"];
    for pattern in denied {
        world.change(Mutation::DenyAction { pattern: format!("glue:{pattern}") });
    }
    let partial = world.crawl_to_catalog(&[]).expect(3);
    for scope in ["jobs", "workflows", "triggers", "crawlers", "connections"] {
        partial.error_of(scope);
    }
    assert_eq!((partial.change("archived"), partial.change("protected")), (0, 0));
    assert_eq!(world.exported().len() as u64, first.total());
    for pattern in denied {
        world.change(Mutation::AllowAction { pattern: format!("glue:{pattern}") });
    }
    is_unchanged(&world.crawl_to_catalog(&[]).expect(0));
}

#[test]
fn everything_denied_fails_and_prints_what_to_do() {
    let world = world();
    let first = world.crawl_to_catalog(&[]).expect(0);
    world.change(Mutation::DenyAction { pattern: "glue:*".to_owned() });
    let failed = world.crawl_to_catalog(&[]).expect(1);
    failed.ended.says(1, &["glue:Get", "policy", "what to do"]);
    assert_eq!((failed.change("archived"), failed.change("protected")), (0, 0));
    assert_eq!(world.exported().len() as u64, first.total());
}

#[test]
fn a_denied_catalog_list_takes_the_own_catalog_and_says_so() {
    let world = World::realistic();
    let first = world.crawl_to_catalog(&[]).expect(0);
    world.change(Mutation::DenyAction { pattern: "glue:GetCatalogs".to_owned() });
    let partial = world.crawl_to_catalog(&[]).expect(3);
    assert!(partial.errors().iter().any(|error| error["operation"] == "glue:GetCatalogs"), "{:#}", partial.report);
    assert_eq!((partial.change("archived"), partial.change("created")), (0, 0), "{:#}", partial.report);
    assert_eq!(world.exported().len() as u64, first.total());
}

#[test]
fn throttling_at_five_requests_a_second_completes() {
    let account = account_of(&[
        ("a", 3),
        ("b", 3),
        ("c", 3),
        ("d", 3),
        ("e", 3),
        ("f", 3),
        ("g", 3),
        ("h", 3),
        ("i", 120),
        ("j", 3),
        ("k", 3),
        ("l", 3),
    ]);
    let world = World::new(account);
    world.sim().set_faults([Fault::new(FaultKind::RateLimit { per_second: 5 })]);
    let (crawled, assets) = world.crawl_to_file(&[]);
    let crawled = crawled.expect(0);
    assert_eq!((assets.of("Table").count(), crawled.count("Table")), (153, 153));
    assert!(world.sim().requests().errors.contains_key("glue:GetTables ThrottlingException"), "nothing was throttled");
}

#[test]
fn faults_that_pass_are_waited_for() {
    for kind in [
        FaultKind::Internal,
        FaultKind::Throttle,
        FaultKind::TruncatedBody,
        FaultKind::MalformedJson,
        FaultKind::HtmlError,
        FaultKind::ConnectionReset,
        FaultKind::Error { code: "OperationTimeoutException".to_owned(), status: 400, message: "Timed out".to_owned() },
    ] {
        let world = world();
        for operation in ["GetCatalogs", "GetDatabases", "GetTables", "GetJobs"] {
            world.sim().add_fault(Fault::new(kind.clone()).on(operation).first(1));
        }
        let (crawled, assets) = world.crawl_to_file(&[]);
        assert_eq!(crawled.expect(0).count("Table"), 166, "{kind:?}");
        assert_eq!(assets.of("Table").count(), 166, "{kind:?}");
    }
}

#[test]
fn bodies_that_stay_broken_cost_their_database_only() {
    for kind in [FaultKind::TruncatedBody, FaultKind::MalformedJson] {
        costs_its_own_part_only(&world(), [Fault::new(kind).on("GetTables").in_database("sales")], SALES, "malformed");
    }
}

#[test]
fn a_service_that_stays_out_of_order_costs_its_databases_only() {
    let world = World::new(account_of(&[("finance", 8), ("html", 8), ("reset", 8), ("sales", 150), ("slow", 8)]));
    let timeout = FaultKind::Error { code: "OperationTimeoutException".to_owned(), status: 400, message: "Timed out".to_owned() };
    let faults =
        [("sales", FaultKind::Internal), ("html", FaultKind::HtmlError), ("reset", FaultKind::ConnectionReset), ("slow", timeout)];
    let rules = faults.clone().map(|(database, kind)| Fault::new(kind).on("GetTables").in_database(database));
    let faulty = costs_its_own_part_only(&world, rules, SALES, "network");
    assert_eq!(faulty.count("Table"), 8, "what answers was read: {:#}", faulty.report);
    for (database, _) in faults {
        let error = faulty.error_of(&format!("AwsDataCatalog/{database}"));
        assert_eq!((error["category"].as_str(), error["retryable"].as_bool()), (Some("network"), Some(true)), "{error:#}");
    }
    assert_eq!(faulty.errors().len(), 4);
    assert!(!faulty.ended.stdout.contains("<!doctype"), "{}", faulty.ended.stdout);
}

#[test]
fn a_page_token_that_repeats_ends_its_listing_and_makes_the_run_partial() {
    let world = world();
    let faulty = costs_its_own_part_only(
        &world,
        [Fault::new(FaultKind::RepeatToken).on("GetTables").in_database("sales")],
        SALES,
        "malformed",
    );
    assert!(faulty.error_of(SALES)["message"].as_str().unwrap().contains("token"));
    assert!(faulty.operation("glue:GetTables") < 20, "{:#}", faulty.report);
}

#[test]
fn empty_and_short_pages_with_tokens_lose_nothing() {
    let world = world();
    world.sim().set_faults([
        Fault::new(FaultKind::EmptyPage).on("GetTables").every(2),
        Fault::new(FaultKind::ShortPage { items: 7 }).on("GetTables"),
        Fault::new(FaultKind::EmptyPage).on("GetDatabases").first(1),
    ]);
    let (crawled, assets) = world.crawl_to_file(&[]);
    assert_eq!((crawled.expect(0).count("Table"), assets.of("Table").count()), (166, 166));
}

#[test]
fn a_database_that_vanishes_between_its_pages_is_archived_and_the_run_is_complete() {
    let world = World::new(account_of(&[("finance", 800), ("sales", 150)]));
    world.crawl_to_catalog(&[]).expect(0);
    world.sim().set_faults([Fault::new(FaultKind::DatabaseVanishes).on("GetTables").in_database("sales").first(1)]);
    let vanished = world.crawl_to_catalog(&[]).expect(0);
    world.sim().set_faults([]);
    assert_eq!((vanished.change("created"), vanished.change("protected")), (0, 0), "{:#}", vanished.report);
    // Whatever the run in which it vanished has made of it, the next one has it right.
    let next = world.crawl_to_catalog(&[]).expect(0);
    assert_eq!((next.count("Schema"), next.count("Table")), (1, 800));
    let left = world.exported();
    assert!(!left.has_at("Schema", SALES));
    assert_eq!(left.names_below("Table", SALES), Vec::<String>::new());
}

#[test]
fn a_table_dropped_in_mid_crawl_is_not_missed_and_not_invented() {
    let world = world();
    world.crawl_to_catalog(&[]).expect(0);
    world.sim().set_faults([Fault::new(FaultKind::DropTableAfterFirstPage { table: Some("t0149".to_owned()) })
        .in_database("sales")
        .first(1)]);
    let during = world.crawl_to_catalog(&[]).expect(0);
    assert_eq!((during.count("Table"), during.change("created")), (165, 0));
    assert!(!world.exported().has_at("Table", "AwsDataCatalog/sales/t0149"));
    is_unchanged(&world.crawl_to_catalog(&[]).expect(0));
}

#[test]
fn what_lake_formation_hides_is_kept_and_the_run_is_partial() {
    let world = world();
    let first = world.crawl_to_catalog(&[]).expect(0);
    let before = world.exported();
    world.change(Mutation::Hide { catalog: None, database: "sales".to_owned(), table: Some("t0003".to_owned()) });
    let hidden = world.crawl_to_catalog(&[]).expect(3);
    assert_eq!((hidden.change("archived"), hidden.change("protected")), (0, 0), "{:#}", hidden.report);
    let error = hidden.error_of(SALES);
    assert_eq!(error["category"], "permission");
    assert!(error["suggestedAction"].as_str().unwrap().contains("Lake Formation"), "{error:#}");
    hidden.has_warning("AwsDataCatalog/sales/t0003", "absence-unproven");
    assert!(world.exported().has_at("Table", "AwsDataCatalog/sales/t0003"));

    world.change(Mutation::Unhide { catalog: None, database: "sales".to_owned(), table: Some("t0003".to_owned()) });
    let again = world.crawl_to_catalog(&[]).expect(0);
    assert_eq!((again.total(), again.change("restored")), (first.total(), 0));
    world.exported().expect_same(&before);
}

#[test]
fn a_hidden_database_is_kept_and_the_run_is_partial() {
    let world = world();
    let first = world.crawl_to_catalog(&[]).expect(0);
    world.change(Mutation::Hide { catalog: None, database: "web".to_owned(), table: None });
    let hidden = world.crawl_to_catalog(&[]).expect(3);
    assert_eq!((hidden.change("archived"), hidden.change("protected")), (0, 0), "{:#}", hidden.report);
    assert_eq!(world.exported().len() as u64, first.total());
}

#[test]
fn a_federated_catalog_that_is_down_costs_itself_only() {
    let world = World::realistic();
    let first = world.crawl_to_catalog(&[]).expect(0);
    let down =
        FaultKind::Error { code: "FederationSourceException".to_owned(), status: 400, message: "The source is down".to_owned() };
    world.sim().set_faults([Fault::new(down).in_catalog("111122223333:snowflake_crm/crm")]);
    let partial = world.crawl_to_catalog(&[]).expect(3);
    assert!(
        partial.errors().iter().all(|error| error["scope"].as_str().unwrap().contains("snowflake_crm")),
        "{:#}",
        partial.report
    );
    assert_eq!((partial.change("archived"), partial.change("protected")), (0, 0));
    assert_eq!(world.exported().len() as u64, first.total());
}

/// A role whose sessions have to be renewed while the crawl goes on.
fn role_world() -> World {
    let mut account = Account::bulk(4, 300, 4);
    account.put_role(Role::new(ROLE));
    World::with(Simulation::builder().account(account).latency_ms(80))
}

#[test]
fn sessions_that_expire_in_mid_crawl_are_renewed() {
    let world = role_world();
    let (program, report) =
        world.crawl_program(&["--output", &world.text_path("out.ndjson"), "--role-arn", ROLE, "--concurrency", "1"]);
    let run = program.start();
    wait_until("some pages are read", || world.sim().requests().count("glue:GetTables") > 3);
    world.change(Mutation::ExpireSessions);
    let crawled = Crawled::of(run.wait(), &report).expect(0);
    assert_eq!((crawled.count("Table"), crawled.operation("sts:AssumeRole")), (1200, 2), "{:#}", crawled.report);
    assert_eq!(world.sim().requests().count("sts:AssumeRole"), 2);
}

#[test]
fn sessions_of_a_few_seconds_are_renewed_as_often_as_needed() {
    let world = role_world();
    world.change(Mutation::SetSessionSeconds { seconds: Some(1) });
    let (crawled, assets) = world.crawl_to_file(&["--role-arn", ROLE, "--concurrency", "1"]);
    let crawled = crawled.expect(0);
    assert_eq!(assets.of("Table").count(), 1200);
    assert!(crawled.operation("sts:AssumeRole") >= 2, "{:#}", crawled.report);
}

#[test]
fn an_expired_token_that_is_answered_once_is_asked_again() {
    let world = role_world();
    world.sim().set_faults([Fault::new(FaultKind::ExpiredToken).on("GetTables").first(1)]);
    let (crawled, assets) = world.crawl_to_file(&["--role-arn", ROLE]);
    crawled.expect(0);
    assert_eq!(assets.of("Table").count(), 1200);
}

#[test]
fn a_role_without_a_session_policy_is_never_used_in_silence() {
    let world = world();
    world.sim().set_faults([Fault::new(FaultKind::PackedPolicyTooLarge).first(1)]);
    let (crawled, _) = world.crawl_to_file(&["--role-arn", ROLE]);
    let crawled = crawled.expect(0);
    let said = crawled.report["warnings"].to_string();
    assert!(said.contains("session policy"), "{:#}", crawled.report);
    assert!(crawled.ended.stdout.contains("session policy"), "{}", crawled.ended.stdout);
}

#[test]
fn a_server_that_dies_in_mid_crawl_ends_the_run_in_bounded_time_and_loses_nothing() {
    let world = world();
    let first = world.crawl_to_catalog(&[]).expect(0);
    let doomed = World::with(Simulation::builder().account(Account::bulk(6, 300, 4)).latency_ms(150));
    let dead = doomed.sim().endpoint();
    let catalog = world.catalog();
    let (program, report) = doomed.crawl_program(&["--catalog", &catalog, "--connection", "doomed", "--concurrency", "2"]);
    let run = program.start();
    wait_until("some pages are read", || doomed.sim().requests().count("glue:GetTables") > 3);
    drop(doomed.aws);
    let ended = run.wait();
    let status = ended.status;
    assert!(matches!(status, Some(1 | 3)), "{ended:?}");
    let crawled = Crawled::of(ended, &report).expect(status.unwrap());
    let address = dead.trim_start_matches("http://").split(':').next().unwrap();
    let error = crawled.errors().iter().find(|error| error["category"] == "network");
    let error = error.unwrap_or_else(|| panic!("no network error: {:#}", crawled.report));
    assert!(error["message"].as_str().unwrap().contains(address), "the message does not say where: {error:#}");
    assert!(!error["suggestedAction"].as_str().unwrap().is_empty());
    assert_eq!(crawled.change("archived"), 0);
    is_unchanged(&world.crawl_to_catalog(&[]).expect(0));
    assert!(world.exported().len() as u64 >= first.total());
}

#[test]
fn a_server_that_is_not_there_fails_and_says_where_it_was_looked_for() {
    let world = world();
    // The discard port: nothing listens there.
    let program = world.program(&["crawl", "glue", "--output", "-"]).env("AWS_ENDPOINT_URL_GLUE", "http://127.0.0.1:9");
    let ended = program.run();
    ended.says(1, &["127.0.0.1", "what to do"]);
}

#[test]
fn a_new_table_is_found_beside_a_denied_database() {
    let world = world();
    world.crawl_to_catalog(&[]).expect(0);
    world.sim().set_faults([Fault::new(FaultKind::DeniedByIam).on("GetTables").in_database("sales")]);
    world.change(Mutation::PutTable { document: table("web", "clicks", &[("url", "string")]) });
    let partial = world.crawl_to_catalog(&[]).expect(3);
    // The table, its column, its location and the process between the two.
    assert_eq!((partial.change("created"), partial.change("archived")), (4, 0), "{:#}", partial.report);
}
