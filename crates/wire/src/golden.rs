//! What runtimes of version 1 send and understand, byte for byte. These files change by additions only: a runtime that was built
//! years ago sends them still.

use std::collections::BTreeMap;
use std::fmt::Debug;

use expect_test::expect_file;
use model::document::report::Report;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::*;

/// The message is written as the file has it, and the file is read as the message.
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(message: &T, file: &expect_test::ExpectFile) {
    let text = serde_json::to_string_pretty(message).unwrap();
    file.assert_eq(&format!("{text}\n"));
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), *message);
    // A newer version may say more.
    let mut more: serde_json::Value = serde_json::from_str(&text).unwrap();
    more.as_object_mut().unwrap().insert("aFieldOfVersion9".to_owned(), json!({ "x": [1] }));
    assert_eq!(serde_json::from_value::<T>(more).unwrap(), *message);
}

fn lease() -> LeaseId {
    LeaseId("41.3".to_owned())
}

fn source() -> SourceJob {
    let secret = |name: &str| FieldValue::Secret(name.to_owned());
    SourceJob {
        connector: "glue".to_owned(),
        connection: "Sales EU".to_owned(),
        region: Some("eu-west-1".to_owned()),
        credential: CredentialReference {
            auth_type: "iam".to_owned(),
            secret_store: Some("vault".to_owned()),
            secret_path: Some("prod/glue".to_owned()),
            key_type: KeyType::MultiKey,
            values: BTreeMap::from([
                ("username".to_owned(), secret("access-key-id")),
                ("password".to_owned(), secret("secret-access-key")),
                ("region".to_owned(), FieldValue::Literal("eu-west-1".to_owned())),
            ]),
        },
    }
}

fn failure() -> Failure {
    Failure {
        category: "credentials".to_owned(),
        blame: Blame::Source,
        message: "AWS does not know the access key".to_owned(),
        suggested_action: "Store the key again.".to_owned(),
        operation: Some("sts:GetCallerIdentity".to_owned()),
        causes: vec!["InvalidClientTokenId".to_owned()],
    }
}

fn report() -> Box<Report> {
    let operations = BTreeMap::from([("glue:GetTables".to_owned(), 7)]);
    Box::new(Report { outcome: "partial".to_owned(), operations, started_at: 1, finished_at: 2, ..Report::default() })
}

#[test]
fn enrolment_and_sign_in() {
    let request = EnrollRequest {
        token: "isr_abc".to_owned(),
        name: "vpc-a".to_owned(),
        public_key: "a2V5".to_owned(),
        version: "0.1.0".to_owned(),
        protocol: PROTOCOL,
    };
    check(&request, &expect_file!["../testdata/v1/enroll-request.json"]);
    assert!(!format!("{request:?}").contains("isr_abc"));
    let enrolled = Enrolled { runtime_id: "12".to_owned(), name: "vpc-a".to_owned(), audience: "isinglass:f00d".to_owned() };
    check(&enrolled, &expect_file!["../testdata/v1/enrolled.json"]);
    let token = TokenAnswer { access_token: "ist_abc".to_owned(), token_type: "Bearer".to_owned(), expires_in: 900 };
    check(&token, &expect_file!["../testdata/v1/token-answer.json"]);
    assert!(!format!("{token:?}").contains("ist_abc"));
    let error = TokenError {
        error: "invalid_client".to_owned(),
        error_description: "the time of the assertion is not now".to_owned(),
        server_time: Some(1_700_000_000),
    };
    check(&error, &expect_file!["../testdata/v1/token-error.json"]);
}

#[test]
fn work() {
    let request = LeaseRequest {
        protocol: PROTOCOL,
        version: "0.1.0".to_owned(),
        crawl_slots: 1,
        capacity: 2,
        mode: RuntimeMode::Running,
        holding: vec![lease()],
        wait_seconds: 20,
    };
    check(&request, &expect_file!["../testdata/v1/lease-request.json"]);
    let job = CrawlJob {
        source: source(),
        connection_number: 1_700_000_000,
        account: Some("111122223333".to_owned()),
        settings: json!({ "include": ["AwsDataCatalog/sales"] }),
        preflight: Gate::Soft,
        is_first: false,
    };
    let crawl = Work::Crawl {
        lease: Lease { id: lease(), run: 17, attempt: 1, heartbeat_seconds: 2, lease_seconds: 60 },
        job: Box::new(job),
    };
    check(&LeaseAnswer { work: Some(crawl) }, &expect_file!["../testdata/v1/lease-answer-crawl.json"]);
    let task = TaskJob {
        id: TaskId("5".to_owned()),
        within_seconds: 25,
        action: TaskAction::ListDatabases,
        source: SourceJob {
            region: None,
            credential: CredentialReference {
                auth_type: "ambient".to_owned(),
                secret_store: None,
                secret_path: None,
                key_type: KeyType::SingleKey,
                values: BTreeMap::new(),
            },
            ..source()
        },
    };
    check(&LeaseAnswer { work: Some(Work::Task(Box::new(task))) }, &expect_file!["../testdata/v1/lease-answer-task.json"]);
    check(&LeaseAnswer { work: None }, &expect_file!["../testdata/v1/lease-answer-nothing.json"]);
}

