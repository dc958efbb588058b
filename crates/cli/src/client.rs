//! Asking a running control plane over its HTTP API: one token, answers of bounded length, and errors that say what to do.

mod error;

use std::fmt;
use std::time::Duration;

use model::Secret;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Method, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use error::ClientError;
use error::Problem;

/// How long one question may take, from the first packet to the last byte of the answer.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// The longest answer: a page of 200 items or an asset with 500 columns is far below.
const ANSWER_BYTES_MAX: usize = 64 << 20;
const USER_AGENT: &str = concat!("isinglass-cli/", env!("CARGO_PKG_VERSION"));

/// A control plane, and the token to ask it with.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    token: Secret,
}

/// Where the service is, without the token.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// A client for the service at a URL. The proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`) are used, except to this machine:
    /// there the token may travel unencrypted, and must not travel further.
    ///
    /// # Errors
    /// The URL is none to send a token to, or the certificates cannot be used.
    pub(crate) fn new(server: &str, token: Secret, ca_bundle_pem: Option<&[u8]>) -> Result<Self, ClientError> {
        let unusable = |reason: String| ClientError::Url { reason };
        let mut base = Url::parse(server.trim()).map_err(|error| unusable(error.to_string()))?;
        server::outbound::check(&base).map_err(|error| unusable(error.to_string()))?;
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        base.set_query(None);
        base.set_fragment(None);
        let mut builder =
            reqwest::Client::builder().redirect(Policy::none()).referer(false).timeout(TIME_LIMIT).user_agent(USER_AGENT);
        if base.scheme() == "http" {
            builder = builder.no_proxy();
        }
        if let Some(pem) = ca_bundle_pem {
            builder = builder.tls_certs_merge(Certificate::from_pem_bundle(pem).map_err(ClientError::Setup)?);
        }
        Ok(Self { http: builder.build().map_err(ClientError::Setup)?, base, token })
    }

    /// What is at a path of the API (`search`), with these parameters of the query.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, ClientError> {
        self.ask(Method::GET, path, query, None).await
    }

    /// What comes of posting to a path of the API.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, ClientError> {
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<T, ClientError> {
        let mut request = self.http.request(method, self.url(path, query)?).bearer_auth(self.token.expose());
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let answer = self.body(response).await?;
        if status.is_success() {
            return serde_json::from_slice(&answer).map_err(|source| ClientError::Unreadable { path: path.to_owned(), source });
        }
        Err(self.refused(path, status, serde_json::from_slice(&answer).ok()))
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, ClientError> {
        let url = self.base.join(&format!("api/v1/{path}"));
        let mut url = url.map_err(|error| ClientError::Url { reason: error.to_string() })?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    async fn body(&self, mut response: reqwest::Response) -> Result<Vec<u8>, ClientError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(error))? {
            if chunk.len() > ANSWER_BYTES_MAX - body.len() {
                return Err(ClientError::TooLong { max: ANSWER_BYTES_MAX });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn unreachable(&self, error: reqwest::Error) -> ClientError {
        ClientError::Unreachable { server: self.base.to_string(), source: error.without_url() }
    }

    fn refused(&self, path: &str, status: StatusCode, problem: Option<Problem>) -> ClientError {
        let server = self.base.to_string();
        let Some(problem) = problem else { return ClientError::NotIsinglass { server, status: status.as_u16() } };
        match status {
            StatusCode::UNAUTHORIZED => ClientError::TokenRefused { server },
            StatusCode::NOT_FOUND if problem.is_unknown_path() => ClientError::TooOld { server, path: path.to_owned() },
            StatusCode::NOT_FOUND => ClientError::NotFound { detail: problem.told() },
            _ => ClientError::Refused { status: status.as_u16(), detail: problem.told() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(server: &str) -> Result<Client, ClientError> {
        aws::install_default_provider();
        Client::new(server, Secret::new("isg_secret"), None)
    }

    #[test]
    fn a_token_is_sent_unencrypted_to_this_machine_only() {
        for refused in ["http://example.com", "http://10.0.0.1:7070", "ftp://localhost", "example.com", "https://a:b@example.com"] {
            assert!(matches!(client(refused), Err(ClientError::Url { .. })), "{refused}");
        }
        for taken in ["https://example.com", "http://127.0.0.1:7070", "http://localhost:7070", "http://[::1]:1"] {
            assert!(client(taken).is_ok(), "{taken}");
        }
    }

    #[test]
    fn paths_stand_below_the_path_of_the_server_and_names_are_encoded() {
        let client = client("https://example.com/isinglass?x=1").unwrap();
        let url = client.url("assets", &[("qualifiedName", "default/glue/1/a%2Fb&ü")]).unwrap();
        assert_eq!(url.as_str(), "https://example.com/isinglass/api/v1/assets?qualifiedName=default%2Fglue%2F1%2Fa%252Fb%26%C3%BC");
        assert!(!format!("{client:?}").contains("isg_secret"));
    }
}
