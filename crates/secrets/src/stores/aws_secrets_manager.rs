//! AWS Secrets Manager, through the one client that talks to AWS: its gate, its network guard, its evidence.
//!
//! Source: `GetSecretValue` of the AWS Secrets Manager API reference
//! (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>).

use std::time::Duration;

use aws::{
    AssumeRole, Client, Clock, ConnectError, CredentialSource, Environment, Evidence, NetworkMode, NetworkPolicy, Region, Settings,
    StaticKeys, Surroundings, default_session_name,
};
use bytes::Bytes;
use connector::port::{ApiError, ErrorKind, ReadApi, ReadOperation, ReadRequest};
use model::Secret;
use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroize;

use crate::configuration::aws::{AwsNetwork, AwsSecretsManager};
use crate::context::Context;
use crate::entry::{ENTRY_BYTES_MAX, Entry, SecretText, too_long};
use crate::fault::Fault;

/// What the client may do, and what a role's session is cut down to.
const OPERATIONS: &[ReadOperation] = &[ReadOperation::AssumeRole, ReadOperation::GetSecretValue];
/// The longest name or ARN of a secret.
const NAME_BYTES_MAX: usize = 2048;
/// How much longer than the value an answer may be: JSON doubles a character that it escapes, and says something about the secret.
const ANSWER_BYTES_MAX: usize = 6 * ENTRY_BYTES_MAX;
/// How many answers' times a call may take, sign-in and the client's own retries included.
const ANSWERS_WAITED: u32 = 3;

/// The secrets of one region, as one identity sees them.
pub(crate) struct SecretsManager {
    client: Client,
    region: String,
    call_max: Duration,
}

impl SecretsManager {
    pub(crate) async fn open(settings: &AwsSecretsManager, context: &Context) -> Result<Self, Fault> {
        let environment = Environment::from_lookup(|name| context.variable(name));
        let region = settings.region.clone().or_else(|| environment.region.clone()).ok_or_else(|| {
            Fault::misconfigured("the region of the secrets is not given", "set region of the store, or the variable AWS_REGION")
        })?;
        let region = Region::parse(&region).map_err(|error| unusable("region", &error))?;
        let mut given = Settings::new(region, environment);
        given.network = network(settings)?;
        given.ca_bundle = settings.ca_bundle.clone().or_else(|| context.ca_bundle.clone()).or(given.ca_bundle);
        given.credentials = credentials(settings, context);
        given.assume_role = role(settings)?;
        let now = context.clone();
        let mut surroundings = Surroundings::default();
        surroundings.clock = Clock::new(move || now.now());
        let region = given.region.name().to_owned();
        let client = Client::connect_with(given, OPERATIONS, Evidence::new(), surroundings).await;
        let client = client.map_err(|error: ConnectError| unusable("the AWS settings", &error))?;
        Ok(Self { client, region, call_max: context.limits.answer * ANSWERS_WAITED })
    }

    pub(crate) async fn fetch(&self, entry: &str) -> Result<Entry, Fault> {
        self.require_name(entry)?;
        let body = self.ask(entry).await?.map_err(|error| refused(&error))?;
        let read = read(&body);
        forget(body);
        read
    }

    /// A secret that nobody made: the answer shows whether the service takes the signature. That this one may not be read says nothing about
    /// others, for policies name single secrets.
    pub(crate) async fn probe(&self) -> Result<(), Fault> {
        match self.ask(super::PROBE_ENTRY).await? {
            Ok(body) => forget(body),
            Err(error) if error.operation == ReadOperation::GetSecretValue && is_about_the_entry(&error) => {}
            Err(error) => return Err(refused(&error)),
        }
        Ok(())
    }

    async fn ask(&self, entry: &str) -> Result<Result<Bytes, ApiError>, Fault> {
        let request = ReadRequest::json(ReadOperation::GetSecretValue, &serde_json::json!({ "SecretId": entry }));
        tokio::time::timeout(self.call_max, self.client.read(request)).await.map_err(|_| {
            let reason = format!("AWS Secrets Manager did not answer within {} s", self.call_max.as_secs_f32());
            Fault::unreachable(reason, "check that the runtime may connect to the endpoint of the service, and try again later")
        })
    }

    /// Source: the parameter `SecretId`, and "Name" of `CreateSecret`.
    fn require_name(&self, entry: &str) -> Result<(), Fault> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-:!".contains(&byte);
        if entry.is_empty() || entry.len() > NAME_BYTES_MAX || !entry.bytes().all(is_part) {
            return Err(Fault::misconfigured("this is no name of a secret of AWS", "write the name or the ARN of the secret"));
        }
        let region = entry.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2));
        match region {
            Some(region) if region != self.region => Err(Fault::misconfigured(
                format!("the secret is in {region}, and the store asks in {}", self.region),
                "configure a store with the region of the secret",
            )),
            Some(_) | None => Ok(()),
        }
    }
}

