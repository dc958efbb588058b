//! What the provider tells of a person beside the ID token (OpenID Connect Core 1.0, sections 5.3 and 5.4): many tell names and groups
//! only there.

use openidconnect::{AccessToken, SubjectIdentifier, UserInfoError};

use super::claims::UserInfo;
use super::error::{HttpError, OidcError};
use super::provider::Provider;

impl Provider {
    /// What is told of `subject`, who is the one of the ID token: an answer about anybody else is refused (section 5.3.2). Nothing from a
    /// provider that has no such endpoint.
    ///
    /// # Errors
    /// [`OidcError::UserInfo`]; [`OidcError::Discovery`].
    pub(super) async fn user_info(
        &self,
        access_token: AccessToken,
        subject: &SubjectIdentifier,
        now_ms: i64,
    ) -> Result<Option<UserInfo>, OidcError> {
        let client = self.client(now_ms).await?;
        let Ok(request) = client.user_info(access_token, Some(subject.clone())) else { return Ok(None) };
        request.request_async(self.http()).await.map(Some).map_err(|error| failed(&error))
    }
}

/// The library's errors hold the answer, which is about a person; these reasons do not.
fn failed(error: &UserInfoError<HttpError>) -> OidcError {
    let reason = match error {
        UserInfoError::Request(error) => error.to_string(),
        UserInfoError::Response(status, ..) => format!("it answered {}, or not with JSON", status.as_u16()),
        UserInfoError::Parse(error) => format!("its answer is malformed at {}", error.path()),
        UserInfoError::ClaimsVerification(_) => "its answer is about somebody else, or its signature is wrong".to_owned(),
        UserInfoError::Other(_) | _ => "its answer cannot be read".to_owned(),
    };
    OidcError::UserInfo { reason }
}
