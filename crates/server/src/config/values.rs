//! Values with rules of their own, so that what is parsed once needs no second look.

use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// `sqlite:PATH` or `postgres://…`. It may hold a password (from the environment or a flag), so printing leaves that out.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct CatalogUrl(String);

impl CatalogUrl {
    /// The whole URL, password included, for the store.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn has_password(&self) -> bool {
        self.redacted() != self.0
    }

    fn redacted(&self) -> String {
        let Some((scheme, rest)) = self.0.split_once("://") else { return self.0.clone() };
        let (address, query) = rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
        let address = match address.rsplit_once('@') {
            Some((user, host)) => match user.split_once(':') {
                Some((name, _)) => format!("{name}:***@{host}"),
                None => address.to_owned(),
            },
            None => address.to_owned(),
        };
        let query = query.map(|query| format!("?{}", query.split('&').map(redacted_pair).collect::<Vec<_>>().join("&")));
        format!("{scheme}://{address}{}", query.unwrap_or_default())
    }
}

fn redacted_pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if name.to_ascii_lowercase().contains("password") => format!("{name}=***"),
        _ => pair.to_owned(),
    }
}

impl TryFrom<String> for CatalogUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        if known { Ok(Self(text)) } else { Err("expected sqlite:PATH or postgres://HOST/DATABASE") }
    }
}

impl Serialize for CatalogUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.redacted())
    }
}

impl fmt::Debug for CatalogUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.redacted())
    }
}

/// A range of addresses, `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr(pub IpNet);

impl TryFrom<String> for Cidr {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self).map_err(|_| "expected a range of addresses such as 10.20.0.0/16")
    }
}

impl From<Cidr> for String {
    fn from(range: Cidr) -> Self {
        range.0.to_string()
    }
}

/// The name of an environment variable: capitals, digits, `_`. Anything else is taken for the secret itself, and is not repeated.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String", into = "String")]
pub struct VariableName(String);

const VARIABLE_NAME_BYTES_MAX: usize = 64;

impl VariableName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for VariableName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let first = text.starts_with(|character: char| character.is_ascii_uppercase() || character == '_');
        let rest = text.chars().all(|character| character.is_ascii_uppercase() || character.is_ascii_digit() || character == '_');
        if first && rest && text.len() <= VARIABLE_NAME_BYTES_MAX {
            Ok(Self(text))
        } else {
            Err("this looks like the secret itself; expected the name of an environment variable (A-Z, 0-9, _) that holds it")
        }
    }
}

impl From<VariableName> for String {
    fn from(name: VariableName) -> Self {
        name.0
    }
}

/// Which addresses crawls may connect to.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Public addresses.
    #[default]
    Public,
    /// RFC 1918 and ULA, and the ranges of `private_cidrs`.
    Private,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The role of someone whose claim matches no list.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum DefaultRole {
    /// No access.
    #[default]
    None,
    /// Reads.
    Viewer,
    /// Creates connections and enriches assets.
    Member,
    /// Everything.
    Administrator,
}
