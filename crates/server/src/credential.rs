//! What a stored credential consists of, and which of its parts belong together. Nothing here touches the network or the catalog.
//!
//! The store keeps [`PublicPart`] as JSON in the clear. What is sealed is the secret access key alone, as UTF-8, and only for
//! [`AuthType::Iam`].

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use aws::{AssumeRole, AssumeRoleError, Region};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::FieldError;

/// Longest secret access key, in bytes. Those of AWS have 40.
const SECRET_BYTES_MAX: usize = 1024;
/// Shortest and longest access key id (the parameter `AccessKeyId` of the IAM API).
const KEY_ID_BYTES: std::ops::RangeInclusive<usize> = 16..=128;
/// What ids of keys of users and of sessions begin with.
const KEY_ID_PREFIXES: [&str; 2] = ["AKIA", "ASIA"];

/// How a credential signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AuthType {
    /// With the access key of an IAM user.
    Iam,
    /// As a role that whatever the machine runs as assumes.
    Role,
    /// As whatever the machine runs as.
    Ambient,
}

impl AuthType {
    /// As the API and the database spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Role => "role",
            Self::Ambient => "ambient",
        }
    }

    /// The way of a word, if there is one.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Iam, Self::Role, Self::Ambient].into_iter().find(|way| way.as_str() == word)
    }
}

/// What goes with a credential. None of it is secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extra {
    /// The region to sign in at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "eu-west-1")]
    pub(crate) region: Option<String>,
    /// The role to work as; for `role`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "arn:aws:iam::111122223333:role/isinglass")]
    pub(crate) aws_role_arn: Option<String>,
    /// What the trust policy of the role asks for besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) aws_external_id: Option<String>,
    /// Another address of the services: only one that the operator has listed (`crawl.allowed_endpoint_urls`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) endpoint_url: Option<String>,
}

/// Whether one entry of a secret store holds several keys, or one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyType {
    /// One entry with several keys: `path` names the entry, and each field its key.
    #[default]
    MultiKey,
    /// An entry for each value: each field names its entry.
    SingleKey,
}

/// Where a runtime finds what is not given here: names in its own secret store. What is behind them never comes here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SecretReference {
    /// The store, by its name in the runtime's configuration; the one that is the default there without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "vault")]
    pub(crate) store: Option<String>,
    /// The entry that holds all keys; for `multi-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "prod/glue")]
    pub(crate) path: Option<String>,
    /// Whether one entry holds several keys, or one value.
    #[serde(default)]
    pub(crate) key_type: KeyType,
    /// By field (`username`, `password`, `session_token`, `region`, `aws_role_arn`, `aws_external_id`) the name of its key or entry. What
    /// is no secret may be given as it is, in its own field instead.
    pub(crate) keys: BTreeMap<String, String>,
}

/// Fields that a secret store may hold.
const REFERENCED_FIELDS: [&str; 6] = ["username", "password", "session_token", "region", "aws_role_arn", "aws_external_id"];
/// Longest name of a store, an entry or a key, in bytes: that of an ARN.
const REFERENCE_BYTES_MAX: usize = 2048;

/// What is kept of a credential in the clear.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublicPart {
    /// The access key id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
    /// The rest.
    #[serde(default)]
    pub(crate) extra: Extra,
    /// Where a runtime finds what is not given here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secrets: Option<SecretReference>,
}

/// Where the secret of a credential comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SecretPart<'a> {
    /// The request brings it.
    Given(&'a str),
    /// The one that is stored stays.
    Kept,
    /// There is none.
    Absent,
}

impl PublicPart {
    /// Forms send fields that nobody has filled in: an empty text is none.
    pub(crate) fn new(username: Option<String>, extra: Extra) -> Self {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let extra = Extra {
            region: filled(extra.region),
            aws_role_arn: filled(extra.aws_role_arn),
            aws_external_id: filled(extra.aws_external_id),
            endpoint_url: filled(extra.endpoint_url),
        };
        Self { username: filled(username), extra, secrets: None }
    }

    /// With names in the secret store of a runtime.
    pub(crate) fn with_secrets(self, secrets: Option<SecretReference>) -> Self {
        Self { secrets, ..self }
    }
}

/// What is wrong, field by field; nothing when it is all right. No message repeats what was given: secrets end up in wrong fields.
pub(crate) fn check(way: AuthType, public: &PublicPart, secret: SecretPart<'_>, allowed_urls: &[String]) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    if let Some(secrets) = &public.secrets {
        check_reference(way, public, secrets, secret, &mut wrong);
        return wrong;
    }
    check_region(way, public.extra.region.as_deref(), &mut wrong);
    match way {
        AuthType::Iam => check_keys(public.username.as_deref(), secret, &mut wrong),
        AuthType::Role | AuthType::Ambient => {
            refuse("username", public.username.as_deref(), "only `iam` has an access key id: leave it out", &mut wrong);
            if matches!(secret, SecretPart::Given(_)) {
                wrong.push(field("password", "only `iam` has a secret access key: leave it out"));
            }
        }
    }
    match way {
        AuthType::Role => check_role(&public.extra, &mut wrong),
        AuthType::Iam | AuthType::Ambient => {
            let only = "only `role` assumes a role: leave it out, or choose `role`";
            refuse("extra.aws_role_arn", public.extra.aws_role_arn.as_deref(), only, &mut wrong);
            refuse("extra.aws_external_id", public.extra.aws_external_id.as_deref(), only, &mut wrong);
        }
    }
    if public.extra.endpoint_url.as_ref().is_some_and(|url| !allowed_urls.contains(url)) {
        let message = "the operator has not listed this URL (`crawl.allowed_endpoint_urls`): leave it out";
        wrong.push(field("extra.endpoint_url", message));
    }
    wrong
}

