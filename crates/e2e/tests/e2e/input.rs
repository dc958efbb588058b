//! Bad input: wrong words are refused before any call with status 2; what AWS or the machine refuses fails with status 1. Each
//! message says what, where, and what to do, and nothing that was there is lost.

use std::fs;
use std::process::Command;

use sim::{Account, Keys, Mutation};

use crate::harness::{ROLE, ROLE_WITH_EXTERNAL_ID, World, account_of, may_administer, program::wait_until, unknown_keys};

/// A small account, since most of these never get to it.
fn world() -> World {
    World::new(account_of(&[("sales", 2)]))
}

#[track_caller]
fn is_refused_before_any_call(world: &World, arguments: &[&str], parts: &[&str]) {
    let output = world.path("refused.ndjson");
    let ended = world.program(&["crawl", "glue", "--output", output.to_str().unwrap()]).args(arguments).run();
    ended.says(2, parts);
    assert!(ended.stdout.is_empty(), "{}", ended.stdout);
    assert!(world.sim().requests().counts.is_empty(), "AWS was called: {:?}", world.sim().requests().counts);
    assert!(!output.exists());
}

#[test]
fn a_wrong_region_is_refused_with_the_close_ones() {
    is_refused_before_any_call(&world(), &["--region", "eu-wset-1"], &["eu-wset-1", "eu-west-1", "did you mean"]);
}

#[test]
fn a_missing_region_is_asked_for() {
    let world = world();
    let ended = world.program(&["crawl", "glue", "--output", "-"]).without("AWS_REGION").run();
    ended.says(2, &["no region", "--region", "AWS_REGION"]);
    assert!(world.sim().requests().counts.is_empty());
}

#[test]
fn an_unknown_profile_is_refused_with_the_known_ones() {
    let world = world();
    fs::create_dir(world.path(".aws")).unwrap();
    fs::write(world.path(".aws/config"), "[profile analytics]\nregion = eu-west-1\n").unwrap();
    fs::write(world.path(".aws/credentials"), "[staging]\naws_access_key_id = AKIAX\naws_secret_access_key = x\n").unwrap();
    is_refused_before_any_call(&world, &["--profile", "produciton"], &["produciton", "analytics", "staging", "profile"]);
}

#[test]
fn a_bad_role_arn_is_refused_with_the_form_of_a_good_one() {
    for arn in ["isinglass-reader", "arn:aws:iam::111122223333:user/somebody", "arn:aws:iam::1111:role/r"] {
        is_refused_before_any_call(&world(), &["--role-arn", arn], &[arn, "role ARN", "arn:aws:iam::"]);
    }
}

#[test]
fn a_role_of_another_partition_is_refused() {
    let arn = "arn:aws-cn:iam::111122223333:role/reader";
    is_refused_before_any_call(&world(), &["--role-arn", arn], &[arn, "partition", "eu-west-1"]);
}

#[test]
fn malformed_filters_are_refused_with_the_form_of_a_good_one() {
    let world = world();
    for flag in ["--include", "--exclude"] {
        for pattern in ["sales", "AwsDataCatalog/sales/orders/id", "AwsDataCatalog//orders", ""] {
            is_refused_before_any_call(&world, &[flag, pattern], &[&format!("\"{pattern}\""), "catalog/database"]);
        }
    }
    is_refused_before_any_call(&world, &["--exclude-table", "tmp_("], &["tmp_(", "regular expression", "unclosed group"]);
}

#[test]
fn unknown_words_are_refused_with_the_known_ones() {
    let world = world();
    is_refused_before_any_call(&world, &["--skip", "jobs,workflow"], &["\"workflow\"", "--skip", "workflows", "crawlers"]);
    is_refused_before_any_call(&world, &["--keep", "everything"], &["\"everything\"", "--keep", "view-sql", "person-names"]);
    is_refused_before_any_call(&world, &["--network", "privat"], &["privat", "private", "public"]);
    is_refused_before_any_call(&world, &["--private-cidr", "10.0.0.0/99"], &["10.0.0.0/99", "--private-cidr"]);
    is_refused_before_any_call(&world, &["--concurrency", "0"], &["--concurrency"]);
}

#[test]
fn an_endpoint_over_plain_http_that_is_not_this_machine_is_refused() {
    let world = world();
    let ended = world.program(&["crawl", "glue", "--output", "-"]).env("AWS_ENDPOINT_URL_GLUE", "http://198.51.100.7:80").run();
    ended.says(2, &["AWS_ENDPOINT_URL_GLUE", "198.51.100.7", "https"]);
    assert!(world.sim().requests().counts.is_empty());
}

