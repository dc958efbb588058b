//! A self-deployed runtime as a process, beside the control plane that it works for.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::program::{Started, wait_until};
use super::service::id;
use super::{Ended, Program, Service, World};

/// The name of the queue that runtimes of tests work on.
pub(crate) const RUNTIME: &str = "vpc-a";

/// A runtime that works.
pub(crate) struct SelfDeployed {
    process: Started,
}

impl World {
    /// A program of the runtime, pointed at this account: nothing else here is.
    pub(crate) fn runtime_program(&self, arguments: &[&str]) -> Program {
        let endpoint = self.sim().endpoint();
        Program::runtime(arguments)
            .home(&self.path("."))
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("ISINGLASS_RUNTIME_LOG", "debug,hyper=warn,hyper_util=warn")
    }

    /// Enrols a runtime whose data is in a folder of this name, and gives it a secret store of files that holds the account's keys.
    pub(crate) fn enrol(&self, service: &Service, folder: &str) {
        let token = service.post("/api/v1/runtimes/enrolment-tokens", &json!({}), 201);
        let file = self.path(&format!("{folder}.token"));
        fs::write(&file, token["token"].as_str().unwrap()).unwrap();
        let (data, file) = (self.text_path(folder), file.to_str().unwrap().to_owned());
        let arguments = ["enroll", "--server", &service.base, "--token-file", &file, "--name", RUNTIME, "--data", &data];
        self.runtime_program(&arguments).run().expect(0);
        self.store_secrets();
    }

    /// Puts the keys of the account where the runtime's configuration says that secrets are.
    pub(crate) fn store_secrets(&self) {
        let secrets = self.path("secrets");
        fs::create_dir_all(&secrets).unwrap();
        let keys = self.sim().keys();
        let entry = json!({ "access-key-id": keys.access_key_id, "secret-access-key": keys.secret_access_key });
        let file = secrets.join("glue");
        fs::write(&file, entry.to_string()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let configuration = format!(
            "default-secret-store = \"disk\"\n[secret-stores.disk]\nkind = \"files\"\ndirectory = \"{}\"\n",
            secrets.display()
        );
        fs::write(self.path("runtime.toml"), configuration).unwrap();
    }

    /// Starts the runtime of a folder.
    pub(crate) fn deploy(&self, folder: &str, arguments: &[&str]) -> SelfDeployed {
        let (data, configuration) = (self.text_path(folder), self.text_path("runtime.toml"));
        let mut all = vec!["run", "--data", &data, "--config", &configuration];
        all.extend_from_slice(arguments);
        SelfDeployed { process: self.runtime_program(&all).start() }
    }
}

/// Connects the account through the runtime, by names of secrets alone; the number of the connection.
pub(crate) fn connect(service: &Service) -> Value {
    let keys = json!({ "username": "access-key-id", "password": "secret-access-key" });
    let credential = json!({ "name": "keys in the network", "authType": "iam", "secrets": { "path": "glue", "keys": keys } });
    let body = json!({ "name": "lake", "connector": "glue", "region": "eu-west-1", "runsOn": RUNTIME, "credential": credential });
    service.post("/api/v1/connections", &body, 201)["id"].clone()
}

/// Starts a run of all of a new connection: the numbers of workflow and run.
pub(crate) fn start_run(service: &Service, workflow: &Value) -> (Value, Value) {
    let mut body = json!({ "name": "all of it", "connectionId": connect(service), "settings": { "glue": {} } });
    body.as_object_mut().unwrap().extend(workflow.as_object().unwrap().clone());
    let workflow = service.post("/api/v1/workflows", &body, 201)["id"].clone();
    let run = service.post(&format!("/api/v1/workflows/{}/runs", id(&workflow)), &json!({}), 202)["id"].clone();
    (workflow, run)
}

impl SelfDeployed {
    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// kill -9.
    pub(crate) fn kill(mut self) -> Ended {
        self.process.kill();
        self.process.wait()
    }

    /// SIGTERM, and what came of it.
    pub(crate) fn terminate(self) -> Ended {
        self.process.terminate();
        self.process.wait()
    }

    /// What becomes of it by itself.
    pub(crate) fn wait(self) -> Ended {
        self.process.wait()
    }
}

/// Waits until a runtime is seen.
pub(crate) fn wait_until_online(service: &Service) {
    let is_online = |runtime: &Value| runtime["state"] == "online" && runtime["capacity"].is_u64();
    wait_until("the runtime is online", || service.get("/api/v1/runtimes")["items"].as_array().unwrap().iter().any(is_online));
}
