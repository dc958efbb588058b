//! Google Cloud Secret Manager: the latest version of a secret, or a given one.
//!
//! Sources: the REST reference, method `projects.secrets.versions.access` and its type `SecretPayload`
//! (<https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access>), "Data integrity assurance" for the
//! checksum, and "Regional secrets" for their addresses.

mod checksum;
mod credentials;
mod sign_in;

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Secret;
use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::configuration::google::GoogleSecretManager;
use crate::context::Context;
use crate::entry::{Entry, SecretText};
use crate::fault::Fault;
use crate::http::{self, Answer, Ask, Http, Trust, code};
use checksum::crc32c;

/// The longest name of a project, a secret or a version.
const NAME_BYTES_MAX: usize = 255;

/// Secret Manager as one identity sees it.
pub(crate) struct SecretManager {
    http: Http,
    context: Context,
    address: Url,
    metadata: Url,
    project: Option<String>,
    location: Option<String>,
    credentials_file: Option<PathBuf>,
}

/// An access token, for as long as one reference is resolved.
pub(crate) struct Session<'s> {
    manager: &'s SecretManager,
    token: Secret,
}

impl SecretManager {
    pub(crate) fn open(settings: &GoogleSecretManager, context: &Context) -> Result<Self, Fault> {
        let named = |setting: &str, name: &Option<String>| match name {
            Some(name) if !is_name(name) => {
                Err(Fault::misconfigured(format!("{setting} is no name"), "write letters, digits, hyphens and underscores"))
            }
            Some(_) | None => Ok(()),
        };
        let project = context.setting(settings.project.as_ref(), "GOOGLE_CLOUD_PROJECT");
        named("project", &project)?;
        named("location", &settings.location)?;
        let own = match &settings.location {
            Some(location) => format!("https://secretmanager.{location}.rep.googleapis.com"),
            None => "https://secretmanager.googleapis.com".to_owned(),
        };
        let metadata =
            settings.metadata_url.clone().or_else(|| context.variable("GCE_METADATA_HOST").map(|host| format!("http://{host}")));
        let file = context.setting(None, "GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from);
        let trust = Trust::System(settings.ca_bundle.as_deref().or(context.ca_bundle.as_deref()));
        Ok(Self {
            http: Http::new(context, trust)?,
            context: context.clone(),
            address: http::base("endpoint-url", settings.endpoint_url.as_deref().unwrap_or(&own))?,
            metadata: http::base("metadata-url", metadata.as_deref().unwrap_or("http://metadata.google.internal"))?,
            project,
            location: settings.location.clone(),
            credentials_file: settings.credentials_file.clone().or(file),
        })
    }

    pub(crate) async fn sign_in(&self) -> Result<Session<'_>, Fault> {
        Ok(Session { manager: self, token: sign_in::token(self).await? })
    }

    /// The path of a version: `name`, `name/versions/3`, `projects/p/secrets/name/versions/3`, with `locations/l` for regional ones.
    fn path(&self, entry: &str) -> Result<Vec<String>, Fault> {
        let mut parts = entry.split('/').collect::<Vec<_>>();
        let project = taken(&mut parts, "projects").or(self.project.as_deref()).ok_or_else(|| {
            Fault::misconfigured(
                "the project of the secret is not known",
                "set project of the store, or write projects/…/secrets/…",
            )
        })?;
        let location = taken(&mut parts, "locations").or(self.location.as_deref());
        let secret = taken(&mut parts, "secrets").or_else(|| (!parts.is_empty()).then(|| parts.remove(0))).unwrap_or_default();
        let version = taken(&mut parts, "versions").unwrap_or("latest");
        let is_sound =
            parts.is_empty() && [project, secret, version].into_iter().all(is_name) && location == self.location.as_deref();
        if !is_sound {
            return Err(Fault::misconfigured(
                "this is no name of a secret of this store",
                "write its name, name/versions/N, or projects/…/secrets/…; a regional secret needs a store with its location",
            ));
        }
        let place = location.map(|location| ["locations", location]);
        let path =
            ["v1", "projects", project].into_iter().chain(place.into_iter().flatten()).chain(["secrets", secret, "versions"]);
        Ok(path.map(str::to_owned).chain([format!("{version}:access")]).collect())
    }
}