#[test]
fn a_ca_bundle_that_cannot_be_read_is_refused() {
    is_refused_before_any_call(&world(), &["--ca-bundle", "/nowhere/ca.pem"], &["/nowhere/ca.pem"]);
}

#[test]
fn a_wrong_external_id_fails_and_points_at_the_trust_policy() {
    let world = World::realistic();
    for arguments in [&["--external-id", "somebody-elses"][..], &[]] {
        let mut all = vec!["--role-arn", ROLE_WITH_EXTERNAL_ID];
        all.extend_from_slice(arguments);
        let (crawled, assets) = world.crawl_to_file(&all);
        let crawled = crawled.expect(1);
        crawled.ended.says(1, &["external id", "trust policy", ROLE_WITH_EXTERNAL_ID, "sts:AssumeRole"]);
        assert_eq!((assets.len(), crawled.operation("glue:GetCatalogs")), (0, 0));
        assert_eq!(crawled.errors()[0]["operation"], "sts:AssumeRole", "{:#}", crawled.report);
    }
    let right = ["--role-arn", ROLE_WITH_EXTERNAL_ID, "--external-id", "isinglass-demo-external-id"];
    world.crawl_to_file(&right).0.expect(0);
}

#[test]
fn a_role_that_does_not_exist_fails_and_says_what_to_check() {
    let arn = "arn:aws:iam::111122223333:role/nobody-made-this";
    world().crawl_to_file(&["--role-arn", arn]).0.expect(1).ended.says(1, &[arn, "exists", "what to do"]);
}

#[test]
fn wrong_keys_fail_and_say_which_half_is_wrong() {
    let world = world();
    let good = world.sim().keys();
    let wrong_secret = Keys { secret_access_key: "not/the/secret".to_owned(), ..good };
    for (keys, parts) in [
        (unknown_keys(), ["access key", "check that it is active"]),
        (wrong_secret, ["secret access key", "InvalidSignatureException"]),
    ] {
        let secret = keys.secret_access_key.clone();
        let ended = world.program(&["crawl", "glue", "--output", "-"]).keys(&keys).run();
        ended.says(1, &parts);
        assert!(ended.stdout.is_empty() && !ended.stderr.contains(&secret));
    }
}

#[test]
fn no_credentials_at_all_fail_and_say_where_they_are_looked_for() {
    let world = world();
    let program = world.program(&["crawl", "glue", "--output", "-"]).without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    program.run().says(1, &["credentials", "what to do"]);
}

#[test]
fn expired_keys_fail_and_say_to_sign_in_again() {
    let world = world();
    let session = session_of(&world);
    world.change(Mutation::ExpireSessions);
    let ended = world.program(&["crawl", "glue", "--output", "-"]).keys(&session).run();
    ended.says(1, &["expired", "what to do"]);
    assert!(ended.stdout.is_empty());
}

/// Session keys as they lie in people's environments: the simulation issues them in order, so the first has known keys.
fn session_of(world: &World) -> Keys {
    world.crawl_to_file(&["--role-arn", ROLE]).0.expect(0);
    Keys {
        access_key_id: "ASIASIMULATED0000001".to_owned(),
        secret_access_key: format!("simulated/session/secret/{:015}", 1),
        session_token: Some("simulated-session-token/1/of/isinglass-reader/opens+nothing==".to_owned()),
    }
}

#[test]
fn session_keys_that_have_not_expired_work() {
    let world = world();
    let session = session_of(&world);
    let ended = world.program(&["crawl", "glue", "--output", "-"]).keys(&session).run();
    ended.expect(0);
    assert!(ended.stdout.lines().count() > 5);
}

#[test]
fn an_unknown_catalog_id_fails_alone_and_makes_the_run_partial_beside_a_good_one() {
    let world = World::realistic();
    let (alone, assets) = world.crawl_to_file(&["--catalog-id", "999999999999"]);
    alone.expect(1).ended.says(1, &["999999999999", "no catalog", "what to do"]);
    assert_eq!(assets.len(), 0);

    let (both, assets) = world.crawl_to_file(&["--catalog-id", "999999999999", "--catalog-id", "AwsDataCatalog"]);
    let both = both.expect(3);
    assert!(assets.has_at("Table", "AwsDataCatalog/sales/orders"));
    assert!(both.errors().iter().any(|error| error.to_string().contains("999999999999")), "{:#}", both.report);
}