#[test]
fn while_it_runs() {
    let progress =
        Progress { pages: 7, tables: 600, columns: 12_000, scopes_total: 3, scopes_done: 1, scope: "a/b".to_owned(), calls: 9 };
    let heartbeat = Heartbeat { lease: lease(), progress: Some(progress), spooled: Spooled { batches: 2, bytes: 4096 } };
    check(&heartbeat, &expect_file!["../testdata/v1/heartbeat.json"]);
    check(&HeartbeatAnswer { command: Command::Abandon }, &expect_file!["../testdata/v1/heartbeat-answer.json"]);
    check(&BatchAnswer { stored: Sequence(7) }, &expect_file!["../testdata/v1/batch-answer.json"]);
    let line = LogLine { at_ms: 1_700_000_000_000, level: LogLevel::Warn, message: "slow".to_owned() };
    check(&LogLines { lease: lease(), lines: vec![line] }, &expect_file!["../testdata/v1/logs.json"]);
    let checks = vec![json!({ "name": "sign-in", "state": "passed", "message": "ok", "remedy": "", "durationMs": 5 })];
    let preflight = PreflightReport { lease: lease(), checks, failure: Some(failure()) };
    check(&preflight, &expect_file!["../testdata/v1/preflight.json"]);
}

#[test]
fn questions() {
    let ask = |question| QuestionRequest { lease: lease(), after: Sequence(3), wait_seconds: 20, question };
    let name = model::QualifiedName::from_encoded("default/glue/7/c/d/t");
    let unchanged = Question::Unchanged { slices: vec![Slice::new(&name, model::SourceHash(255))] };
    check(&ask(unchanged), &expect_file!["../testdata/v1/question-unchanged.json"]);
    let stored = Question::Stored { qualified_name: name.as_str().to_owned() };
    check(&ask(stored), &expect_file!["../testdata/v1/question-stored.json"]);
    let at = Question::TablesAt { locations: vec!["s3://lake/orders".to_owned()] };
    check(&ask(at), &expect_file!["../testdata/v1/question-tables-at.json"]);
    let scopes = vec![ScopeRead { scope: "c/d".to_owned(), complete: true }];
    check(&ask(Question::Missing { scopes, limit: 1000 }), &expect_file!["../testdata/v1/question-missing.json"]);
}

#[test]
fn answers() {
    let table = Known { id: 17, type_name: "Table".to_owned() };
    let answer = |answer| QuestionAnswer { answer: Some(answer) };
    let unchanged = Answer::Unchanged { known: vec![Some(table.clone()), None] };
    check(&answer(unchanged), &expect_file!["../testdata/v1/answer-unchanged.json"]);
    let name = model::QualifiedName::from_encoded("default/glue/7/jobs/j");
    let asset = model::Asset::new(model::Kind::GlueJob, name, "j");
    check(&answer(Answer::stored(Some(&asset))), &expect_file!["../testdata/v1/answer-stored.json"]);
    let tables = vec![("s3://lake/orders".to_owned(), "default/glue/7/c/d/orders".to_owned())];
    check(&answer(Answer::TablesAt { tables }), &expect_file!["../testdata/v1/answer-tables-at.json"]);
    let missing = MissingLine { known: table, qualified_name: "default/glue/7/c/d/t".to_owned() };
    check(&answer(Answer::Missing { assets: vec![missing] }), &expect_file!["../testdata/v1/answer-missing.json"]);
    check(&QuestionAnswer { answer: None }, &expect_file!["../testdata/v1/answer-later.json"]);
}

#[test]
fn the_end() {
    let finish = |ending| Finish { lease: lease(), batches: Sequence(9), ending };
    let crawled = Ending::Crawled {
        report: report(),
        scopes: vec![ScopeRead { scope: "jobs".to_owned(), complete: false }],
        gone: vec![Known { id: 4, type_name: "Table".to_owned() }],
        account: Some("111122223333".to_owned()),
    };
    check(&finish(crawled), &expect_file!["../testdata/v1/finish-crawled.json"]);
    check(&finish(Ending::Failed { report: report(), failure: failure() }), &expect_file!["../testdata/v1/finish-failed.json"]);
    check(&finish(Ending::Cancelled { report: report() }), &expect_file!["../testdata/v1/finish-cancelled.json"]);
    let back = Ending::HandedBack { reason: "the runtime stops".to_owned() };
    check(&finish(back), &expect_file!["../testdata/v1/finish-handed-back.json"]);
    let result = TaskResult { outcome: TaskOutcome::Failed { failure: failure() } };
    check(&result, &expect_file!["../testdata/v1/task-failed.json"]);
    let check_of = json!({ "name": "sign-in", "state": "passed" });
    let sign_in = TaskOutcome::SignIn { check: check_of.clone(), arn: Some("arn:aws:sts::1:x".to_owned()), account: None };
    check(&TaskResult { outcome: sign_in }, &expect_file!["../testdata/v1/task-sign-in.json"]);
    check(
        &TaskResult { outcome: TaskOutcome::Checks { checks: vec![check_of] } },
        &expect_file!["../testdata/v1/task-checks.json"],
    );
    let catalogs = vec![CatalogDatabases { catalog: "AwsDataCatalog".to_owned(), databases: vec!["sales".to_owned()] }];
    let databases = TaskOutcome::Databases { catalogs, is_whole: true };
    check(&TaskResult { outcome: databases }, &expect_file!["../testdata/v1/task-databases.json"]);
}
