//! The way from a runtime to an encrypted control plane: an authority of one's own, and a proxy.

use std::fs;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use crate::harness::World;
use crate::harness::runtime::{RUNTIME, start_run};
use crate::harness::tls::{Proxy, certificates, serve};

#[test]
fn a_runtime_trusts_the_authority_that_it_was_given_and_all_that_it_says_goes_through_the_proxy() {
    let world = World::realistic();
    let service = world.serve(&world.catalog(), &[]);
    let (authority, acceptor) = certificates(&["localhost"]);
    let ca = world.text_path("ca.pem");
    fs::write(&ca, authority).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let accepted = Arc::new(AtomicU32::new(0));
    let tasks = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    tasks.spawn(serve(listener, acceptor, Arc::clone(&accepted), service.address()));
    let proxy = Proxy::start();
    let proxy_url = format!("http://{}", proxy.address);

    let (url, data, file) = (format!("https://localhost:{port}"), world.text_path("runtime"), world.text_path("token"));
    let token = service.post("/api/v1/runtimes/enrolment-tokens", &json!({}), 201);
    fs::write(&file, token["token"].as_str().unwrap()).unwrap();
    let enroll = ["enroll", "--server", &url, "--token-file", &file, "--name", RUNTIME, "--data", &data];
    let refused = world.runtime_program(&enroll).run();
    refused.expect(1);
    assert!(refused.stderr.contains("localhost cannot be reached (invalid peer certificate"), "{}", refused.stderr);
    assert!(proxy.asked().is_empty());
    let through = |arguments: &[&str]| world.runtime_program(arguments).env("HTTPS_PROXY", &proxy_url);
    through(&[&enroll[..], &["--ca-bundle", &ca]].concat()).run().expect(0);
    let connects = accepted.load(Ordering::SeqCst);

    world.store_secrets();
    let configuration = world.text_path("runtime.toml");
    let run = through(&["run", "--data", &data, "--config", &configuration]).env("ISINGLASS_RUNTIME_CA_BUNDLE", &ca).start();
    let (_, crawl) = start_run(&service, &json!({}));
    let ended = service.wait_for_end(&crawl);
    assert_eq!(ended["outcome"], "complete", "{ended:#}");
    run.terminate();
    run.wait().expect(0);
    let asked = proxy.asked();
    let connect = format!("CONNECT localhost:{port} HTTP/1.1");
    assert!(asked.len() > 1 && asked.iter().all(|line| *line == connect), "{asked:?}");
    // Nobody came any other way, but for the enrolment that did not trust the server.
    let through_the_proxy = u32::try_from(asked.len()).unwrap();
    assert!(accepted.load(Ordering::SeqCst) > connects && accepted.load(Ordering::SeqCst) <= through_the_proxy + 5);
}
