//! The demonstration: nothing is needed for it, everything in it can be used, and nothing of it is left behind.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::harness::Program;
use crate::harness::program::Started;

/// The last thing that a demo says before it only serves.
const READY: &str = "Ctrl-C stops it.";

/// A demo whose temporary directory and home are these, and which knows of no AWS but its own.
fn demo(temporary: &Path, arguments: &[&str]) -> Program {
    Program::new(&["demo"]).args(arguments).home(temporary).env("TMPDIR", temporary).without("AWS_EC2_METADATA_DISABLED")
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

/// A demo that serves, and what it says of how to use it.
struct Serving {
    process: Started,
    url: String,
    password: String,
    token: String,
    runtime: Runtime,
    client: reqwest::Client,
}

impl Serving {
    fn start(program: Program) -> Self {
        let mut process = program.start();
        let said = process.wait_for_print(READY);
        let fact = |name: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(&format!("  {name} ")));
            line.unwrap_or_else(|| panic!("no {name}: {said}")).trim().to_owned()
        };
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Self {
            process,
            url: fact("URL"),
            password: fact("password"),
            token: fact("API token"),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            client: reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap(),
        }
    }

    fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        request = match body {
            Some(body) => request.json(body),
            None => request.bearer_auth(&self.token),
        };
        self.runtime.block_on(async {
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
        })
    }

    #[track_caller]
    fn items(&self, path: &str) -> Vec<Value> {
        let (status, body) = self.ask(Method::GET, &format!("/api/v1/{path}"), None);
        assert_eq!(status, 200, "{path}: {body:#}");
        body["items"].as_array().unwrap().clone()
    }

    /// Everything that somebody who looks around would come across.
    fn is_usable(&self) {
        assert_eq!(self.ask(Method::GET, "/readyz", None).0, 200);
        let hits = self.items("search?q=orders&type=Table");
        let name = hits[0]["qualifiedName"].as_str().unwrap().replace('/', "%2F");
        let (status, lineage) = self.ask(Method::GET, &format!("/api/v1/lineage?qualifiedName={name}"), None);
        assert!(status == 200 && !lineage["edges"].as_array().unwrap().is_empty(), "{lineage:#}");
        let names = |path: &str| self.items(path).iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(names("connections"), ["demo lake", "demo studio"]);
        assert_eq!(names("workflows"), ["demo lake, nightly", "demo studio, nightly"]);
        let (status, evidence) = self.ask(Method::GET, "/api/v1/runs/1/evidence", None);
        assert!(status == 200 && evidence["operations"]["glue:GetTables"].as_u64() > Some(0), "{evidence:#}");
        assert!(evidence["endpoints"].as_array().unwrap().iter().all(|endpoint| endpoint["host"] == "127.0.0.1"), "{evidence:#}");
        let (status, session) =
            self.ask(Method::POST, "/api/v1/sign-in", Some(&json!({"name": "demo", "password": self.password})));
        assert_eq!((status, &session["role"]), (200, &json!("administrator")), "{session:#}");
    }
}

#[test]
fn a_demo_that_runs_once_crawls_both_sources_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ended = demo(folder.path(), &["--once", "--port", "0"]).run();
    ended.expect(0);
    for said in ["run 1 complete", "run 2 partial", "GlueJob", "SageMakerUnifiedStudioPublishedAsset", "could not be read"] {
        assert!(ended.stdout.contains(said), "{said}: {}", ended.stdout);
    }
    assert!(is_empty(folder.path()), "something is left in the temporary directory");
}

#[test]
fn a_demo_can_be_used_and_ends_with_ctrl_c_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(demo(folder.path(), &["--port", "0"]));
    serving.is_usable();
    serving.process.interrupt();
    let ended = serving.process.wait();
    ended.expect(0);
    assert!(is_empty(folder.path()), "something is left in the temporary directory");
}

#[test]
fn a_directory_that_is_kept_serves_the_next_demo_with_the_same_sign_in() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let data = folder.path().join("demo");
    let arguments = ["--port", "0", "--data", data.to_str().unwrap()];
    let first = Serving::start(demo(temporary.path(), &arguments));
    first.is_usable();
    first.process.terminate();
    first.process.wait().expect(0);
    let mut kept: Vec<_> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    kept.sort();
    assert_eq!(kept, ["catalog.db", "catalog.db.master-key", "sign-in.json"]);
    let second = Serving::start(demo(temporary.path(), &arguments));
    second.is_usable();
    assert_eq!((&second.token, &second.password), (&first.token, &first.password));
    let changed: u64 = second.items("runs").iter().take(2).map(|run| run["changes"]["updated"].as_u64().unwrap()).sum();
    assert_eq!((second.items("runs").len(), changed), (4, 0), "two runs a demo, and nothing changed");
    second.process.terminate();
    second.process.wait().expect(0);
    assert!(is_empty(temporary.path()), "something is left in the temporary directory");
}

#[test]
fn a_demo_that_is_ended_while_it_crawls_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = demo(folder.path(), &["--port", "0"]).start();
    process.wait_for_print("A simulated AWS account runs");
    process.terminate();
    process.wait().expect(0);
    assert!(is_empty(folder.path()), "something is left in the temporary directory");
}

#[test]
fn a_port_that_is_taken_is_told_with_the_flag_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    demo(folder.path(), &["--port", &port]).run().says(1, &[&port, "--port N", "because"]);
    assert!(is_empty(folder.path()), "something is left in the temporary directory");
}

#[test]
fn the_settings_and_proxies_of_the_user_do_not_reach_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = "http://127.0.0.1:9";
    let ended = demo(folder.path(), &["--once", "--port", "0"])
        .env("AWS_ENDPOINT_URL", elsewhere)
        .env("AWS_ACCESS_KEY_ID", "AKIAOFTHEUSER0000000")
        .env("AWS_REGION", "us-east-1")
        .env("HTTPS_PROXY", elsewhere)
        .env("HTTP_PROXY", elsewhere)
        .env("ISINGLASS_CATALOG", "sqlite:/nowhere/catalog.db")
        .env("ISINGLASS_LISTEN", "192.0.2.1:1")
        .run();
    ended.expect(0);
}

#[test]
fn make_demo_is_the_demo() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().parent().unwrap();
    let printed = Command::new("make").args(["--dry-run", "demo"]).current_dir(root).output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(printed.lines().any(|line| line.starts_with("cargo run ") && line.contains(" -- demo")), "{printed}");
}
