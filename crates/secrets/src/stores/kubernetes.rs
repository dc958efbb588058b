//! Secrets of a Kubernetes namespace, read through the API with the pod's service account.
//!
//! Sources: "Accessing the Kubernetes API from a Pod" (the service account's directory, `KUBERNETES_SERVICE_HOST`), and the API reference:
//! `GET /api/v1/namespaces/{namespace}/secrets/{name}`, whose `data` is base64, and `Status` for errors.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Secret;
use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::configuration::SecretSource;
use crate::configuration::kubernetes::Kubernetes;
use crate::context::Context;
use crate::entry::{Entry, KeyValue, SecretText, require_size};
use crate::fault::Fault;
use crate::http::{self, Answer, Ask, Http, Trust, code};

/// The longest name of a secret or namespace (RFC 1123 subdomain).
const NAME_BYTES_MAX: usize = 253;

/// One namespace of one cluster.
pub(crate) struct Cluster {
    http: Http,
    context: Context,
    address: Url,
    namespace: String,
    token_file: PathBuf,
}

/// The service account's token, for as long as one reference is resolved.
pub(crate) struct Session<'s> {
    cluster: &'s Cluster,
    token: Secret,
}

impl Cluster {
    pub(crate) fn open(settings: &Kubernetes, context: &Context) -> Result<Self, Fault> {
        let file = |name: &str| settings.service_account.join(name);
        let address = match &settings.api_url {
            Some(url) => url.clone(),
            None => in_cluster(context)?,
        };
        let address = http::base("api-url", &address)?;
        let authority = file("ca.crt");
        // Only the cluster's own authority vouches for its API; without TLS, on this machine, there is nothing to vouch for.
        let trust = if address.scheme() == "https" { Trust::Only(&authority) } else { Trust::System(None) };
        let namespace = match &settings.namespace {
            Some(namespace) => namespace.clone(),
            None => own_namespace(&file("namespace"))?,
        };
        if !is_name(&namespace) {
            return Err(Fault::misconfigured(
                "namespace is no name of a namespace",
                "write its name of small letters, digits and hyphens",
            ));
        }
        Ok(Self { http: Http::new(context, trust)?, context: context.clone(), address, namespace, token_file: file("token") })
    }

    /// The token is read for every use, for Kubernetes puts a new one there before it expires.
    pub(crate) async fn sign_in(&self) -> Result<Session<'_>, Fault> {
        let token = self.context.secret(&SecretSource::File(self.token_file.clone())).await?;
        Ok(Session { cluster: self, token })
    }
}

#[derive(Deserialize)]
struct KubernetesSecret {
    #[serde(default)]
    data: BTreeMap<String, SecretText>,
}

#[derive(Default, Deserialize)]
struct Said<'a> {
    reason: Option<&'a str>,
}

impl Session<'_> {
    pub(crate) async fn fetch(&self, entry: &str) -> Result<Entry, Fault> {
        if !is_name(entry) {
            return Err(Fault::misconfigured(
                "this is no name of a secret of Kubernetes",
                "write its name of small letters, digits, hyphens and dots; it is looked for in the namespace of the store",
            ));
        }
        let answer = self.get(entry).await?;
        if !answer.status.is_success() {
            return Err(self.refused(&answer));
        }
        let mut bytes = 0;
        let mut keys = BTreeMap::new();
        for (key, value) in answer.json::<KubernetesSecret>()?.data {
            let decoded = decoded(value)?;
            bytes += decoded.len();
            require_size(bytes)?;
            let value = std::str::from_utf8(&decoded).map_or(KeyValue::Other, |text| KeyValue::Text(Secret::new(text)));
            keys.insert(key, value);
        }
        Ok(Entry::Keys(keys))
    }

    /// A secret that nobody made: the answer shows whether the API takes the token. That this one may not be read says nothing about others,
    /// for roles can name single secrets.
    pub(crate) async fn probe(&self) -> Result<(), Fault> {
        let answer = self.get(super::PROBE_ENTRY).await?;
        match answer.status.as_u16() {
            200 | 403 | 404 => answer.json::<serde::de::IgnoredAny>().map(drop),
            _ => Err(self.refused(&answer)),
        }
    }

    async fn get(&self, name: &str) -> Result<Answer, Fault> {
        let path = ["api", "v1", "namespaces", self.cluster.namespace.as_str(), "secrets", name];
        let url = http::append(&self.cluster.address, path);
        self.cluster.http.send(&Ask::get(url).bearer(&self.token)?).await
    }

    fn refused(&self, answer: &Answer) -> Fault {
        let said: Said<'_> = answer.said();
        let (reason, namespace) = (code(said.reason), &self.cluster.namespace);
        match answer.status.as_u16() {
            401 => Fault::denied(
                format!("the API does not take the service account's token ({reason})"),
                "check that the pod's service account is there and its token is mounted",
            ),
            403 => Fault::denied(
                format!("the API answered 403 ({reason})"),
                format!(
                    "allow the pod's service account `get` on this secret by a Role and a RoleBinding in the namespace {namespace}"
                ),
            ),
            404 => Fault::missing(
                format!("the namespace {namespace} has no such secret"),
                "check its name and the namespace of the store, or make the secret",
            ),
            _ => answer.fault(reason),
        }
    }
}

fn in_cluster(context: &Context) -> Result<String, Fault> {
    let host = context.required(None, "api-url", "KUBERNETES_SERVICE_HOST")?;
    let port = context.variable("KUBERNETES_SERVICE_PORT").unwrap_or_else(|| "443".to_owned());
    Ok(if host.contains(':') { format!("https://[{host}]:{port}") } else { format!("https://{host}:{port}") })
}

fn own_namespace(file: &std::path::Path) -> Result<String, Fault> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        let reason = format!("the pod's own namespace is not known: {} cannot be read: {}", file.display(), error.kind());
        Fault::misconfigured(reason, "set namespace of the store, or run in a pod with a service account")
    })?;
    Ok(text.trim().to_owned())
}

fn decoded(value: SecretText) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let encoded = Zeroizing::new(value.into_bytes());
    let mut bytes = Zeroizing::new(Vec::with_capacity(encoded.len()));
    match STANDARD.decode_vec(encoded.as_slice(), &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(Fault::malformed("a value of the secret is no base64", "look at what answers in the place of the API")),
    }
}

/// A subdomain of RFC 1123, which names of secrets and namespaces are.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &str| {
        label.bytes().all(|byte| is_plain(byte) || byte == b'-')
            && label.bytes().next().is_some_and(is_plain)
            && label.bytes().last().is_some_and(is_plain)
    };
    text.len() <= NAME_BYTES_MAX && text.split('.').all(is_label)
}