/// What stands for a value is given once: by a name, or as it is.
fn check_reference(
    way: AuthType,
    public: &PublicPart,
    secrets: &SecretReference,
    secret: SecretPart<'_>,
    wrong: &mut Vec<FieldError>,
) {
    if matches!(secret, SecretPart::Given(_)) {
        wrong.push(field("password", "a secret that a runtime finds in its own store is never given here: leave it out"));
    }
    if public.extra.endpoint_url.is_some() {
        wrong.push(field("extra.endpoint_url", "where a runtime finds AWS is set in its own environment: leave it out"));
    }
    let is_name = |name: &str| (1..=REFERENCE_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control);
    if secrets.store.as_deref().is_some_and(|name| !is_name(name)) {
        wrong.push(field("secrets.store", "expected the name of a store in the runtime's configuration"));
    }
    match (secrets.key_type, secrets.path.as_deref()) {
        (KeyType::MultiKey, Some(path)) if is_name(path) => {}
        (KeyType::MultiKey, _) => wrong.push(field("secrets.path", "`multi-key` needs the entry that holds the keys")),
        (KeyType::SingleKey, None) => {}
        (KeyType::SingleKey, Some(_)) => {
            wrong.push(field("secrets.path", "`single-key` has an entry for each value: leave it out"))
        }
    }
    for (name, key) in &secrets.keys {
        if !REFERENCED_FIELDS.contains(&name.as_str()) {
            let known = REFERENCED_FIELDS.join(", ");
            wrong.push(field("secrets.keys", &format!("one of the fields is none that can be looked up; there are {known}")));
        } else if !is_name(key) {
            wrong.push(field(&format!("secrets.keys.{name}"), "expected the name of a key or of an entry"));
        }
    }
    let literals = [
        ("username", "username", public.username.is_some()),
        ("region", "extra.region", public.extra.region.is_some()),
        ("aws_role_arn", "extra.aws_role_arn", public.extra.aws_role_arn.is_some()),
        ("aws_external_id", "extra.aws_external_id", public.extra.aws_external_id.is_some()),
    ];
    for (name, literal, is_given) in literals {
        if is_given && secrets.keys.contains_key(name) {
            wrong.push(field(literal, "it is looked up in the secret store as well: leave one of both out"));
        }
    }
    let has = |name: &str| secrets.keys.contains_key(name) || literals.iter().any(|literal| literal.0 == name && literal.2);
    let needed: &[&str] = match way {
        AuthType::Iam => &["username", "password"],
        AuthType::Role => &["aws_role_arn"],
        AuthType::Ambient => &[],
    };
    for name in needed.iter().filter(|name| !has(name)) {
        wrong.push(field(&format!("secrets.keys.{name}"), &format!("`{}` needs it: name its key or entry", way.as_str())));
    }
}

fn check_region(way: AuthType, region: Option<&str>, wrong: &mut Vec<FieldError>) {
    match region.map(Region::parse) {
        Some(Ok(_)) => {}
        None if way == AuthType::Ambient => {}
        None => wrong.push(field("extra.region", "expected the AWS region, such as eu-west-1")),
        Some(Err(error)) => {
            let close = error.close.join(", ");
            wrong.push(field("extra.region", &format!("no AWS region has this name; close ones are {close}")));
        }
    }
}

fn check_keys(id: Option<&str>, secret: SecretPart<'_>, wrong: &mut Vec<FieldError>) {
    let plain = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let begins = |id: &str| KEY_ID_PREFIXES.iter().any(|prefix| id.starts_with(prefix));
    if !id.is_some_and(|id| KEY_ID_BYTES.contains(&id.len()) && plain(id) && begins(id)) {
        wrong.push(field("username", "expected an access key id: AKIA or ASIA, then at least 12 letters and digits"));
    }
    let is_right = match secret {
        SecretPart::Given(secret) => {
            (1..=SECRET_BYTES_MAX).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic())
        }
        SecretPart::Kept => true,
        SecretPart::Absent => false,
    };
    if !is_right {
        wrong.push(field("password", "expected the secret access key of this access key id, without spaces"));
    }
}

fn check_role(extra: &Extra, wrong: &mut Vec<FieldError>) {
    let Some(arn) = &extra.aws_role_arn else {
        return wrong
            .push(field("extra.aws_role_arn", "expected the ARN of the role, such as arn:aws:iam::111122223333:role/name"));
    };
    match AssumeRole::new(arn, extra.aws_external_id.as_deref().unwrap_or_default(), "isinglass") {
        Ok(_) => {}
        Err(error @ AssumeRoleError::ExternalId) => wrong.push(field("extra.aws_external_id", &error.to_string())),
        Err(AssumeRoleError::RoleArn(_) | AssumeRoleError::SessionName(_)) => {
            wrong.push(field("extra.aws_role_arn", "this is no role ARN; one looks like arn:aws:iam::111122223333:role/name"));
        }
    }
}

fn refuse(name: &str, value: Option<&str>, message: &str, wrong: &mut Vec<FieldError>) {
    if value.is_some() {
        wrong.push(field(name, message));
    }
}

fn field(name: &str, message: &str) -> FieldError {
    FieldError { field: name.to_owned(), message: message.to_owned() }
}
