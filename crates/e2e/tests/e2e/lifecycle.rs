//! The life of a catalog: crawls that are cut off, that find nothing new, and that find things gone.

use sim::{Account, Mutation};

use crate::harness::program::wait_until;
use crate::harness::{CONNECTION_ID, Crawled, World, account_of};

fn drop_table(database: &str, table: &str) -> Mutation {
    Mutation::DropTable { catalog: None, database: database.to_owned(), table: table.to_owned() }
}

#[track_caller]
fn is_unchanged(crawled: &Crawled) {
    assert_eq!(crawled.changes(), [0, 0, crawled.total(), 0, 0, 0], "{:#}", crawled.report);
}

/// Five databases read one page at a time, so that there is a middle.
fn slow_world() -> World {
    let world = World::new(Account::bulk(5, 200, 6));
    world.sim().set_latency_ms(150);
    world
}

#[test]
fn a_crawl_killed_in_the_middle_is_completed_by_the_next_one() {
    let world = slow_world();
    let arguments = ["--catalog", &world.catalog(), "--connection-id", CONNECTION_ID, "--concurrency", "1"];
    let mut killed = world.program(&["crawl", "glue"]).args(&arguments).start();
    wait_until("half the pages are read", || world.sim().requests().count("glue:GetTables") > 5);
    killed.kill();
    assert_eq!(killed.wait().status, None, "the run ended by itself before it was killed");
    world.sim().set_latency_ms(0);
    let next = world.crawl(&arguments).expect(0);
    assert_eq!(next.report["counts"], World::new(Account::bulk(5, 200, 6)).crawl_to_file(&[]).0.expect(0).report["counts"]);
    assert_eq!((next.change("archived"), next.change("restored"), next.change("protected")), (0, 0, 0));
    assert_eq!(next.change("created") + next.change("unchanged"), next.total());
    is_unchanged(&world.crawl(&arguments).expect(0));
    assert_eq!(world.exported().counts()["Table"], 1000);
}

#[test]
fn an_interrupted_crawl_says_so_keeps_what_it_has_and_is_completed_by_the_next_one() {
    let world = slow_world();
    let output = world.text_path("out.ndjson");
    let arguments = ["--catalog", &world.catalog(), "--connection-id", CONNECTION_ID, "--concurrency", "1"];
    let (program, report) = world.crawl_program(&arguments);
    let interrupted = program.args(&["--output", &output]).start();
    wait_until("half the pages are read", || world.sim().requests().count("glue:GetTables") > 5);
    interrupted.interrupt();
    let interrupted = Crawled::of(interrupted.wait(), &report).expect(1);
    interrupted.ended.says(1, &["interrupted", "nothing was archived", "run the same command again"]);
    assert_eq!(interrupted.change("archived"), 0);
    assert!(!world.path("out.ndjson").exists(), "a file of a run that did not end");
    world.sim().set_latency_ms(0);
    let next = world.crawl(&arguments).expect(0);
    assert_eq!((next.count("Table"), next.change("archived"), next.change("restored")), (1000, 0, 0));
    assert!(next.change("unchanged") > 0, "what was stored before the interruption was stored again: {:#}", next.report);
    is_unchanged(&world.crawl(&arguments).expect(0));
}

#[test]
fn an_interrupted_recrawl_archives_nothing() {
    let world = slow_world();
    world.sim().set_latency_ms(0);
    let arguments = ["--catalog", &world.catalog(), "--concurrency", "1"];
    let first = world.crawl(&arguments).expect(0);
    world.sim().set_latency_ms(150);
    world.sim().forget_requests();
    let (program, report) = world.crawl_program(&arguments);
    let interrupted = program.start();
    wait_until("some pages are read", || world.sim().requests().count("glue:GetTables") > 2);
    interrupted.interrupt();
    let interrupted = Crawled::of(interrupted.wait(), &report).expect(1);
    assert_eq!(interrupted.change("archived"), 0);
    world.sim().set_latency_ms(0);
    let next = world.crawl(&arguments).expect(0);
    is_unchanged(&next);
    assert_eq!(next.total(), first.total());
}

