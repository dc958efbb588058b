//! What must never leave a crawl, and what a crawl must never do.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sim::{Account, Keys};

use crate::harness::{CONNECTION_ID, Crawled, ROLE, World};

/// Every read that the program may ever make; `connector::port::ReadOperation`, told once more from outside.
const READS: [&str; 14] = [
    "glue:BatchGetWorkflows",
    "glue:GetCatalog",
    "glue:GetCatalogs",
    "glue:GetConnections",
    "glue:GetCrawlers",
    "glue:GetDatabase",
    "glue:GetDatabases",
    "glue:GetJobs",
    "glue:GetTable",
    "glue:GetTables",
    "glue:GetTriggers",
    "glue:ListWorkflows",
    "sts:AssumeRole",
    "sts:GetCallerIdentity",
];

/// Everything below a folder, name by name.
fn all_files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(all_files(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

/// What a tester can grep for: the canaries, the secrets of the credentials, and the encoded text of views that hides some of them.
fn forbidden(world: &World) -> Vec<String> {
    let mut forbidden = Account::canaries();
    forbidden.push(world.sim().keys().secret_access_key);
    forbidden.extend(["simulated/session/secret/", "simulated-session-token/", "/* Presto View: "].map(str::to_owned));
    forbidden
}

#[track_caller]
fn nothing_forbidden(world: &World, ended: &crate::harness::Ended) {
    let mut places = all_files(&world.path("."));
    places.push(("standard output".to_owned(), ended.stdout.clone().into_bytes()));
    places.push(("standard error".to_owned(), ended.stderr.clone().into_bytes()));
    // The common beginning is looked for first, since a search for each string in each file would take a while.
    for (place, bytes) in &places {
        let found: Vec<_> = forbidden(world).into_iter().filter(|needle| holds(bytes, needle)).collect();
        assert!(found.is_empty(), "{place} holds {found:?}");
        assert!(!holds(bytes, "CANARY_"), "{place} holds a canary that is not listed");
    }
}

#[test]
fn no_canary_reaches_any_output() {
    let world = World::realistic();
    let (catalog, output) = (world.catalog(), world.text_path("out.ndjson"));
    let arguments = ["--catalog", &catalog, "--output", &output, "--connection-id", CONNECTION_ID, "--role-arn", ROLE];
    for _ in 0..2 {
        let (program, report) = world.crawl_program(&arguments);
        let crawled = Crawled::of(program.env("ISINGLASS_LOG", "trace").run(), &report).expect(0);
        assert!(!crawled.report["masked"].as_object().unwrap().is_empty(), "{:#}", crawled.report);
        nothing_forbidden(&world, &crawled.ended);
    }
    let ended = world.program(&["export", "--format", "ndjson", "--catalog", &catalog]).env("ISINGLASS_LOG", "trace").run();
    ended.expect(0);
    nothing_forbidden(&world, &ended);
}

#[test]
fn no_canary_reaches_standard_output_or_a_failing_run() {
    let world = World::realistic();
    let to_stdout = world.program(&["crawl", "glue", "--output", "-"]).env("ISINGLASS_LOG", "trace").run();
    to_stdout.expect(0);
    nothing_forbidden(&world, &to_stdout);
    for kind in [sim::FaultKind::TruncatedBody, sim::FaultKind::MalformedJson, sim::FaultKind::Internal] {
        world.sim().set_faults([sim::Fault::new(kind).on("GetTables").every(2), sim::Fault::new(sim::FaultKind::DeniedByIam).on("GetJobs")]);
        let failing = world.program(&["crawl", "glue", "--output", &world.text_path("x.ndjson")]).env("ISINGLASS_LOG", "trace").run();
        assert!(matches!(failing.status, Some(0 | 3)), "{failing:?}");
        nothing_forbidden(&world, &failing);
    }
}

#[test]
fn what_is_kept_on_request_brings_no_secret_with_it() {
    let world = World::realistic();
    let (crawled, assets) = world.crawl_to_file(&["--keep", "view-sql,person-names"]);
    let crawled = crawled.expect(0);
    let definition = assets.at("View", "AwsDataCatalog/finance/monthly_close")["definition"].as_str().unwrap().to_owned();
    assert!(definition.contains("GROUP BY 1"), "literals of the text are kept when asked for: {definition}");
    let secrets = [world.sim().keys().secret_access_key];
    for (place, bytes) in all_files(&world.path(".")) {
        for secret in &secrets {
            assert!(!holds(&bytes, secret), "{place}");
        }
        for place_of_secrets in ["PASSWORD", "SECRET", "TOKEN", "JOB_ARGUMENT", "CONNECTION"] {
            let canary = Account::canaries().into_iter().find(|canary| canary.contains(place_of_secrets) && !canary.contains("VIEW") && holds(&bytes, canary));
            assert_eq!(canary, None, "{place}");
        }
    }
    drop(crawled);
}

#[test]
fn a_crawl_only_reads_and_the_report_tells_exactly_what_was_called() {
    let world = World::realistic();
    let crawled = world.crawl_to_catalog(&["--role-arn", ROLE]).expect(0);
    let seen = world.sim().requests();
    assert!(seen.refused.is_empty(), "{:?}", seen.refused);
    assert!(seen.errors.is_empty(), "{:?}", seen.errors);
    let unknown: Vec<_> = seen.counts.keys().filter(|operation| !READS.contains(&operation.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let told: BTreeMap<String, u64> =
        crawled.report["operations"].as_object().unwrap().iter().map(|(name, count)| (name.clone(), count.as_u64().unwrap())).collect();
    assert_eq!(told, seen.counts);
    assert_eq!(crawled.report["refusedOperations"], serde_json::json!([]));
}

#[test]
fn with_a_role_sts_comes_first_with_a_policy_and_nothing_is_asked_with_the_users_own_keys() {
    let world = World::realistic();
    world.crawl_to_file(&["--role-arn", ROLE, "--session-name", "audit-7"]).0.expect(0);
    let seen = world.sim().requests();
    let first = &seen.calls[0];
    assert_eq!(first.operation, "sts:AssumeRole");
    for part in ["Policy", "RoleSessionName=audit-7", &format!("RoleArn={ROLE}")] {
        assert!(first.parameters.contains(part), "{part} is not in {}", first.parameters);
    }
    assert_eq!(seen.count("sts:AssumeRole"), 1);
}

#[test]
fn a_session_may_do_what_the_run_needs_and_nothing_else() {
    let world = World::realistic();
    world.crawl_to_file(&["--role-arn", ROLE, "--skip", "jobs,connections"]).0.expect(0);
    // The simulation issues sessions with known keys, in order: this one belongs to the run above, which left jobs out.
    let session = Keys {
        access_key_id: "ASIASIMULATED0000001".to_owned(),
        secret_access_key: format!("simulated/session/secret/{:015}", 1),
        session_token: Some("simulated-session-token/1/of/isinglass-reader/opens+nothing==".to_owned()),
    };
    let (program, report) = world.crawl_program(&["--output", &world.text_path("session.ndjson")]);
    let crawled = Crawled::of(program.keys(&session).run(), &report).expect(3);
    let scopes: Vec<_> = crawled.errors().iter().map(|error| error["scope"].as_str().unwrap()).collect();
    assert_eq!(scopes, ["jobs", "connections"], "{:#}", crawled.report);
    assert!(crawled.error_of("jobs")["message"].as_str().unwrap().contains("no session policy allows"), "{:#}", crawled.report);
}

#[test]
fn what_the_environment_of_the_user_holds_is_not_read_by_others() {
    use std::os::unix::fs::MetadataExt as _;
    let world = World::realistic();
    world.crawl_to_catalog(&[]).expect(0);
    for file in fs::read_dir(world.path(".")).unwrap().map(Result::unwrap).filter(|file| file.file_name().to_string_lossy().starts_with("catalog.db")) {
        let mode = file.metadata().unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?} has mode {mode:o}", file.file_name());
    }
}
