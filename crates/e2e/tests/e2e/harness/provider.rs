//! A real identity provider beside a test, and the control plane that trusts it.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::program::wait_until;
use super::service::{MASTER_KEY, Service, TOKEN};
use super::{World, account_of};

/// A secret that has to be escaped wherever it is written.
const CLIENT_SECRET: &str = "s3cret of a test/+&%:=~";
const BEGIN: &str = "/api/v1/sign-in/oidc";

/// What differs between one company's provider and another's.
pub(crate) struct Habits {
    /// How the application proves who it is: `client_secret_basic`, `client_secret_post`, or `none` with PKCE alone.
    pub(crate) proof: &'static str,
    /// What ID tokens are signed with.
    pub(crate) algorithm: &'static str,
    /// Whether claims of scopes are in the ID token too; by the standard they need not be.
    pub(crate) claims_in_id_token: bool,
    /// What the operator's spelling of the issuer ends with.
    pub(crate) issuer_ends_with: &'static str,
    /// Further lines of `[sign_in.oidc]`.
    pub(crate) rules: &'static str,
}

impl Default for Habits {
    fn default() -> Self {
        let rules = "administrators = [\"catalog-admins\"]\nmembers = [\"data-engineers\"]\nviewers = [\"everyone\"]";
        Self { proof: "client_secret_basic", algorithm: "RS256", claims_in_id_token: false, issuer_ends_with: "", rules }
    }
}

/// A provider that knows some people, and a control plane that lets them in.
pub(crate) struct SignOn {
    pub(crate) service: Service,
    provider: Provider,
    people: PathBuf,
    _world: World,
}

impl SignOn {
    pub(crate) fn start(people: &Value) -> Self {
        Self::with(&Habits::default(), people)
    }

    pub(crate) fn with(habits: &Habits, people: &Value) -> Self {
        let world = World::new(account_of(&[]));
        // Both are held until both are known, so that they differ.
        let free = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let [at_provider, at_service] = free.map(|listener| listener.local_addr().unwrap());
        let file = world.path("people.json");
        fs::write(&file, people.to_string()).unwrap();
        let provider = provider(&world, at_provider, at_service, habits);
        let service = service(&world, at_provider, at_service, habits);
        Self { service, provider, people: file, _world: world }
    }

    /// Where a sign-in begins.
    pub(crate) fn begin(&self) -> String {
        format!("{}{BEGIN}", self.service.base)
    }

    /// Where the provider sends browsers back to.
    pub(crate) fn callback(&self) -> String {
        format!("{}{BEGIN}/callback", self.service.base)
    }

    /// What an administrator of the provider does.
    pub(crate) fn now_known(&self, people: &Value) {
        // Whoever reads it meanwhile reads the one or the other.
        let new = self.people.with_extension("new");
        fs::write(&new, people.to_string()).unwrap();
        fs::rename(&new, &self.people).unwrap();
    }

    /// Stops the service, whose log has no secret.
    pub(crate) fn end(self) {
        let ended = self.service.terminate();
        ended.expect(0);
        assert!(!ended.stderr.contains(CLIENT_SECRET), "{}", ended.stderr);
    }

    /// The provider is gone.
    pub(crate) fn stop_provider(&mut self) {
        self.provider.0.kill().unwrap();
        self.provider.0.wait().unwrap();
    }
}

/// The provider's process; it ends when this is dropped, also by a test that fails.
struct Provider(Child);

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The library that `make test` provides.
fn library() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(Path::parent).unwrap();
    let path = std::env::var_os("ISINGLASS_OIDC_PROVIDER").map_or_else(|| workspace.join(".cache/provider"), PathBuf::from);
    assert!(path.join("node_modules").exists(), "{} has no provider: run `make test`, which provides it", path.display());
    path
}

fn provider(world: &World, at: SocketAddr, service: SocketAddr, habits: &Habits) -> Provider {
    let client = json!({
        "client_id": "isinglass", "redirect_uris": [format!("http://{service}{BEGIN}/callback")],
        "id_token_signed_response_alg": habits.algorithm, "token_endpoint_auth_method": habits.proof,
    });
    let secret = if habits.proof == "none" { json!({}) } else { json!({ "client_secret": CLIENT_SECRET }) };
    let client: serde_json::Map<String, Value> =
        [client, secret].iter().flat_map(|part| part.as_object().unwrap().clone()).collect();
    let configuration = json!({
        "issuer": format!("http://{at}"), "peopleFile": world.text_path("people.json"), "clients": [client],
        "claimsInIdToken": habits.claims_in_id_token,
    });
    let file = world.path("provider.json");
    fs::write(&file, configuration.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/oidc_provider.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg(library()).arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Provider(command.spawn().unwrap());
    wait_until("the provider listens", || TcpStream::connect(at).is_ok());
    started
}

fn service(world: &World, provider: SocketAddr, at: SocketAddr, habits: &Habits) -> Service {
    let secret = if habits.proof == "none" { "" } else { "client_secret_variable = \"CLIENT_SECRET\"" };
    let (catalog, rules, slash) = (world.catalog(), habits.rules, habits.issuer_ends_with);
    let configuration = format!(
        "listen = \"{at}\"\npublic_url = \"http://{at}\"\ncatalog = \"{catalog}\"\n[master_key]\nvariable = \"MASTER_KEY\"\n\
         [sign_in.oidc]\nissuer = \"http://{provider}{slash}\"\nclient_id = \"isinglass\"\n{secret}\n\
         scopes = [\"openid\", \"profile\", \"email\", \"groups\"]\n{rules}\n"
    );
    let file = world.path("isinglass.toml");
    fs::write(&file, configuration).unwrap();
    let program = world
        .program(&["serve", "--config", file.to_str().unwrap()])
        .env("ISINGLASS_BOOTSTRAP_TOKEN", TOKEN)
        .env("MASTER_KEY", MASTER_KEY)
        .env("CLIENT_SECRET", CLIENT_SECRET);
    Service::start(program, at)
}
