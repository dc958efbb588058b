//! The same question to a catalog and to a control plane that serves it: the same answer, and an error that says what to do where there is
//! none.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::Method;
use serde_json::{Value, json};
use sim::{Account, Mutation};

use crate::harness::service::TOKEN;
use crate::harness::{Crawled, Ended, Postgres, Service, World, table};

/// More columns than come with a table in one answer.
const WIDE: usize = 612;
/// Kinds of assets that both sources together have.
const KINDS_MIN: usize = 18;

/// A catalog, and a control plane that serves it.
struct Both {
    world: World,
    catalog: String,
    service: Service,
}

impl Both {
    /// Both sources in one catalog, with a wide table, something that changed and something that is gone.
    fn over(catalog: Option<String>) -> Self {
        let mut account = Account::realistic();
        let names: Vec<String> = (0..WIDE).map(|number| format!("column_{number:04}")).collect();
        let columns: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "struct<inner:bigint>")).collect();
        account.put_table(table("sales", "wide", &columns));
        account.put_table(table("sales", "short_lived", &[("id", "bigint")]));
        let world = World::new(account);
        let catalog = catalog.unwrap_or_else(|| world.catalog());
        crawl(&world, &catalog, "glue", 0);
        world.change(Mutation::DropTable { catalog: None, database: "sales".to_owned(), table: "short_lived".to_owned() });
        world.change(Mutation::RetypeColumn {
            catalog: None,
            database: "sales".to_owned(),
            table: "stores".to_owned(),
            column: "store_id".to_owned(),
            to: "struct<a:int,b:string>".to_owned(),
        });
        crawl(&world, &catalog, "glue", 0);
        crawl(&world, &catalog, "smus", 3);
        let service = world.serve(&catalog, &[]);
        Self { world, catalog, service }
    }

    fn of_catalog(&self, question: &[&str]) -> Ended {
        self.world.program(question).args(&["--catalog", &self.catalog]).run()
    }

    fn of_server(&self, question: &[&str]) -> Ended {
        self.world.program(question).args(&["--server", &self.service.base]).env("ISINGLASS_TOKEN", TOKEN).run()
    }

    /// Asks both; what both answered.
    #[track_caller]
    fn same(&self, question: &[&str]) -> Ended {
        let (catalog, server) = (self.of_catalog(question), self.of_server(question));
        assert_eq!(catalog.stdout, server.stdout, "{question:?}: {}", server.stderr);
        assert_eq!((catalog.status, &catalog.stderr), (server.status, &server.stderr), "{question:?}");
        catalog
    }

    /// An answer that there is, as text and as JSON.
    #[track_caller]
    fn same_in_both_forms(&self, question: &[&str]) -> String {
        let json: Vec<&str> = question.iter().copied().chain(["--json"]).collect();
        let (text, json) = (self.same(question), self.same(&json));
        text.expect(0);
        json.expect(0);
        assert!(!text.stdout.is_empty() && !json.stdout.is_empty(), "{question:?}");
        text.stdout
    }

    /// One asset or column of each kind that the catalog has.
    fn one_of_each_kind(&self) -> Vec<String> {
        let exported = self.of_catalog(&["export", "--format", "ndjson"]);
        let mut kinds = BTreeMap::new();
        for line in exported.stdout.lines() {
            let asset: Value = serde_json::from_str(line).unwrap();
            let name = asset["attributes"]["qualifiedName"].as_str().unwrap().to_owned();
            kinds.entry(asset["typeName"].as_str().unwrap().to_owned()).or_insert(name);
        }
        assert!(kinds.len() >= KINDS_MIN, "{kinds:?}");
        kinds.into_values().collect()
    }

    /// The qualified name of an asset.
    fn name_of(&self, typed: &str) -> String {
        let shown = self.same(&["show", typed, "--json"]).stdout;
        let asset: Value = serde_json::from_str(shown.lines().next().unwrap()).unwrap();
        asset["attributes"]["qualifiedName"].as_str().unwrap().to_owned()
    }

    /// What people say of an asset is in both answers.
    fn say_something_of(&self, name: &str) {
        let path = format!("/api/v1/assets/enrichment?qualifiedName={}", name.replace('/', "%2F"));
        let said = json!({"description": "what people say of it"});
        self.service.ask(Method::PATCH, &path, &[("if-match", "\"0\"")], Some(&said)).expect(200);
    }
}

