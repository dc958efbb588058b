//! Requests as they go over the wire, and their signature (AWS Signature Version 4).

use std::time::SystemTime;

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use connector::port::{ReadOperation, ReadRequest, push_percent_encoded};
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;

use crate::endpoint::Target;
use crate::gate::rest::http_method;
use crate::gate::{TARGET_HEADER, target_prefix};

/// How this program names itself to services.
const USER_AGENT_VALUE: HeaderValue = HeaderValue::from_static(concat!("isinglass/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");
const REST_JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");

/// A request without its signature. It is signed anew for every attempt.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) operation: ReadOperation,
    pub(crate) method: Method,
    /// The path with its query, percent-encoded.
    pub(crate) path: String,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

/// A request that cannot be put into the form of HTTP or of a signature: a value with characters that have no place there.
#[derive(Debug, thiserror::Error)]
#[error("the request cannot be signed")]
pub(crate) struct SignError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Outgoing {
    /// A request of the JSON 1.1 protocol, with the operation in a header. What is not of that protocol gets no such header, and
    /// the gate refuses it.
    pub(crate) fn json(request: ReadRequest) -> Self {
        let operation = request.operation;
        let target =
            target_prefix(operation.service()).map(|prefix| HeaderValue::from_str(&format!("{prefix}{}", operation.name())));
        let mut headers = vec![(CONTENT_TYPE, JSON)];
        headers.extend(target.and_then(Result::ok).map(|target| (TARGET_HEADER, target)));
        Self { operation: request.operation, method: Method::POST, path: request.path, headers, body: request.body }
    }

    /// A DataZone request: REST, with the operation in method and path. What has no route is made a `POST`, which the gate refuses.
    pub(crate) fn rest(request: ReadRequest) -> Self {
        let method = request.operation.route().map_or(Method::POST, |route| http_method(route.method));
        let headers = if request.body.is_empty() { Vec::new() } else { vec![(CONTENT_TYPE, REST_JSON)] };
        Self { operation: request.operation, method, path: request.path, headers, body: request.body }
    }

    /// An STS request: the query protocol, with its parameters in the body.
    pub(crate) fn sts(operation: ReadOperation, parameters: &[(&str, &str)]) -> Self {
        let mut body = format!("Action={}&Version=2011-06-15", operation.name());
        for (name, value) in parameters {
            body.push('&');
            body.push_str(name);
            body.push('=');
            push_percent_encoded(value, &mut body);
        }
        let headers = vec![(CONTENT_TYPE, FORM)];
        Self { operation, method: Method::POST, path: "/".to_owned(), headers, body: body.into() }
    }

    /// The request as it is sent to `target`, but for its signature.
    pub(crate) fn unsigned(&self, target: &Target) -> Result<Request<Full<Bytes>>, SignError> {
        let uri = format!("{}://{}{}", target.scheme, target.authority, self.path);
        let mut request =
            Request::builder().method(self.method.clone()).uri(uri).body(Full::new(self.body.clone())).map_err(wrap)?;
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
            SignableRequest::new(self.method.as_str(), request.uri().to_string(), headers, SignableBody::Bytes(&self.body))
                .map_err(wrap)?
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use aws_credential_types::Credentials;

    use super::*;
    use crate::endpoint::region::Region;
    use crate::endpoint::{AwsService, HostVariant};

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
        let outgoing = Outgoing::json(ReadRequest::json(ReadOperation::GetDatabases, &serde_json::json!({})));
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

    /// The signatures are botocore's for the same keys, time and address: it encodes the path once more and sorts the parameters.
    #[test]
    fn rest_requests_have_the_signatures_that_the_public_client_computes() {
        let identity = Credentials::new("AKIDEXAMPLE", "secret", Some("token".to_owned()), None, "test").into();
        let region = Region::parse("eu-west-1").unwrap();
        let target = Target::standard(AwsService::DataZone, &region, HostVariant::default());
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let arn = "arn:aws:glue:eu-west-1:1:table/sales/a b";
        let page = [("timestampAfter", "1700000000"), ("nextToken", "a/b=="), ("maxResults", "50"), ("sortOrder", "ASCENDING")];
        let input = serde_json::json!({"searchScope": "ASSET"});
        for (operation, segments, query, input, signed_headers, signature) in [
            (
                ReadOperation::GetLineageNode,
                &["dzd_1", arn][..],
                &[("timestamp", "1+1&x=y")][..],
                None,
                "host;x-amz-date;x-amz-security-token",
                "6b478f06455e73322dd1ca4bdca06095136bdc01f6efe90a241f29961e01fd4b",
            ),
            (
                ReadOperation::ListLineageEvents,
                &["dzd_1"],
                &page,
                None,
                "host;x-amz-date;x-amz-security-token",
                "11416374abdd67491e43835b6113313e1e0e4998ed6f176c983b9b2865640c38",
            ),
            (
                ReadOperation::Search,
                &["dzd_1"],
                &[],
                Some(&input),
                "content-type;host;x-amz-date;x-amz-security-token",
                "cc2b16d9476f02425f579f892bd0682695bab1d74a755e4cc043774bc6e8c4f3",
            ),
        ] {
            let outgoing = Outgoing::rest(ReadRequest::rest(operation, segments, query, input));
            let request = outgoing.signed(&target, region.name(), &identity, now).unwrap();
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20231114/eu-west-1/datazone/aws4_request, \
                 SignedHeaders={signed_headers}, Signature={signature}"
            );
            assert_eq!(request.headers()["authorization"], expected, "{operation}");
            assert_eq!(request.uri().path_and_query().unwrap().as_str(), outgoing.path);
        }
    }

    #[test]
    fn a_rest_read_has_the_method_of_its_route_and_a_content_type_only_with_a_body() {
        let get = Outgoing::rest(ReadRequest::rest(ReadOperation::GetDomain, &["dzd_1"], &[], None));
        assert_eq!((get.method, get.headers.len(), get.path.as_str()), (Method::GET, 0, "/v2/domains/dzd_1"));
        let input = serde_json::json!({"searchScope": "ASSET"});
        let post = Outgoing::rest(ReadRequest::rest(ReadOperation::Search, &["dzd_1"], &[], Some(&input)));
        assert_eq!((post.method, post.headers), (Method::POST, vec![(CONTENT_TYPE, REST_JSON)]));
        assert_eq!(post.body, r#"{"searchScope":"ASSET"}"#);
    }

    #[test]
    fn a_token_that_is_no_header_value_is_an_error() {
        let identity = Credentials::new("AKIDEXAMPLE", "secret", Some("to\nken".to_owned()), None, "test").into();
        let target = Target::from_override(AwsService::Glue, "test", "http://127.0.0.1:4566").unwrap();
        let outgoing = Outgoing::json(ReadRequest::json(ReadOperation::GetDatabases, &serde_json::json!({})));
        assert!(outgoing.signed(&target, "eu-west-1", &identity, UNIX_EPOCH).is_err());
    }
}
