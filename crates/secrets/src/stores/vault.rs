//! HashiCorp Vault and OpenBao: the key-value engine, version 1 or 2.
//!
//! Sources: Vault's API reference, pages "KV secrets engine - version 1" (`GET /v1/:mount/:path`), "version 2" (`GET /v1/:mount/data/:path`),
//! "/sys/internal/ui/mounts", "Token auth method" (`lookup-self`), and "HTTP API" for headers and status codes
//! (<https://developer.hashicorp.com/vault/api-docs>); OpenBao has the same.

mod sign_in;

use model::Secret;
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::OnceCell;

use crate::configuration::vault::{KvVersion, Vault, VaultSignIn};
use crate::context::Context;
use crate::entry::Entry;
use crate::fault::Fault;
use crate::http::{self, Answer, Ask, Http, Trust};

/// Tells Vault's agent and proxy that no browser was led to ask.
const REQUEST_HEADER: HeaderValue = HeaderValue::from_static("true");

/// One key-value engine of one Vault.
pub(crate) struct KeyValueEngine {
    http: Http,
    context: Context,
    address: Url,
    namespace: Option<HeaderValue>,
    mount: String,
    version: Option<KvVersion>,
    sign_in: VaultSignIn,
}

/// A token, for as long as one reference is resolved.
pub(crate) struct Session<'s> {
    engine: &'s KeyValueEngine,
    token: Secret,
    version: OnceCell<KvVersion>,
}

impl KeyValueEngine {
    pub(crate) fn open(settings: &Vault, context: &Context) -> Result<Self, Fault> {
        let address = context.required(settings.address.as_ref(), "address", "VAULT_ADDR")?;
        let namespace = context.setting(settings.namespace.as_ref(), "VAULT_NAMESPACE");
        let namespace = namespace.map(|text| HeaderValue::from_str(text.trim_matches('/'))).transpose();
        let namespace = namespace.map_err(|_| Fault::misconfigured("namespace has odd characters", "write it as team/crawl"))?;
        let mount = settings.mount.trim_matches('/').to_owned();
        segments(&mount)?;
        let trust = Trust::System(settings.ca_bundle.as_deref().or(context.ca_bundle.as_deref()));
        Ok(Self {
            http: Http::new(context, trust)?,
            context: context.clone(),
            address: http::base("address", &address)?,
            namespace,
            mount,
            version: settings.kv_version,
            sign_in: settings.sign_in.clone(),
        })
    }

    pub(crate) async fn sign_in(&self) -> Result<Session<'_>, Fault> {
        let token = sign_in::token(self).await?;
        Ok(Session { engine: self, token, version: OnceCell::new_with(self.version) })
    }

    /// The address of an endpoint of the API.
    fn url<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Url {
        http::append(&self.address, ["v1"].into_iter().chain(path))
    }

    fn with_headers(&self, ask: Ask) -> Ask {
        let ask = ask.header("x-vault-request", &REQUEST_HEADER);
        match &self.namespace {
            Some(namespace) => ask.header("x-vault-namespace", namespace),
            None => ask,
        }
    }
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

/// An entry of version 2: its keys, or none where this version was deleted.
#[derive(Deserialize)]
struct Versioned<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Mount {
    #[serde(rename = "type")]
    kind: String,
    options: Option<MountOptions>,
}

#[derive(Deserialize)]
struct MountOptions {
    version: Option<String>,
}

#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    errors: Vec<String>,
}

