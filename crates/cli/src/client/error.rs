//! Why a control plane did not answer as asked, and what to do.

use serde::Deserialize;

use crate::failure::Failure;

/// Why there is no answer. No message holds the token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The URL cannot be asked.
    #[error("the server's URL cannot be used: {reason}")]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// The certificates cannot be used.
    #[error("the connection to the server cannot be set up")]
    Setup(#[source] reqwest::Error),
    /// Nobody answers.
    #[error("{server} cannot be reached")]
    Unreachable {
        /// The server's URL.
        server: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The token is not known, has expired or was revoked.
    #[error("{server} refused the token")]
    TokenRefused {
        /// The server's URL.
        server: String,
    },
    /// There is no such thing.
    #[error("{detail}")]
    NotFound {
        /// What the server says.
        detail: String,
    },
    /// The server does not have what this program asks.
    #[error("{server} does not know `{path}`: it is older than this program")]
    TooOld {
        /// The server's URL.
        server: String,
        /// The path of the API.
        path: String,
    },
    /// Another refusal.
    #[error("the server refused with status {status}: {detail}")]
    Refused {
        /// The status.
        status: u16,
        /// What the server says.
        detail: String,
    },
    /// Whatever answered is something else.
    #[error("{server} answered with status {status} and no problem document: this is no Isinglass server")]
    NotIsinglass {
        /// The server's URL.
        server: String,
        /// The status.
        status: u16,
    },
    /// The answer is not as described.
    #[error("the answer to `{path}` is not as this program expects it")]
    Unreadable {
        /// The path of the API.
        path: String,
        /// What is unexpected.
        #[source]
        source: serde_json::Error,
    },
    /// More than is read.
    #[error("the answer is longer than {max} bytes")]
    TooLong {
        /// How much is read.
        max: usize,
    },
}

impl ClientError {
    fn remedy(&self) -> &'static str {
        match self {
            Self::Url { .. } => "Give a URL that begins with https://, or with http:// for a server on this machine.",
            Self::Setup(_) => "Check the certificates of --ca-bundle (AWS_CA_BUNDLE) and the proxy of the environment.",
            Self::Unreachable { .. } => {
                "Check the URL, that the server runs, its certificate (--ca-bundle), and HTTPS_PROXY and NO_PROXY."
            }
            Self::TokenRefused { .. } => {
                "Make a token on the server (POST /api/v1/tokens) and give it by --token-file or ISINGLASS_TOKEN."
            }
            Self::NotFound { .. } => "",
            Self::TooOld { .. } | Self::Unreadable { .. } => {
                "Update the server, or use the program of its version; GET /api/v1/system tells it."
            }
            Self::Refused { status: 403, .. } => "Use the token of somebody who may do this.",
            Self::Refused { status: 503, .. } => "Try again later.",
            Self::Refused { .. } => "",
            Self::NotIsinglass { .. } => "Check the URL: it is the one under which the server has /api/v1.",
            Self::TooLong { .. } => "Ask for less, or ask the catalog itself with --catalog.",
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let is_usage = matches!(error, ClientError::Url { .. });
        let mut failure = if is_usage { Self::usage_error(&error) } else { Self::from_error(&error) };
        error.remedy().clone_into(&mut failure.told.remedy);
        failure
    }
}

/// A problem document (RFC 9457), as far as it is told.
#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    detail: String,
    #[serde(default)]
    errors: Vec<FieldError>,
}

#[derive(Debug, Deserialize)]
struct FieldError {
    field: String,
    message: String,
}

impl Problem {
    /// Whether the server has nothing at all at the path, as opposed to not having what was asked for there.
    pub(super) fn is_unknown_path(&self) -> bool {
        self.kind == "urn:isinglass:problem:not-found" && self.detail.starts_with("there is nothing at this path")
    }

    /// What is wrong, field by field.
    pub(super) fn told(self) -> String {
        let fields = self.errors.iter().map(|error| format!("\n    {}: {}", error.field, error.message));
        format!("{}{}", self.detail, fields.collect::<String>())
    }
}