fn crawl(world: &World, catalog: &str, source: &str, status: i32) {
    let (program, report) = world.crawl_program_of(source, &["--catalog", catalog]);
    Crawled::of(program.run(), &report).expect(status);
}

fn a_server_answers_as_its_catalog_does(catalog: Option<String>) {
    let both = Both::over(catalog);
    for question in [
        &["search", "customer"][..],
        &["search", "order", "--type", "Table", "--type", "View", "--limit", "3"],
        &["lineage", "sales/orders", "--depth", "20"],
        &["lineage", "sales/orders", "--direction", "downstream", "--depth", "1"],
        &["diff", "1", "2"],
        &["diff", "2", "1"],
        &["runs"],
        &["runs", "--limit", "1"],
        &["evidence", "1"],
        &["evidence"],
    ] {
        both.same_in_both_forms(question);
    }
    for name in both.one_of_each_kind() {
        both.same_in_both_forms(&["show", &name]);
        both.same(&["history", &name]).expect(0);
        both.same(&["lineage", &name, "--json"]).expect(0);
    }
    assert!(both.same(&["show", "sales/wide"]).stdout.contains("column_0611"));
    let last = format!("{}/column_0611/inner", both.name_of("sales/wide"));
    assert!(both.same_in_both_forms(&["show", &last]).contains("bigint"));
    assert!(both.same_in_both_forms(&["show", "sales/short_lived"]).contains("DELETED"));
    assert!(both.same_in_both_forms(&["history", "sales/stores"]).contains("store_id"));
    assert!(both.same_in_both_forms(&["show", "sales/orders"]).contains("same data in"));
    both.say_something_of(&both.name_of("sales/stores"));
    assert!(both.same_in_both_forms(&["show", "AwsDataCatalog/sales"]).contains("what people say of it"));
    // Questions without an answer.
    both.same(&["search", "nothing-is-called-so"]).expect(0);
    both.same(&["show", "nothing-is-called-so"]).says(1, &["nothing named", "isinglass search"]);
    both.same(&["show", "order"]).says(1, &["could be", "sales/orders"]);
    both.same(&["lineage", "kafka://nowhere/topic"]).says(1, &["nothing named"]);
    for question in [&["evidence", "99"][..], &["diff", "1", "99"], &["diff", "1", "3"]] {
        assert_eq!((both.of_catalog(question).status, both.of_server(question).status), (Some(1), Some(1)), "{question:?}");
    }
    both.service.terminate().expect(0);
}

#[test]
fn a_server_answers_as_its_file_does() {
    a_server_answers_as_its_catalog_does(None);
}

#[test]
fn a_server_answers_as_its_postgresql_does() {
    let postgres = Postgres::start();
    a_server_answers_as_its_catalog_does(Some(postgres.catalog()));
}