#[test]
fn an_output_of_a_failed_run_is_absent_and_one_of_an_earlier_run_stays() {
    let world = slow_world();
    let output = world.path("out.ndjson");
    std::fs::write(&output, "earlier\n").unwrap();
    let mut killed = world.program(&["crawl", "glue", "--output", output.to_str().unwrap(), "--concurrency", "1"]).start();
    wait_until("some pages are read", || world.sim().requests().count("glue:GetTables") > 3);
    killed.kill();
    killed.wait();
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "earlier\n");
}

#[test]
fn an_unchanged_account_is_unchanged_in_every_kind() {
    let world = World::realistic();
    let first = world.crawl_to_catalog(&[]).expect(0);
    assert_eq!(first.changes(), [first.total(), 0, 0, 0, 0, 0]);
    let second = world.crawl_to_catalog(&[]).expect(0);
    is_unchanged(&second);
    assert_eq!(second.report["counts"], first.report["counts"]);
}

#[test]
fn a_dropped_table_is_archived_with_its_columns_and_restored_when_it_is_back() {
    let world = World::realistic();
    let first = world.crawl_to_catalog(&[]).expect(0);
    let document = world.sim().read_account(|account| account.table("sales", "stores")).unwrap();
    let before = world.exported();
    world.change(drop_table("sales", "stores"));
    let second = world.crawl_to_catalog(&[]).expect(0);
    let after = world.exported();
    let lost = before.len() - after.len();
    assert!(!after.has_at("Table", "AwsDataCatalog/sales/stores"));
    assert!(!after.has_at("Column", "AwsDataCatalog/sales/stores/store_id"));
    assert_eq!((second.change("archived"), second.change("restored"), second.change("created")), (lost as u64, 0, 0));
    assert_eq!(second.count("Table") + 1, first.count("Table"));

    world.change(Mutation::PutTable { document });
    let third = world.crawl_to_catalog(&[]).expect(0);
    assert_eq!(
        (third.change("restored"), third.change("archived"), third.change("created")),
        (lost as u64, 0, 0),
        "{:#}",
        third.report
    );
    world.exported().expect_same(&before);
}

#[test]
fn a_dropped_database_is_archived_with_all_that_is_in_it() {
    let world = World::new(account_of(&[("big", 60), ("small", 3)]));
    let first = world.crawl_to_catalog(&[]).expect(0);
    world.change(Mutation::DropDatabase { catalog: None, database: "small".to_owned() });
    let second = world.crawl_to_catalog(&[]).expect(0);
    assert_eq!((second.count("Schema"), second.count("Table"), second.change("protected")), (1, 60, 0));
    assert_eq!(second.change("archived"), first.total() - second.total());
    let left = world.exported();
    assert!(!left.has_at("Schema", "AwsDataCatalog/small") && !left.has_at("Table", "AwsDataCatalog/small/t0001"));
    assert!(left.has_at("Table", "AwsDataCatalog/big/t0059"));
    is_unchanged(&world.crawl_to_catalog(&[]).expect(0));
}

#[test]
fn a_mass_removal_is_protected_until_it_is_confirmed() {
    let world = World::new(account_of(&[("sales", 40), ("other", 2)]));
    world.crawl_to_catalog(&[]).expect(0);
    for number in 0..30 {
        world.change(drop_table("sales", &format!("t{number:04}")));
    }
    let guarded = world.crawl_to_catalog(&[]).expect(3);
    assert_eq!(guarded.change("archived"), 0);
    assert!(guarded.change("protected") >= 30, "{:#}", guarded.report);
    let warning = guarded.has_warning("run", "removal-protected").to_string();
    assert!(warning.contains("--confirm-removals"), "{warning}");
    assert!(guarded.ended.stdout.contains("--confirm-removals"), "{}", guarded.ended.stdout);
    assert!(world.exported().has_at("Table", "AwsDataCatalog/sales/t0000"));

    let confirmed = world.crawl_to_catalog(&["--confirm-removals"]).expect(0);
    assert_eq!((confirmed.change("archived"), confirmed.change("protected")), (guarded.change("protected"), 0));
    assert!(!world.exported().has_at("Table", "AwsDataCatalog/sales/t0000"));
    is_unchanged(&world.crawl_to_catalog(&[]).expect(0));
}