/// Takes `word/value` off the front.
fn taken<'e>(parts: &mut Vec<&'e str>, word: &str) -> Option<&'e str> {
    if parts.len() < 2 || parts.first() != Some(&word) {
        return None;
    }
    parts.drain(..2).nth(1)
}

#[derive(Deserialize)]
struct Version {
    payload: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    #[serde(default)]
    data: Option<SecretText>,
    /// A 64-bit number in a text, as Google's JSON has them.
    data_crc32c: Option<String>,
}

#[derive(Default, Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    error: Option<Problem<'a>>,
}

#[derive(Deserialize)]
struct Problem<'a> {
    status: Option<&'a str>,
    #[serde(borrow, default)]
    details: Vec<Detail<'a>>,
}

#[derive(Deserialize)]
struct Detail<'a> {
    reason: Option<&'a str>,
}

impl Session<'_> {
    pub(crate) async fn fetch(&self, entry: &str) -> Result<Entry, Fault> {
        let answer = self.get(&self.manager.path(entry)?).await?;
        if !answer.status.is_success() {
            return Err(refused(&answer));
        }
        let payload = answer.json::<Version>()?.payload;
        let encoded = Zeroizing::new(payload.data.map(SecretText::into_bytes).unwrap_or_default());
        let mut data = Vec::with_capacity(encoded.len());
        STANDARD.decode_vec(encoded.as_slice(), &mut data).map_err(|_| damaged("is no base64"))?;
        let is_whole = payload.data_crc32c.is_none_or(|given| given.parse() == Ok(i64::from(crc32c(&data))));
        let entry = Entry::text(data)?;
        if is_whole { Ok(entry) } else { Err(damaged("does not have the checksum that was sent with it")) }
    }

    /// A secret that nobody made: the answer shows whether the API takes the token. That this one may not be read says nothing about others,
    /// for roles can be given on single secrets, and Google hides from others whether a secret is there.
    pub(crate) async fn probe(&self) -> Result<(), Fault> {
        let answer = match self.manager.project {
            Some(_) => self.get(&self.manager.path(super::PROBE_ENTRY)?).await?,
            // Without a project nothing can be asked for; the sign-in went well.
            None => return Ok(()),
        };
        let (status, reason) = codes(&answer);
        match answer.status.as_u16() {
            200 | 404 => answer.json::<serde::de::IgnoredAny>().map(drop),
            403 if status == "PERMISSION_DENIED" && matches!(reason.as_str(), "" | "IAM_PERMISSION_DENIED") => Ok(()),
            _ => Err(refused(&answer)),
        }
    }

    async fn get(&self, path: &[String]) -> Result<Answer, Fault> {
        let url = http::append(&self.manager.address, path.iter().map(String::as_str));
        self.manager.http.send(&Ask::get(url).bearer(&self.token)?).await
    }
}

/// The status of an error, and the reason that details give.
fn codes(answer: &Answer) -> (String, String) {
    let said: Said<'_> = answer.said();
    let error = said.error.as_ref();
    let reason = error.and_then(|error| error.details.iter().find_map(|detail| detail.reason));
    (code(error.and_then(|error| error.status)).to_owned(), code(reason).to_owned())
}

fn refused(answer: &Answer) -> Fault {
    let (status, reason) = codes(answer);
    let said = format!("Secret Manager answered {} {status} {reason}", answer.status.as_u16()).trim_end().to_owned();
    match (answer.status.as_u16(), status.as_str(), reason.as_str()) {
        (401, ..) => Fault::denied(said, "check that the credentials are those of a service account that exists and is enabled"),
        (403, _, "SERVICE_DISABLED") => Fault::denied(said, "enable the Secret Manager API in the project"),
        (403, ..) => Fault::denied(
            said,
            "give the service account the role Secret Manager Secret Accessor on the secret or the project, and check the project: Google \
             answers the same for a secret that is not there",
        ),
        (404, ..) => Fault::missing(said, "check project, name and version, and that the secret has a version"),
        (400, "FAILED_PRECONDITION", _) => {
            Fault::missing(said, "the version is disabled or destroyed: enable it, or add another one")
        }
        _ => answer.fault(&status),
    }
}

fn damaged(how: &str) -> Fault {
    Fault::malformed(
        format!("the payload of the secret {how}"),
        "try again; if it stays, look for a proxy on the way that changes answers",
    )
}

fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !text.is_empty() && text.len() <= NAME_BYTES_MAX && text.bytes().all(is_part)
}
