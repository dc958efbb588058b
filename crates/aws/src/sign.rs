//! Requests as they go over the wire, and their signature (AWS Signature Version 4).

use std::time::SystemTime;

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use connector::port::{ReadOperation, ReadRequest};
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;

use crate::endpoint::Target;
use crate::gate::TARGET_HEADER;

/// How this program names itself to services.
const USER_AGENT_VALUE: HeaderValue = HeaderValue::from_static(concat!("isinglass/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");

/// A request without its signature. It is signed anew for every attempt.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) operation: ReadOperation,
    pub(crate) path: String,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

/// A request that cannot be put into the form of HTTP or of a signature: a value with characters that have no place there.
#[derive(Debug, thiserror::Error)]
#[error("the request cannot be signed")]
pub(crate) struct SignError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Outgoing {
    /// A Glue request: JSON 1.1.
    pub(crate) fn glue(request: ReadRequest) -> Self {
        let target = HeaderValue::from_str(&format!("AWSGlue.{}", request.operation.name()));
        let mut headers = vec![(CONTENT_TYPE, JSON)];
        headers.extend(target.ok().map(|target| (TARGET_HEADER, target)));
        Self { operation: request.operation, path: request.path, headers, body: request.body }
    }

    /// An STS request: the query protocol, with its parameters in the body.
    pub(crate) fn sts(operation: ReadOperation, parameters: &[(&str, &str)]) -> Self {
        let mut body = format!("Action={}&Version=2011-06-15", operation.name());
        for (name, value) in parameters {
            body.push('&');
            body.push_str(name);
            body.push('=');
            push_encoded(&mut body, value);
        }
        Self { operation, path: "/".to_owned(), headers: vec![(CONTENT_TYPE, FORM)], body: body.into() }
    }

    /// The request as it is sent to `target`, but for its signature.
    pub(crate) fn unsigned(&self, target: &Target) -> Result<Request<Full<Bytes>>, SignError> {
        let uri = format!("{}://{}{}", target.scheme, target.authority, self.path);
        let mut request = Request::builder().method(Method::POST).uri(uri).body(Full::new(self.body.clone())).map_err(wrap)?;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_str(&target.authority).map_err(wrap)?);
        headers.insert(USER_AGENT, USER_AGENT_VALUE);
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        Ok(request)
    }

    /// The request as it is sent to `target`, signed for `region` at `now`.
    pub(crate) fn signed(
        &self,
        target: &Target,
        region: &str,
        identity: &Identity,
        now: SystemTime,
    ) -> Result<Request<Full<Bytes>>, SignError> {
        let mut request = self.unsigned(target)?;
        let params = v4::SigningParams::builder()
            .identity(identity)
            .region(region)
            .name(target.service.name())
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(wrap)?
            .into();
        let signable = {
            // Proxies may rewrite the user agent, so it is not signed.
            let signed = request.headers().iter().filter(|(name, _)| **name != USER_AGENT);
            let headers = signed.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
            SignableRequest::new("POST", request.uri().to_string(), headers, SignableBody::Bytes(&self.body)).map_err(wrap)?
        };
        let (instructions, _) = sign(signable, &params).map_err(wrap)?.into_parts();
        for (name, value) in instructions.headers() {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(wrap)?;
            let mut value = HeaderValue::from_str(value).map_err(wrap)?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        Ok(request)
    }
}

fn wrap(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SignError {
    SignError(error.into())
}

/// Appends `value` percent-encoded for a form body (RFC 3986 unreserved characters stay).
fn push_encoded(out: &mut String, value: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use aws_credential_types::Credentials;

    use super::*;
    use crate::endpoint::AwsService;

    #[test]
    fn sts_parameters_are_encoded_into_the_body() {
        let request = Outgoing::sts(ReadOperation::AssumeRole, &[("RoleArn", "arn:aws:iam::1:role/a b"), ("Policy", "{\"é\"}")]);
        let body = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%20b&Policy=%7B%22%C3%A9%22%7D";
        assert_eq!(request.body, body);
    }

    #[test]
    fn a_signature_covers_the_target_and_leaves_the_user_agent_out() {
        let identity = Credentials::new("AKIDEXAMPLE", "secret", Some("token".to_owned()), None, "test").into();
        let target = Target::from_override(AwsService::Glue, "test", "http://127.0.0.1:4566").unwrap();
        let outgoing = Outgoing::glue(ReadRequest::json(ReadOperation::GetDatabases, &serde_json::json!({})));
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let request = outgoing.signed(&target, "eu-west-1", &identity, now).unwrap();
        let header = |name: &str| request.headers()[name].to_str().unwrap();
        assert!(header("authorization").starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20231114/eu-west-1/glue/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature="
        ));
        assert_eq!((header("x-amz-date"), header("host")), ("20231114T221320Z", "127.0.0.1:4566"));
        assert_eq!((header("x-amz-target"), header("content-type")), ("AWSGlue.GetDatabases", "application/x-amz-json-1.1"));
    }

    #[test]
    fn a_token_that_is_no_header_value_is_an_error() {
        let identity = Credentials::new("AKIDEXAMPLE", "secret", Some("to\nken".to_owned()), None, "test").into();
        let target = Target::from_override(AwsService::Glue, "test", "http://127.0.0.1:4566").unwrap();
        let outgoing = Outgoing::glue(ReadRequest::json(ReadOperation::GetDatabases, &serde_json::json!({})));
        assert!(outgoing.signed(&target, "eu-west-1", &identity, UNIX_EPOCH).is_err());
    }
}