#[test]
fn a_result_that_is_suddenly_empty_is_protected() {
    let world = World::new(account_of(&[("sales", 5)]));
    let first = world.crawl_to_catalog(&[]).expect(0);
    world.change(Mutation::DropDatabase { catalog: None, database: "sales".to_owned() });
    let second = world.crawl_to_catalog(&[]).expect(3);
    assert_eq!(second.change("archived"), 0);
    assert!(second.change("protected") > 0, "{:#}", second.report);
    assert_eq!(world.exported().len() as u64, first.total());
}

#[test]
fn a_changed_column_is_an_update_of_the_table_and_that_column_only() {
    let world = World::realistic();
    let first = world.crawl_to_catalog(&[]).expect(0);
    let (database, table) = ("sales".to_owned(), "stores".to_owned());
    world.change(Mutation::RetypeColumn {
        catalog: None,
        database,
        table,
        column: "store_id".to_owned(),
        to: "decimal(38,0)".to_owned(),
    });
    let second = world.crawl_to_catalog(&[]).expect(0);
    assert_eq!(second.changes(), [0, 2, first.total() - 2, 0, 0, 0], "{:#}", second.report);
    let column = world.exported();
    assert_eq!(column.at("Column", "AwsDataCatalog/sales/stores/store_id")["rawDataTypeDefinition"], "decimal(38,0)");
}

#[test]
fn a_renamed_column_is_one_gone_and_one_new() {
    let world = World::realistic();
    world.crawl_to_catalog(&[]).expect(0);
    let (database, table) = ("sales".to_owned(), "stores".to_owned());
    world.change(Mutation::RenameColumn {
        catalog: None,
        database,
        table,
        column: "store_id".to_owned(),
        to: "shop_id".to_owned(),
    });
    let second = world.crawl_to_catalog(&[]).expect(0);
    assert_eq!((second.change("created"), second.change("archived"), second.change("protected")), (1, 1, 0), "{:#}", second.report);
    let after = world.exported();
    assert!(
        after.has_at("Column", "AwsDataCatalog/sales/stores/shop_id")
            && !after.has_at("Column", "AwsDataCatalog/sales/stores/store_id")
    );
}

#[test]
fn a_job_that_is_gone_is_archived_without_being_asked_for() {
    let world = World::realistic();
    world.crawl_to_catalog(&[]).expect(0);
    world.change(Mutation::Drop { collection: sim::Collection::Job, name: "exchange-rates".to_owned() });
    let second = world.crawl_to_catalog(&[]).expect(0);
    assert!(second.change("archived") >= 1 && second.count("GlueJob") == 6, "{:#}", second.report);
    assert!(!world.exported().has_at("GlueJob", "jobs/exchange-rates"));
}

#[test]
fn a_crawl_of_less_keeps_what_it_was_not_asked_for() {
    let world = World::realistic();
    let first = world.crawl_to_catalog(&[]).expect(0);
    for arguments in [
        &["--include", "AwsDataCatalog/sales"][..],
        &["--skip", "jobs,workflows,triggers,crawlers,connections"],
        &["--exclude-table", "^o"],
        &["--catalog-id", "AwsDataCatalog"],
    ] {
        let less = world.crawl_to_catalog(arguments).expect(0);
        assert_eq!(
            (less.change("archived"), less.change("protected"), less.change("created")),
            (0, 0, 0),
            "{arguments:?} {:#}",
            less.report
        );
        assert!(less.total() < first.total());
    }
    // A database's count is of the tables that were asked for, so that much may have changed; nothing else has.
    let all = world.crawl_to_catalog(&[]).expect(0);
    assert_eq!((all.change("created"), all.change("archived"), all.change("restored")), (0, 0, 0), "{:#}", all.report);
    assert_eq!((all.total(), world.exported().len() as u64), (first.total(), first.total()));
}
