//! A small client that signs with the public SigV4 crate, so that the simulation's check is judged by an independent hand.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use sim::{Keys, Running};

pub(crate) type Http = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

pub(crate) struct Client {
    http: Http,
    endpoint: String,
    pub(crate) keys: Keys,
    pub(crate) region: String,
    pub(crate) signed_at: Option<SystemTime>,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    /// `x-amzn-errortype`, where REST services say the code of an error.
    pub(crate) error_type: String,
    pub(crate) headers: http::HeaderMap,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Glue's `__type`, or the text of STS's `<Code>`.
    pub(crate) fn code(&self) -> String {
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(value) => value["__type"].as_str().unwrap_or_default().to_owned(),
            Err(_) => self.element("Code"),
        }
    }

    pub(crate) fn message(&self) -> String {
        let value: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let message = value["Message"].as_str().or(value["message"].as_str());
        message.map_or_else(|| self.element("Message"), str::to_owned)
    }

    /// The text of an XML element.
    pub(crate) fn element(&self, name: &str) -> String {
        let text = self.text();
        let inside = text.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once('<'));
        inside.map(|(inside, _)| inside.to_owned()).unwrap_or_default()
    }
}

impl Client {
    pub(crate) fn new(running: &Running) -> Self {
        Self {
            http: hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http(),
            endpoint: running.endpoint(),
            keys: running.keys(),
            region: "eu-west-1".to_owned(),
            signed_at: None,
        }
    }

    pub(crate) async fn glue(&self, operation: &str, input: Value) -> Reply {
        self.try_glue(operation, input).await.expect("an answer")
    }

    pub(crate) async fn try_glue(&self, operation: &str, input: Value) -> Result<Reply, String> {
        self.send(self.glue_request(operation, &input)).await
    }

    pub(crate) fn glue_request(&self, operation: &str, input: &Value) -> Request<Full<Bytes>> {
        let target = format!("AWSGlue.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        self.signed("glue", &headers, input.to_string())
    }

    /// A request to DataZone: `path` with its query, and a body where one is given.
    pub(crate) async fn datazone(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        self.try_datazone(method, path, body).await.expect("an answer")
    }

    pub(crate) async fn try_datazone(&self, method: Method, path: &str, body: Option<Value>) -> Result<Reply, String> {
        let headers = [("content-type", "application/json")];
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.send(self.signed_at(&method, path, ("datazone", &headers), body)).await
    }

    pub(crate) async fn sts(&self, members: &[(&str, &str)]) -> Reply {
        let pairs = members.iter().map(|(name, value)| format!("{name}={}", form_encode(value)));
        let body = pairs.collect::<Vec<_>>().join("&") + "&Version=2011-06-15";
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send(self.signed("sts", &headers, body)).await.expect("an answer")
    }

    /// The same client with the credentials of an assumed role.
    pub(crate) async fn assume(&self, running: &Running, members: &[(&str, &str)]) -> Self {
        let mut asked = vec![
            ("Action", "AssumeRole"),
            ("RoleArn", "arn:aws:iam::111122223333:role/isinglass-reader"),
            ("RoleSessionName", "test"),
        ];
        asked.extend_from_slice(members);
        let reply = self.sts(&asked).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let keys = Keys {
            access_key_id: reply.element("AccessKeyId"),
            secret_access_key: reply.element("SecretAccessKey"),
            session_token: Some(reply.element("SessionToken")),
        };
        Self { keys, ..Self::new(running) }
    }

    pub(crate) async fn control(&self, method: Method, noun: &str, body: &str) -> Reply {
        let request = Request::builder().method(method).uri(format!("{}/_sim/{noun}", self.endpoint));
        self.send(request.body(Full::from(body.to_owned())).expect("request")).await.expect("an answer")
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Reply, String> {
        let response = self.http.request(request).await.map_err(|error| format!("{error:?}"))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let error_type = headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let body = response.into_body().collect().await.map_err(|error| format!("{error:?}"))?.to_bytes();
        Ok(Reply { status, body, error_type, headers })
    }

    fn signed(&self, service: &str, headers: &[(&str, &str)], body: String) -> Request<Full<Bytes>> {
        self.signed_at(&Method::POST, "/", (service, headers), body)
    }

    fn signed_at(
        &self,
        method: &Method,
        path: &str,
        (service, headers): (&str, &[(&str, &str)]),
        body: String,
    ) -> Request<Full<Bytes>> {
        let Keys { access_key_id, secret_access_key, session_token } = self.keys.clone();
        let identity = Credentials::new(access_key_id, secret_access_key, session_token, None, "test").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(self.signed_at.unwrap_or_else(now))
            .settings(SigningSettings::default())
            .build()
            .expect("parameters")
            .into();
        let uri = format!("{}{path}", self.endpoint);
        let signable = SignableRequest::new(method.as_str(), &uri, headers.iter().copied(), SignableBody::Bytes(body.as_bytes()));
        let (instructions, _) = sign(signable.expect("signable"), &parameters).expect("signed").into_parts();
        let mut request = Request::builder().method(method.clone()).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Full::from(body)).expect("request");
        instructions.apply_to_request_http1x(&mut request);
        request
    }
}

#[expect(clippy::disallowed_methods, reason = "signatures are checked against the machine's clock")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn form_encode(value: &str) -> String {
    value
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
