//! How a runtime becomes known, and how it signs in afterwards.

use serde::{Deserialize, Serialize};

/// `POST /runtime/v1/enroll`. Sent again with the same token, key and name (an answer was lost), it is answered in the same way.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrollRequest {
    /// The one-time token of an administrator.
    pub token: String,
    /// What people call the runtime, and the name of the queue that it works on. Several runtimes may share one.
    pub name: String,
    /// Its Ed25519 public key (RFC 8032, 32 bytes), base64 without padding.
    pub public_key: String,
    /// The version of the program.
    pub version: String,
    /// [`crate::PROTOCOL`].
    pub protocol: u32,
}

/// The token is a secret.
impl std::fmt::Debug for EnrollRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrollRequest").field("token", &"***").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What the control plane made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Enrolled {
    /// Who the runtime is from now on.
    pub runtime_id: String,
    /// The queue that it works on.
    pub name: String,
    /// Whom assertions are for.
    pub audience: String,
}

/// `POST /runtime/v1/token` (RFC 6749 section 4.4.3).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// Goes into `Authorization: Bearer`.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// At most 900.
    pub expires_in: u64,
}

impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenAnswer").field("access_token", &"***").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// Why there is no token (RFC 6749 section 5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenError {
    /// `invalid_client`, `invalid_request`, `unsupported_grant_type`.
    pub error: String,
    /// For people.
    pub error_description: String,
    /// What the control plane's clock says, seconds since 1970 UTC: whose clock is wrong can sign in with the difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_time: Option<i64>,
}
