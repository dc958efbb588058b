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

/// The content of everything below a folder, in lower case, by path.
fn all_files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(all_files(&path));
        } else {
            found.push((path.display().to_string(), lower_case(&fs::read(&path).unwrap())));
        }
    }
    found
}

/// Text that can be searched, of whatever bytes.
fn lower_case(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_ascii_lowercase()
}

fn holds(haystack: &str, needle: &str) -> bool {
    haystack.contains(&needle.to_ascii_lowercase())
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
    places.push(("standard output".to_owned(), lower_case(ended.stdout.as_bytes())));
    places.push(("standard error".to_owned(), lower_case(ended.stderr.as_bytes())));
    for (place, text) in &places {
        let found: Vec<_> = forbidden(world).into_iter().filter(|needle| holds(text, needle)).collect();
        assert!(found.is_empty(), "{place} holds {found:?}");
        assert!(!holds(text, "CANARY_"), "{place} holds a canary that is not listed");
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
        assert!(
            crawled.ended.stderr.contains("TRACE") || crawled.ended.stderr.contains("DEBUG"),
            "nothing was logged, so nothing was tested"
        );
        let written = all_files(&world.path("."));
        assert!(
            written.iter().any(|(place, text)| place.ends_with("out.ndjson") && holds(text, "gift_message")),
            "the search finds what is there"
        );
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
        world.sim().set_faults([
            sim::Fault::new(kind).on("GetTables").every(2),
            sim::Fault::new(sim::FaultKind::DeniedByIam).on("GetJobs"),
        ]);
        let failing =
            world.program(&["crawl", "glue", "--output", &world.text_path("x.ndjson")]).env("ISINGLASS_LOG", "trace").run();
        assert!(matches!(failing.status, Some(0 | 3)), "{failing:?}");
        nothing_forbidden(&world, &failing);
    }
}

#[test]
fn what_is_kept_on_request_brings_no_secret_with_it() {
    let world = World::realistic();
    let (crawled, assets) = world.crawl_to_file(&["--keep", "view-sql,person-names"]);
    crawled.expect(0);
    let definition = assets.at("View", "AwsDataCatalog/finance/monthly_close")["definition"].as_str().unwrap();
    assert!(definition.contains("GROUP BY 1"), "literals of the text are kept when asked for: {definition}");
    // Only what stands in the text of views may be there now.
    let of_views = |canary: &String| canary.contains("VIEW") || canary.contains("DIALECT");
    for (place, text) in all_files(&world.path(".")) {
        let found: Vec<_> = forbidden(&world).into_iter().filter(|needle| !of_views(needle) && holds(&text, needle)).collect();
        assert!(found.is_empty(), "{place} holds {found:?}");
    }
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
    let told: BTreeMap<String, u64> = crawled.report["operations"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, count)| (name.clone(), count.as_u64().unwrap()))
        .collect();
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
fn no_canary_of_a_domain_reaches_any_output() {
    let world = World::realistic();
    let (catalog, output) = (world.catalog(), world.text_path("out.ndjson"));
    let arguments = ["--catalog", &catalog, "--output", &output, "--connection-id", CONNECTION_ID, "--role-arn", ROLE];
    let (program, report) = world.crawl_program_of("smus", &arguments);
    let crawled = Crawled::of(program.env("ISINGLASS_LOG", "trace").run(), &report).expect(3);
    assert!(crawled.ended.stderr.contains("DEBUG") || crawled.ended.stderr.contains("TRACE"), "nothing was logged");
    for place in ["form-value", "request-reason"] {
        assert!(crawled.report["masked"][place].as_u64().is_some_and(|count| count > 0), "{place}: {:#}", crawled.report["masked"]);
    }
    let written = all_files(&world.path("."));
    let is_there = |(place, text): &(String, String)| place.ends_with("out.ndjson") && holds(text, "asset01orders");
    assert!(written.iter().any(is_there), "the search finds what is there");
    nothing_forbidden(&world, &crawled.ended);
    let asked_for_only: Vec<_> = Account::datazone_opt_in_canaries()
        .into_iter()
        .filter(|canary| written.iter().any(|(_, text)| holds(text, canary)))
        .collect();
    assert!(asked_for_only.is_empty(), "{asked_for_only:?}");
    let seen = world.sim().requests();
    assert!(seen.refused.is_empty(), "{:?}", seen.refused);
}

#[test]
fn what_is_kept_of_a_domain_on_request_brings_nothing_else_with_it() {
    let world = World::realistic();
    let keep = "unpublished-assets,request-reasons,person-names,form-values=DataOwnerForm";
    let (crawled, _) = world.smus_to_file(&["--keep", keep]);
    let crawled = crawled.expect(3);
    // What was asked for is there; nothing that nobody can ask for is.
    let written = all_files(&world.path("."));
    assert!(Account::datazone_opt_in_canaries().iter().any(|canary| written.iter().any(|(_, text)| holds(text, canary))));
    for (place, text) in &written {
        let found: Vec<_> = forbidden(&world).into_iter().filter(|needle| holds(text, needle)).collect();
        assert!(found.is_empty(), "{place} holds {found:?}");
    }
    assert_eq!(crawled.report["refusedOperations"], serde_json::json!([]));
}

#[test]
fn a_catalog_is_for_its_owner_only() {
    use std::os::unix::fs::MetadataExt as _;
    let world = World::realistic();
    world.crawl_to_catalog(&[]).expect(0);
    for file in fs::read_dir(world.path("."))
        .unwrap()
        .map(Result::unwrap)
        .filter(|file| file.file_name().to_string_lossy().starts_with("catalog.db"))
    {
        let mode = file.metadata().unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?} has mode {mode:o}", file.file_name());
    }
}