#[test]
fn a_token_comes_from_a_file_or_the_environment_and_is_never_told() {
    let world = World::realistic();
    let service = world.serve(&world.catalog(), &[]);
    let ask = |token: &str| world.program(&["runs", "--server", &service.base]).env("ISINGLASS_TOKEN", token).run();
    ask(TOKEN).expect(0);
    ask("isg_wrong-wrong-wrong").says(1, &["refused the token", "/api/v1/tokens", "--token-file"]);
    assert!(!ask("isg_wrong-wrong-wrong").stderr.contains("isg_wrong"));
    world.program(&["runs", "--server", &service.base]).run().says(2, &["--token-file", "ISINGLASS_TOKEN"]);
    let file = world.path("token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let asked = world.program(&["runs", "--token-file", file.to_str().unwrap()]).env("ISINGLASS_SERVER", &service.base);
    asked.env("ISINGLASS_TOKEN", "isg_wrong-wrong-wrong").run().expect(0);
    world.program(&["runs", "--server", &service.base, "--token-file", "missing"]).run().says(2, &["missing"]);
    world.program(&["runs", "--server", &service.base, "--catalog", "sqlite:x"]).run().expect(2);
    service.terminate().expect(0);
}

#[test]
fn a_token_does_not_leave_the_machine_unencrypted() {
    let world = World::realistic();
    // TEST-NET-3 (RFC 5737): had anything been sent, it would say that it cannot be reached.
    let ended = world.program(&["runs", "--server", "http://203.0.113.10"]).env("ISINGLASS_TOKEN", TOKEN).run();
    ended.says(2, &["not encrypted", "https://"]);
}

/// Answers every connection with the same bytes.
fn answers(status: &str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 8192]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn servers_that_cannot_answer_are_told_apart() {
    let world = World::realistic();
    let ask = |url: &str| world.program(&["show", "orders", "--server", url]).env("ISINGLASS_TOKEN", TOKEN).run();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    ask(&format!("http://{free}")).says(1, &["cannot be reached", "because", "Check the URL"]);
    let detail = "there is nothing at this path; /api/openapi.json lists what there is";
    let unknown = json!({"type": "urn:isinglass:problem:not-found", "title": "Not Found", "status": 404, "detail": detail, "code": "not-found"});
    ask(&answers("404 Not Found", &unknown.to_string())).says(1, &["assets/find", "older than this program", "Update the server"]);
    ask(&answers("404 Not Found", "<html>")).says(1, &["no Isinglass server", "Check the URL"]);
    ask(&answers("302 Found\r\nlocation: http://203.0.113.10/", "")).says(1, &["302", "Check the URL"]);
    ask(&answers("200 OK", "{}")).says(1, &["assets/find", "not as this program expects"]);
    let busy = json!({"type": "urn:isinglass:problem:unavailable", "title": "x", "status": 503, "detail": "too much at once", "code": "x"});
    ask(&answers("503 Service Unavailable", &busy.to_string())).says(1, &["too much at once", "Try again later"]);
}

#[test]
fn an_encrypted_server_is_asked_with_its_authority_and_around_or_through_a_proxy() {
    let world = World::realistic();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    for (name, pem) in [("ca.pem", authority.pem()), ("server.pem", certificate.pem()), ("server.key", key.serialize_pem())] {
        fs::write(world.path(name), pem).unwrap();
    }
    let (certificate, key) = (world.text_path("server.pem"), world.text_path("server.key"));
    let service = world.serve(&world.catalog(), &["--tls-certificate-file", &certificate, "--tls-key-file", &key]);
    let url = service.base.replace("http://127.0.0.1", "https://localhost");
    let ask = |variables: &[(&str, &str)]| {
        let program = world.program(&["runs", "--server", &url]).env("ISINGLASS_TOKEN", TOKEN);
        variables.iter().fold(program, |program, (name, value)| program.env(name, value)).run()
    };
    ask(&[]).says(1, &["cannot be reached", "certificate"]);
    let ca = world.text_path("ca.pem");
    ask(&[("AWS_CA_BUNDLE", &ca)]).expect(0);
    world.program(&["runs", "--server", &url, "--ca-bundle", &ca]).env("ISINGLASS_TOKEN", TOKEN).run().expect(0);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = format!("http://{nobody}");
    ask(&[("AWS_CA_BUNDLE", &ca), ("HTTPS_PROXY", &proxy)]).says(1, &["cannot be reached", "HTTPS_PROXY"]);
    ask(&[("AWS_CA_BUNDLE", &ca), ("HTTPS_PROXY", &proxy), ("NO_PROXY", "localhost")]).expect(0);
    service.terminate().expect(0);
}
