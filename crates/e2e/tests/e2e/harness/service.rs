//! The control plane as a process, and requests to it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::program::{Started, moment, wait_until};
use super::{Ended, Program, World};

/// The first administrator's token.
pub(crate) const TOKEN: &str = "bootstrap-token-of-the-end-to-end-tests";

/// The key that all replicas of a test share: 32 bytes, base64.
pub(crate) const MASTER_KEY: &str = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=";

/// A replica of the control plane.
pub(crate) struct Service {
    process: Started,
    pub(crate) base: String,
    client: reqwest::Client,
    runtime: Runtime,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) version: Option<String>,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl World {
    /// A replica over a catalog, pointed at this account, with a log that tells everything.
    pub(crate) fn serve(&self, catalog: &str, arguments: &[&str]) -> Service {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        self.serve_at(free, catalog, arguments)
    }

    /// As [`World::serve`], at an address that others know.
    pub(crate) fn serve_at(&self, address: SocketAddr, catalog: &str, arguments: &[&str]) -> Service {
        let listen = address.to_string();
        let mut all = vec!["serve", "--listen", &listen, "--catalog", catalog];
        all.extend_from_slice(arguments);
        let program = self
            .program(&all)
            .env("ISINGLASS_BOOTSTRAP_TOKEN", TOKEN)
            .env("MASTER_KEY", MASTER_KEY)
            .env("ISINGLASS_MASTER_KEY_VARIABLE", "MASTER_KEY")
            .env("ISINGLASS_LOG_LEVEL", "debug,sqlx=warn,hyper=warn");
        Service::start(program, address)
    }
}

impl Service {
    /// Waits until the program listens.
    pub(crate) fn start(program: Program, address: SocketAddr) -> Self {
        let process = program.start();
        wait_until("the service listens", || TcpStream::connect(address).is_ok());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Self { process, base: format!("http://{address}"), client: client(), runtime }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.base.trim_start_matches("http://").parse().unwrap()
    }

    /// A request with the administrator's token.
    pub(crate) fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(TOKEN);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let response = request.timeout(Duration::from_secs(60)).send().await.unwrap();
            let status = response.status().as_u16();
            let version = response.headers().get("etag").map(|value| value.to_str().unwrap().to_owned());
            let text = response.text().await.unwrap();
            Answer { status, version, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
        })
    }

    pub(crate) fn try_get(&self, path: &str) -> Option<Answer> {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(TOKEN).timeout(Duration::from_secs(10));
        self.runtime.block_on(async {
            let response = request.send().await.ok()?;
            let status = response.status().as_u16();
            let text = response.text().await.ok()?;
            Some(Answer { status, version: None, body: serde_json::from_str(&text).unwrap_or(Value::Null), text })
        })
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, &[], None).expect(200)
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value, status: u16) -> Value {
        self.ask(Method::POST, path, &[], Some(body)).expect(status)
    }

    /// Waits until a run is in a state, or has any of the outcomes; the run.
    #[track_caller]
    pub(crate) fn wait_for_run(&self, run: &Value, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/api/v1/runs/{}", id(run));
        let started = moment();
        loop {
            if let Some(answer) = self.try_get(&path).filter(|answer| answer.status == 200) {
                if holds(&answer.body) {
                    return answer.body;
                }
                assert!(started.elapsed() < Duration::from_secs(120), "waited in vain until {what}: {:#}", answer.body);
            }
            assert!(started.elapsed() < Duration::from_secs(120), "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for the end of a run; the run.
    #[track_caller]
    pub(crate) fn wait_for_end(&self, run: &Value) -> Value {
        self.wait_for_run(run, "the run has ended", |run| run["state"] == "ended")
    }

    /// SIGTERM, and what came of it.
    pub(crate) fn terminate(self) -> Ended {
        self.process.terminate();
        self.process.wait()
    }

    /// kill -9.
    pub(crate) fn kill(mut self) -> Ended {
        self.process.kill();
        self.process.wait()
    }
}

/// A client that keeps no connection: between two requests nobody would notice that the service has closed it.
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()
}

/// The number of something, as paths have it.
#[track_caller]
pub(crate) fn id(made: &Value) -> &str {
    made.as_str().unwrap()
}

impl Answer {
    /// Asserts the status; the body.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }
}