#[test]
fn an_output_that_cannot_be_written_fails_before_any_call() {
    let world = world();
    let folder = world.text_path("a-folder");
    fs::create_dir(&folder).unwrap();
    fs::write(world.path("a-file"), "").unwrap();
    let below_a_file = world.text_path("a-file/out.ndjson");
    let missing = world.text_path("missing/out.ndjson");
    for (flag, path, parts) in [
        ("--output", missing.as_str(), &["does not exist", "create"][..]),
        ("--output", folder.as_str(), &["directory", "give the name of a file"]),
        ("--output", below_a_file.as_str(), &["cannot write"]),
        ("--output", "/proc/isinglass.ndjson", &["cannot write"]),
    ] {
        let ended = world.program(&["crawl", "glue", flag, path]).run();
        ended.says(1, parts);
        assert!(ended.stderr.contains(path), "{path} is not named: {}", ended.stderr);
    }
    assert!(world.sim().requests().counts.is_empty(), "{:?}", world.sim().requests().counts);
}

#[test]
fn a_report_that_cannot_be_written_fails_before_any_call() {
    let world = world();
    let missing = world.text_path("missing/report.json");
    let ended = world.program(&["crawl", "glue", "--output", &world.text_path("out.ndjson"), "--report", &missing]).run();
    ended.says(1, &[&missing, "does not exist"]);
    assert!(world.sim().requests().counts.is_empty(), "an hour's crawl would have been lost: {:?}", world.sim().requests().counts);
}

#[test]
fn a_catalog_that_cannot_be_written_fails_before_any_call() {
    let world = world();
    fs::write(world.path("a-file"), "").unwrap();
    for path in ["/proc/isinglass/catalog.db".to_owned(), world.text_path("a-file/catalog.db")] {
        world.program(&["crawl", "glue", "--catalog", &format!("sqlite:{path}")]).run().says(1, &["catalog", "permissions"]);
    }
    world.program(&["crawl", "glue", "--catalog", "mysql://host/db"]).run().says(2, &["mysql://host/db", "sqlite:PATH"]);
    assert!(world.sim().requests().counts.is_empty());
}

#[test]
fn a_full_output_device_fails_and_says_so() {
    let world = World::realistic();
    let (program, report) = world.crawl_program(&["--output", "/dev/full"]);
    let crawled = crate::harness::Crawled::of(program.run(), &report).expect(1);
    crawled.ended.says(1, &["/dev/full", "disk is full", "free some space"]);
}

/// A file system of a few pages, gone when the test is.
struct TinyDisk {
    path: String,
}