impl Session<'_> {
    pub(crate) async fn fetch(&self, entry: &str) -> Result<Entry, Fault> {
        let parts = segments(entry)?;
        let version = *self.version.get_or_try_init(|| self.detect()).await?;
        let mount = self.engine.mount.split('/');
        let url = match version {
            KvVersion::One => self.engine.url(mount.chain(parts)),
            KvVersion::Two => self.engine.url(mount.chain(["data"]).chain(parts)),
        };
        let answer = self.get(url).await?;
        if !answer.status.is_success() {
            return Err(refused(&answer, &self.engine.mount));
        }
        match version {
            KvVersion::One => Entry::keys_of_json(answer.json::<Data<&RawValue>>()?.data.get()),
            KvVersion::Two => match answer.json::<Data<Versioned<'_>>>()?.data.data {
                Some(keys) => Entry::keys_of_json(keys.get()),
                None => Err(deleted()),
            },
        }
    }

    /// Asks Vault about the token itself, which the policy `default` allows.
    pub(crate) async fn probe(&self) -> Result<(), Fault> {
        let answer = self.get(self.engine.url(["auth", "token", "lookup-self"])).await?;
        if answer.status.is_success() { answer.json::<Data<serde::de::IgnoredAny>>().map(drop) } else { Err(refused(&answer, "")) }
    }

    /// Which version the engine is of, as Vault's own programs ask.
    async fn detect(&self) -> Result<KvVersion, Fault> {
        let mount = self.engine.mount.as_str();
        let url = self.engine.url(["sys", "internal", "ui", "mounts"].into_iter().chain(mount.split('/')));
        let answer = self.get(url).await?;
        match answer.status.as_u16() {
            200 => {}
            400 | 404 => return Err(no_engine(mount)),
            403 => {
                return Err(Fault::denied(
                    format!(
                        "Vault does not say what is mounted at {mount}/: the token is invalid, has no right below it, or nothing is there"
                    ),
                    "check token and mount, and allow `read` below the mount in a policy of the token; or set kv-version",
                ));
            }
            _ => return Err(refused(&answer, mount)),
        }
        let found = answer.json::<Data<Mount>>()?.data;
        let version = found.options.and_then(|options| options.version);
        match (found.kind.as_str(), version.as_deref()) {
            ("kv", Some("2")) => Ok(KvVersion::Two),
            ("kv" | "generic", _) => Ok(KvVersion::One),
            _ => Err(no_engine(mount)),
        }
    }

    async fn get(&self, url: Url) -> Result<Answer, Fault> {
        let ask = self.engine.with_headers(Ask::get(url)).secret_header("x-vault-token", &self.token)?;
        self.engine.http.send(&ask).await
    }
}

/// The segments of a path; none of them empty or one that leads elsewhere.
fn segments(path: &str) -> Result<Vec<&str>, Fault> {
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    let is_sound = |part: &&str| !matches!(*part, "" | "." | "..") && !part.contains(char::is_control);
    if parts.iter().all(is_sound) {
        return Ok(parts);
    }
    Err(Fault::misconfigured(
        "this is no path of an entry",
        "write the path below the mount, as team/aws, without `data/`, empty or dotted parts",
    ))
}

/// What an answer other than success means.
fn refused(answer: &Answer, mount: &str) -> Fault {
    let said: Said = answer.said();
    let says = |text: &str| said.errors.iter().any(|error| error.contains(text));
    match answer.status.as_u16() {
        503 if says("sealed") => Fault::unreachable("Vault is sealed", "unseal it, and try again"),
        503 | 500 if says("active") || says("standby") => Fault::unreachable(
            "this Vault is a standby without an active node",
            "look at the state of the cluster, and try again later",
        ),
        403 => Fault::denied(
            "Vault answered 403, permission denied",
            "allow `read` on the path in a policy of the token or role (version 2 has it at <mount>/data/<path>), and check that the token is \
             valid in this namespace",
        ),
        404 if says("no handler for route") => no_engine(mount),
        // An entry of version 2 whose current version was deleted answers 404 with what is known of it.
        404 if answer.json::<Data<serde::de::IgnoredAny>>().is_ok() => deleted(),
        404 => Fault::missing("Vault answered 404", "check mount, path and namespace, and make the entry if it is not there"),
        _ => answer.fault(""),
    }
}

fn no_engine(mount: &str) -> Fault {
    Fault::misconfigured(format!("no key-value engine is mounted at {mount}/"), "correct mount, or the namespace, of the store")
}

fn deleted() -> Fault {
    Fault::missing("the current version of the entry is deleted", "undelete it, or write a new version")
}