fn network(settings: &AwsSecretsManager) -> Result<NetworkPolicy, Fault> {
    let mode = match settings.network {
        AwsNetwork::Public => NetworkMode::Public,
        AwsNetwork::Private => NetworkMode::Private,
    };
    let parse = |range: &String| {
        range
            .parse()
            .map_err(|_| Fault::misconfigured("private-cidrs has something that is no range", "write ranges as 10.1.0.0/16"))
    };
    let private_cidrs = settings.private_cidrs.iter().map(parse).collect::<Result<Vec<ipnet::IpNet>, Fault>>()?;
    Ok(NetworkPolicy { mode, private_cidrs })
}

/// A profile if one is given, keys of the environment otherwise, and else the rest of the standard chain.
fn credentials(settings: &AwsSecretsManager, context: &Context) -> CredentialSource {
    if let Some(profile) = &settings.profile {
        return CredentialSource::Profile(profile.clone());
    }
    match context.variable("AWS_ACCESS_KEY_ID").zip(context.variable("AWS_SECRET_ACCESS_KEY")) {
        Some((access_key_id, secret_access_key)) => CredentialSource::Keys(StaticKeys {
            access_key_id,
            secret_access_key: Secret::new(secret_access_key),
            session_token: context.variable("AWS_SESSION_TOKEN").map(Secret::new),
        }),
        None => CredentialSource::Chain,
    }
}

fn role(settings: &AwsSecretsManager) -> Result<Option<AssumeRole>, Fault> {
    let Some(arn) = &settings.role_arn else {
        return match settings.external_id {
            Some(_) => Err(Fault::misconfigured(
                "external-id is given without role-arn",
                "give the role that asks for it, or leave it out",
            )),
            None => Ok(None),
        };
    };
    let session = default_session_name("secrets");
    let role = AssumeRole::new(arn, settings.external_id.as_deref().unwrap_or_default(), &session);
    role.map(Some).map_err(|error| unusable("role-arn", &error))
}

fn unusable(what: &str, error: &dyn std::error::Error) -> Fault {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    Fault::misconfigured(format!("{what} cannot be used: {error}{cause}"), "correct the settings of the store")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: Option<SecretText>,
    secret_binary: Option<IgnoredAny>,
}

fn read(body: &[u8]) -> Result<Entry, Fault> {
    if body.len() > ANSWER_BYTES_MAX {
        return Err(too_long());
    }
    let value: SecretValue = serde_json::from_slice(body).map_err(|error| {
        let reason = format!("the answer is not of the form of GetSecretValue (line {}, column {})", error.line(), error.column());
        Fault::malformed(reason, "look for a proxy on the way that answers in the place of AWS")
    })?;
    match (value.secret_string, value.secret_binary) {
        (Some(text), _) => Entry::text(text.into_bytes()),
        (None, Some(_)) => Err(Fault::malformed(
            "the secret is binary (SecretBinary)",
            "store the credentials as text (SecretString): a JSON object for several keys, or the bare value",
        )),
        (None, None) => Err(Fault::malformed("the secret has no value", "write a value into it as text (SecretString)")),
    }
}

/// Overwrites an answer, if nobody else holds its memory.
fn forget(body: Bytes) {
    if let Ok(mut bytes) = body.try_into_mut() {
        let bytes: &mut [u8] = &mut bytes;
        bytes.zeroize();
    }
}

/// Whether the service looked at the secret, so that it took the signature.
fn is_about_the_entry(error: &ApiError) -> bool {
    matches!(error.kind, ErrorKind::NotFound | ErrorKind::Invalid) || error.code.as_deref() == Some("AccessDeniedException")
}

fn refused(error: &ApiError) -> Fault {
    let (reason, remedy) = (error.to_string(), error.suggested_action.clone());
    match error.kind {
        ErrorKind::NotFound => Fault::missing(reason, remedy),
        ErrorKind::Denied | ErrorKind::Credentials => Fault::denied(reason, remedy),
        ErrorKind::Throttled | ErrorKind::Unavailable => Fault::unreachable(reason, remedy),
        ErrorKind::Malformed => Fault::malformed(reason, remedy),
        ErrorKind::Invalid | ErrorKind::Refused => Fault::misconfigured(reason, remedy),
    }
}