impl TinyDisk {
    fn mount(world: &World, size: &str) -> Option<Self> {
        let path = world.text_path("tiny");
        fs::create_dir(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "isinglass-e2e", &path]);
        may_administer("a full disk", &mut mount).then_some(Self { path })
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").args(["--lazy", &self.path]).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

#[test]
fn a_full_disk_leaves_no_half_written_file_and_keeps_the_one_before() {
    let world = World::realistic();
    let Some(disk) = TinyDisk::mount(&world, "128k") else { return };
    let output = format!("{}/out.ndjson", disk.path);
    fs::write(&output, "what was here before\n").unwrap();
    let (program, report) = world.crawl_program(&["--output", &output]);
    let crawled = crate::harness::Crawled::of(program.run(), &report).expect(1);
    crawled.ended.says(1, &[&output, "disk is full"]);
    assert_eq!(fs::read_to_string(&output).unwrap(), "what was here before\n");
    let left: Vec<_> = fs::read_dir(&disk.path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["out.ndjson"]);
}

#[test]
fn a_catalog_on_a_full_disk_fails_and_is_completed_when_there_is_room() {
    let world = World::new(Account::bulk(2, 150, 20));
    let Some(disk) = TinyDisk::mount(&world, "1500k") else { return };
    let catalog = format!("sqlite:{}/catalog.db", disk.path);
    let crawl = |arguments: &[&str]| {
        let mut all = vec!["--catalog", catalog.as_str()];
        all.extend_from_slice(arguments);
        world.crawl(&all)
    };
    let failed = crawl(&[]).expect(1);
    failed.ended.says(1, &["full", "free space"]);
    assert!(Command::new("mount").args(["-o", "remount,size=32m", &disk.path]).status().unwrap().success());
    let completed = crawl(&[]).expect(0);
    assert_eq!((completed.count("Table"), completed.change("archived")), (300, 0));
    let again = crawl(&[]).expect(0);
    assert_eq!(again.changes(), [0, 0, again.total(), 0, 0, 0]);
}

#[test]
fn a_disk_without_room_for_an_empty_catalog_leaves_none_half_made() {
    let world = world();
    let Some(disk) = TinyDisk::mount(&world, "300k") else { return };
    let catalog = format!("sqlite:{}/catalog.db", disk.path);
    world.program(&["crawl", "glue", "--catalog", &catalog]).run().says(1, &["full", "free space"]);
    assert!(Command::new("mount").args(["-o", "remount,size=32m", &disk.path]).status().unwrap().success());
    world.crawl(&["--catalog", &catalog]).expect(0);
}

#[test]
fn a_catalog_of_a_newer_version_is_refused_and_left_as_it_is() {
    let world = world();
    world.crawl_to_catalog(&[]).expect(0);
    // The schema's version (`user_version`) is a big-endian number at byte 60 of a SQLite file; the log would overrule the file.
    for beside in ["catalog.db-wal", "catalog.db-shm"] {
        let _ = fs::remove_file(world.path(beside));
    }
    let mut bytes = fs::read(world.path("catalog.db")).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(world.path("catalog.db"), &bytes).unwrap();
    world.sim().forget_requests();
    let ended = world.program(&["crawl", "glue", "--catalog", &world.catalog()]).run();
    ended.says(1, &["version 99", "newer program"]);
    assert!(ended.stderr.contains(&world.text_path("catalog.db")), "the message does not say which catalog: {}", ended.stderr);
    assert_eq!(fs::read(world.path("catalog.db")).unwrap(), bytes);
    assert!(world.sim().requests().counts.is_empty());
}

#[test]
fn a_file_that_is_no_catalog_is_refused_and_left_as_it_is() {
    let world = world();
    let text = "a letter to a friend, long enough to be taken for a header. ".repeat(5);
    fs::write(world.path("letter.txt"), &text).unwrap();
    let catalog = format!("sqlite:{}", world.text_path("letter.txt"));
    world
        .program(&["crawl", "glue", "--catalog", &catalog])
        .run()
        .says(1, &["letter.txt", "not an Isinglass catalog", "another path"]);
    assert_eq!(fs::read_to_string(world.path("letter.txt")).unwrap(), text);
    assert!(world.sim().requests().counts.is_empty());
}

#[test]
fn two_crawls_of_one_connection_at_once_leave_the_second_out() {
    let world = World::new(account_of(&[("one", 5), ("two", 5)]));
    world.sim().set_latency_ms(400);
    let (first, report) = world.crawl_program(&["--catalog", &world.catalog()]);
    let first = first.start();
    wait_until("the first crawl reads", || world.sim().requests().count("glue:GetCatalogs") > 0);
    let second = world.program(&["crawl", "glue", "--catalog", &world.catalog()]).run();
    second.says(1, &["another crawl of this connection", "run 1", "wait"]);
    let first = crate::harness::Crawled::of(first.wait(), &report).expect(0);
    assert_eq!(first.count("Table"), 10);
    world.sim().set_latency_ms(0);
    let third = world.crawl(&["--catalog", &world.catalog()]).expect(0);
    assert_eq!(third.changes(), [0, 0, third.total(), 0, 0, 0]);
}

#[test]
fn two_connections_are_crawled_into_one_catalog_at_once() {
    let world = World::new(account_of(&[("one", 150), ("two", 150)]));
    world.sim().set_latency_ms(100);
    let start = |name: &str, number: &str| {
        let (program, report) =
            world.crawl_program(&["--catalog", &world.catalog(), "--connection", name, "--connection-id", number]);
        (program.start(), report)
    };
    let both = [start("eu", "1"), start("us", "2")];
    for (run, report) in both {
        let crawled = crate::harness::Crawled::of(run.wait(), &report).expect(0);
        assert_eq!((crawled.count("Table"), crawled.change("archived")), (300, 0));
    }
}

#[test]
fn one_number_for_two_connections_is_refused() {
    let world = world();
    world.crawl_to_catalog(&[]).expect(0);
    let ended = world.program(&["crawl", "glue", "--catalog", &world.catalog(), "--connection-id", "5"]).run();
    ended.says(1, &["1700000000", "leave the number out"]);
}
